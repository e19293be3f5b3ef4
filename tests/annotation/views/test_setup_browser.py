"""The set-up and its preview in a real browser: a crop is dragged, a preview is judged to its end."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from annotation.core.protocol import Protocol
from annotation.models import Annotator, Judgment, Session, Study
from annotation.services.reach import measure_reach, request_reach
from annotation.services.sources import add_source
from tests.kit.factories import make_judgment, make_png, make_session, make_source, make_study, make_triplet
from tests.study_form import step_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_dragged_outline_is_what_is_shown_after_saving(page: Page, logged_in: str) -> None:
    study = make_study(state="draft", max_width=100, max_height=80)
    source = add_source(study=study, file=make_png(3, width=300, height=200), name="a")
    page.goto(logged_in + step_of(study, "stimuli"))
    view = page.locator("[data-crop]")
    view.scroll_into_view_if_needed()
    box = view.bounding_box()
    assert box is not None
    scale = min(box["width"] / 300, box["height"] / 200)
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 50 * scale, middle[1] - 30 * scale, steps=5)
    page.mouse.up()
    left, top = (int(at) for at in page.locator(f"#crop-{source.pk}").input_value().split(","))
    assert abs(left - 150) <= 2 and abs(top - 30) <= 2
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("a has a new crop.")).to_be_visible()
    assert study.uses.get().source.crop == [left, top, 100, 80]


def test_a_mistake_is_in_sight_and_leads_to_its_field(page: Page, logged_in: str) -> None:
    study = make_study(state="draft")
    page.goto(logged_in + step_of(study, "protocol"))
    page.locator("#rules-session summary").click()
    page.locator("#id_training_pairs").fill("3")
    page.get_by_role("button", name="Save", exact=True).click()
    faults = page.locator("#faults")
    expect(faults).to_be_in_viewport()
    expect(faults).to_be_focused()
    faults.get_by_role("link", name="Training pairs").click()
    expect(page.locator("#id_training_pairs")).to_be_in_viewport()
    expect(page.locator("#id_training_pairs")).to_have_value("3")


def test_the_next_step_of_the_rail_saves_what_was_changed(page: Page, logged_in: str) -> None:
    study = make_study(state="draft", codecs=["jpeg"], protocol=Protocol.bare().to_json())
    page.goto(logged_in + step_of(study, "stimuli"))
    page.get_by_label("webp").check()
    page.get_by_role("link", name="Review and open").last.click()
    expect(page).to_have_url(logged_in + step_of(study, "review"))
    study.refresh_from_db()
    assert sorted(study.codecs) == ["jpeg", "webp"]


def test_a_preview_is_judged_to_its_end_and_nothing_is_kept(
    page: Page, logged_in: str, complaints: list[str]
) -> None:
    rules = Protocol.bare().replace(training_pairs=5, training_pass=4)
    study = make_study(state="draft", pairs_per_session=2, protocol=rules.to_json())
    for _ in range(2):
        make_source(study)
    page.goto(logged_in + reverse("study-preview", args=[study.slug]))
    expect(page.get_by_text("Preview:")).to_be_visible()
    page.get_by_role("button", name="Begin the practice").click()
    for _ in range(5):
        _answer(page)
        page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Begin", exact=True).click()
    for _ in range(2):
        _answer(page)
    page.wait_for_url("**/preview/end/")
    expect(page.get_by_text("Preview:")).to_be_visible()
    for model in (Annotator, Session, Judgment):
        assert not model.objects.exists()
    assert Study.objects.get().state == "draft"
    assert complaints == []


def test_bars_table_and_state_agree_without_a_reload(page: Page, logged_in: str) -> None:
    study = make_study(votes_per_triplet=5)
    for _ in range(3):
        make_triplet(study)
    session = make_session(study)
    page.goto(logged_in + study.get_absolute_url())
    page.evaluate("window.loadedOnce = true")
    judged, badge = page.locator('[data-meter="judged"]'), page.locator("h1 .badge")
    expect(judged).to_contain_text("0 of 15")
    for _ in range(3):
        make_judgment(session)
    expect(judged).to_contain_text("3 of 15", timeout=8000)
    cell = page.locator("tr", has_text="jpeg").locator("td").first
    expect(cell).to_contain_text("3 judgments")
    Study.objects.update(state="paused")
    expect(badge).to_have_text("paused", timeout=8000)
    expect(page.get_by_role("button", name="Open again")).to_be_visible()
    assert page.evaluate("window.loadedOnce")


def test_what_codecs_reach_appears_while_workers_measure(page: Page, logged_in: str) -> None:
    study = make_study(state="draft", codecs=["jpeg"], target_bpps=[0.02, 1.0])
    for name in ("a", "b"):
        make_source(study, name=name)
    waiting = request_reach(study=study)
    page.goto(logged_in + step_of(study, "stimuli"))
    page.evaluate("window.loadedOnce = true")
    name = page.locator("#id_name")
    name.fill("not saved yet")
    row = page.locator("[data-live=reach] tbody tr")
    expect(row).to_contain_text("2 photographs waiting to be measured")
    for pk, shown in zip(waiting, ("1 of 1", "2 of 2"), strict=True):
        assert measure_reach(pk=pk) == "done"
        expect(row).to_contain_text(shown, timeout=8000)
    expect(page.get_by_text("jpeg cannot reach 0.02 bpp on 2 of 2")).to_be_visible()
    expect(name).to_have_value("not saved yet")
    assert page.evaluate("window.loadedOnce")


def _answer(page: Page) -> None:
    """Chooses the left picture, once answers are taken."""
    button = page.locator('[data-answer="left"][aria-disabled="false"]')
    button.wait_for()
    button.click()
