"""Arrival and the end in a real browser: walked by keyboard, measured, and open to everybody."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from annotation.core import plates
from annotation.core.protocol import Protocol
from annotation.models import Enrolment, Session, Study
from annotation.services.arrival import seed_of
from annotation.services.visitors import invite
from tests.kit.factories import make_judgment, make_study, make_triplet

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RULES = Protocol(
    brightness="require", colour_vision="require", acuity="require", card="require",
    training_pairs=0, training_pass=0, warm_up=0, completion_code="DONE-1", screen_out_code="OUT-1",
)  # fmt: skip


def study_with(rules: Protocol, *, pairs: int = 1) -> Study:
    study = make_study(protocol=rules.to_json())
    for _ in range(pairs):
        make_triplet(study)
    return study


@pytest.fixture
def open_link(page: Page, live_server: LiveServer) -> Callable[..., None]:
    """Opens a study's link, as an annotator does."""

    def go(study: Study, query: str = "") -> None:
        page.goto(live_server.url + reverse("judge", args=[study.key]) + query)

    return go


def no_complaint_of_axe(page: Page) -> None:
    result = Axe().run(
        page, context={"exclude": [["svg.plate"]]}
    )  # thousands of dots: hidden, and slow to look at
    assert result.violations_count == 0, f"{page.url}: {result.generate_report()}"


