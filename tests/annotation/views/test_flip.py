"""Pictures that flip in place, in a real browser: keys, zoom, the original held, and what a first view costs."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, Response, expect

from annotation.models import Study
from annotation.models.stimulus import as_decimal
from tests.kit.factories import make_reconstruction, make_source, make_study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LEVELS = (0.23, 0.37, 0.67, 1.0)


def large_study() -> Study:
    """Four photographs of 400 × 560 with six methods at four levels."""
    names = ["avif", "heif", "jpeg", "jpeg2000", "jpegxl", "webp"]
    study = make_study(codecs=names, target_bpps=list(LEVELS))
    for number in range(4):
        source = make_source(study, name=f"photograph {number}", width=400, height=560)
        for method in names:
            for level in LEVELS:
                made = make_reconstruction(source, method=method, level=as_decimal(level), state="queued")
                # All cells show the source's own pixels: what counts here is how many bytes are sent.
                type(made).objects.filter(pk=made.pk).update(
                    state="done", image=source.image.name, sha256=source.sha256
                )
    return study


def test_the_first_view_takes_under_a_megabyte(page: Page, logged_in: str, complaints: list[str]) -> None:
    sizes: list[int] = []

    def count(response: Response) -> None:
        sizes.append(response.request.sizes()["responseBodySize"])

    study = large_study()
    page.on("requestfinished", lambda request: count(request.response()))
    page.goto(logged_in + reverse("study-gallery", args=[study.slug]))
    page.wait_for_load_state("networkidle")
    assert len(sizes) > 10 and sum(sizes) < 1_000_000
    assert complaints == []


def test_it_flips_zooms_and_holds_the_original_by_keys(
    page: Page, logged_in: str, complaints: list[str]
) -> None:
    study = make_study(codecs=["jpeg", "webp"], target_bpps=[0.37])
    source = make_source(study, name="ape")
    for method in ("jpeg", "webp"):
        make_reconstruction(source, method=method)
    page.goto(logged_in + reverse("study-gallery", args=[study.slug]))
    page.get_by_role("link", name="ape by jpeg at 0.37").click()
    label, image = page.locator(".flip-label"), page.locator(".flip-stage img:visible")
    expect(label).to_contain_text("ape: jpeg at 0.37")
    expect(page.locator(".flip-head .num").first).to_have_text("2 of 3")
    page.keyboard.press("ArrowRight")
    expect(label).to_contain_text("ape: webp at 0.37")
    page.keyboard.press("ArrowRight")
    expect(label).to_have_text("ape: the original")
    page.keyboard.press("ArrowLeft")
    expect(label).to_contain_text("webp")
    page.keyboard.down(" ")
    expect(label).to_have_text("ape: the original")
    page.keyboard.up(" ")
    expect(label).to_contain_text("webp")
    expect(image).to_have_count(1)
    width = page.evaluate(
        "document.querySelector('.flip-stage img:not([hidden])').getBoundingClientRect().width"
    )
    assert width == source.width  # a pixel of the picture is one of the screen
    page.keyboard.press("+")
    width = page.evaluate(
        "document.querySelector('.flip-stage img:not([hidden])').getBoundingClientRect().width"
    )
    assert width == 2 * source.width
    page.keyboard.press("Escape")
    expect(page.locator("dialog.flip")).to_be_hidden()
    assert complaints == []


def test_a_failed_cell_is_as_wide_as_the_others(page: Page, logged_in: str) -> None:
    study = make_study(codecs=["jpeg", "webp"], target_bpps=[0.37])
    source = make_source(study)
    make_reconstruction(source, method="jpeg")
    error = "/usr/lib/" + "a-very-long-path-without-a-space" * 20
    make_reconstruction(source, method="webp", state="failed", error=error)
    page.goto(logged_in + reverse("study-gallery", args=[study.slug]))
    good, failed = (page.locator("table.gallery tbody td").nth(n).bounding_box() for n in (0, 1))
    assert good and failed and failed["width"] == pytest.approx(good["width"], rel=0.05)
    assert failed["height"] < 400