def heading(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(words)


def seed(check: str) -> str:
    return seed_of(Enrolment.objects.get(), check)


def consent(page: Page) -> None:
    heading(page, "Consent")
    page.get_by_role("button", name="I agree").press("Enter")


def pass_screen(page: Page) -> None:
    heading(page, "Your screen")
    page.get_by_role("button", name="Continue with this screen").press("Enter")


def pass_brightness(page: Page) -> None:
    heading(page, "Brightness")
    for tone in plates.GROUNDS:
        page.get_by_label(f"in the {tone} strip").select_option(
            str(len(plates.square_contrasts(seed("brightness"), tone)))
        )
    page.get_by_role("button", name="Continue").press("Enter")


def read_plates(page: Page, digits: list[str]) -> None:
    heading(page, "Colour vision")
    page.wait_for_load_state()
    page.get_by_label("Plate 1").focus()
    for digit in digits:
        page.keyboard.type(digit)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")


def read_rings(page: Page) -> None:
    expect(page.locator("#acuity-note")).to_contain_text("Ring 1 of")
    for _, side in plates.ring_gaps(seed("acuity")):
        page.keyboard.press(f"Arrow{side.capitalize()}")
    page.get_by_role("button", name="Continue").press("Enter")


def test_a_laboratory_study_from_the_link_to_the_code_by_keyboard(
    page: Page, open_link: Callable[..., None], complaints: list[str]
) -> None:
    study = study_with(RULES)
    open_link(study)
    no_complaint_of_axe(page)
    consent(page)
    expect(page.locator("#go-on")).to_be_enabled()
    no_complaint_of_axe(page)
    pass_screen(page)
    no_complaint_of_axe(page)
    pass_brightness(page)
    no_complaint_of_axe(page)
    read_plates(page, plates.plate_digits(seed("colour_vision")))
    heading(page, "Fine detail")
    no_complaint_of_axe(page)
    read_rings(page)
    heading(page, "Pixel size")
    no_complaint_of_axe(page)
    slider = page.get_by_label("Width of the outline")
    slider.press("ArrowRight")
    expect(page.locator("#outline")).to_have_css("width", "325px")
    page.get_by_role("button", name="The outline fits").press("Enter")
    expect(page).to_have_title(re.compile("closer to the original"))

    session, enrolment = Session.objects.get(), Enrolment.objects.get()
    assert session.ready_at is not None
    assert (session.screen["width"], session.screen["height"], session.screen["zoom"]) == (1280, 720, 1)
    assert session.screen["px_per_mm"] == pytest.approx(325 / 85.6, abs=0.001)
    assert enrolment.checks["acuity"]["finest_px"] == 1
    assert enrolment.checks["colour_vision"]["read"] == [True] * 6

    address = page.url + "end/"
    page.goto(address)
    heading(page, "Some answers have not arrived yet")
    no_complaint_of_axe(page)
    make_judgment(session)
    expect(page.get_by_text("DONE-1")).to_be_visible(timeout=10_000)  # by itself
    no_complaint_of_axe(page)
    assert complaints == []


def test_who_cannot_read_the_plates_is_thanked_and_gets_no_second_try(
    page: Page, open_link: Callable[..., None], complaints: list[str]
) -> None:
    study = study_with(Protocol.bare().replace(colour_vision="require", screen_out_code="OUT-1"))
    open_link(study)
    heading(page, "Welcome")
    no_complaint_of_axe(page)
    page.get_by_role("button", name="Begin").press("Enter")
    read_plates(page, [plates.plate_digits(seed("colour_vision"))[0], *"00000"])
    heading(page, "Thank you for your time")
    expect(page.get_by_text("OUT-1")).to_be_visible()
    no_complaint_of_axe(page)
    page.go_back()
    page.reload()
    open_link(study)
    expect(page.get_by_text("OUT-1")).to_be_visible()
    assert Enrolment.objects.get().checks["colour_vision"]["passed"] is False
    assert complaints == []


def test_rings_have_whole_device_pixels_and_end_when_a_size_cannot_be_read(
    browser: Browser, live_server: LiveServer
) -> None:
    page = browser.new_page(device_scale_factor=1.5)
    study = study_with(Protocol.bare().replace(acuity="record"))
    page.goto(live_server.url + reverse("judge", args=[study.key]))
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#acuity-note")).to_contain_text("Ring 1 of")
    rings = plates.ring_gaps(seed("acuity"))
    for number, (gap, side) in enumerate(rings[:8]):
        box: Any = page.locator(".ring-place:visible").evaluate(
            "ring => ring.getBoundingClientRect().toJSON()"
        )
        for name in ("x", "y", "width"):
            assert box[name] * 1.5 == pytest.approx(round(box[name] * 1.5), abs=0.02)
        assert box["width"] * 1.5 == pytest.approx(5 * gap, abs=0.02)
        if number < 4:
            page.locator(f".at-{side}:visible").click()
        else:
            page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Continue")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_title(re.compile("closer to the original"))
    assert Enrolment.objects.get().checks["acuity"]["finest_px"] == rings[0][0]
    page.close()


def test_a_small_screen_is_told_before_it_counts(browser: Browser, live_server: LiveServer) -> None:
    page = browser.new_page(viewport={"width": 800, "height": 600}, screen={"width": 800, "height": 600})
    study = study_with(Protocol.bare().replace(screen_check="require", screen_out_code="OUT-1"))
    page.goto(live_server.url + reverse("judge", args=[study.key]))
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_text("This screen is smaller than this study requires")).to_be_visible()
    expect(page.get_by_role("button", name="Continue with this screen")).to_be_hidden()
    again = page.get_by_role("button", name="Measure again")
    expect(again).to_have_class("button button-primary")
    again.click()
    assert Enrolment.objects.get().screened_out_by == ""
    ending = page.get_by_role("button", name="I don’t have a larger screen: end the study here")
    expect(ending).to_have_class("button button-quiet")  # what ends the study is not the button at hand
    ending.click()
    expect(page.get_by_text("OUT-1")).to_be_visible()
    page.close()


def test_researchers_pages_of_people_who_come(page: Page, logged_in: str, complaints: list[str]) -> None:
    study = study_with(Protocol.bare().replace(panel="prolific"))
    invite(study=study, number=2, note="course")
    page.goto(logged_in + reverse("study-invitations", args=[study.slug]))
    no_complaint_of_axe(page)
    page.goto(logged_in + reverse("study-reconciliation", args=[study.slug]))
    no_complaint_of_axe(page)
    export = {"name": "export.csv", "mimeType": "text/csv", "buffer": b"Participant id,Status\nA1,APPROVED\n"}
    page.get_by_label("The panel’s CSV file").set_input_files(export)  # type: ignore[arg-type]
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_text("unknown here", exact=True)).to_be_visible()
    no_complaint_of_axe(page)
    assert complaints == []
