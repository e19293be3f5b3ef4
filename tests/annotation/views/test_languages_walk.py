"""A study from right to left, walked in a browser from the consent to the thanks: no page forgets its language."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotation.core import plates
from annotation.core.protocol import Protocol
from annotation.models import Enrolment, Flag, Judgment
from annotation.services.arrival import seed_of
from tests.judging import READY, answer, recorded
from tests.kit.factories import make_study, make_triplet
from tests.pseudo import RIGHT_TO_LEFT, pseudo, untranslated

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
__all__ = ["pseudo"]  # a fixture

OWN_TEXTS = {"consent_text": "1", "debrief": "2", "completion_code": "3"}
RULES = Protocol(
    brightness="require", colour_vision="require", acuity="require", card="require",
    training_pairs=0, training_pass=0, warm_up=0, break_every=2, sitting_minutes=30, **OWN_TEXTS,
)  # fmt: skip
QUESTIONS = [
    {"name": "age", "text": "4", "when": "before", "kind": "choice", "options": ["5", "6"], "required": True},
    {"name": "cm", "text": "7", "when": "before", "kind": "number", "least": 10, "most": 500},
    {"name": "words", "text": "8", "when": "after", "kind": "text"},
]


@pytest.fixture
def seen(page: Page) -> Iterator[Callable[[str], None]]:
    """Checks the page that is up; keeps a picture of it under SCREENSHOTS where that is set."""
    pages: list[str] = []

    def look(name: str) -> None:
        pages.append(name)
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=Path(folder, f"{len(pages):02}-{name}.png"), full_page=True)
        assert page.locator("html").get_attribute("dir") == "rtl", name
        assert set(untranslated(page.locator("body").inner_text())) <= {"sRGB", "AM", "PM"}, name
        assert untranslated(page.title()) == [], name
        width = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert width[0] <= width[1], name

    yield look


def onward(page: Page) -> None:
    page.locator("main .button-primary").first.press("Enter")


def step(page: Page, name: str) -> None:
    page.wait_for_selector(f'#step[data-step="{name}"]')


def arrive(page: Page, seen: Callable[[str], None]) -> None:
    """From the consent to the first pair, through every check."""
    seen("consent")
    onward(page)
    expect(page.locator("#go-on")).to_be_enabled()
    seen("screen")
    page.locator("#go-on").press("Enter")

    def seed(check: str) -> str:
        return seed_of(Enrolment.objects.get(), check)

    step(page, "brightness")
    seen("brightness")
    for tone, field in zip(plates.GROUNDS, page.locator("main select").all(), strict=True):
        field.select_option(str(len(plates.square_contrasts(seed("brightness"), tone))))
    onward(page)
    step(page, "colour_vision")
    seen("colours")
    for digit, field in zip(
        plates.plate_digits(seed("colour_vision")),
        page.locator("#step input:not([type=hidden])").all(),
        strict=True,
    ):
        field.fill(digit)
    onward(page)
    step(page, "acuity")
    expect(page.locator("#acuity-note")).not_to_be_empty()
    seen("acuity")
    for _, side in plates.ring_gaps(seed("acuity")):
        page.keyboard.press(f"Arrow{side.capitalize()}")
    onward(page)
    step(page, "card")
    seen("card")
    page.locator("main input[type=range]").press("ArrowRight")
    onward(page)


def test_from_right_to_left_every_page_is_in_its_language(
    page: Page, live_server: LiveServer, pseudo: None, seen: Callable[[str], None], complaints: list[str]
) -> None:
    study = make_study(
        protocol=RULES.to_json(), questionnaire=QUESTIONS, language=RIGHT_TO_LEFT, title="9", question="0?",
        instructions="", allow_ties=True, pairs_per_session=4,
    )  # fmt: skip
    for _ in range(6):
        make_triplet(study)
    page.goto(live_server.url + reverse("judge", args=[study.key]))
    arrive(page, seen)
    step(page, "questions")
    onward(page)  # without the answer that is required
    expect(page.locator("[role=alert]").first).to_be_visible()
    seen("question-missed")
    page.locator("main input[type=radio]").first.check()
    onward(page)
    page.wait_for_selector(READY)
    seen("pair")
    page.keyboard.press("f")
    seen("flag")
    page.locator("#flag input[type=radio]").first.check()
    page.locator("#flag .button-primary").click()
    expect(page.locator("#flag")).to_be_hidden()
    page.wait_for_selector(READY)
    seen("after-a-flag")
    for count, key in enumerate(("ArrowLeft", "ArrowDown"), start=1):
        answer(page, key)
        recorded(page, count)
    page.wait_for_selector("#panel:visible")
    seen("break")
    page.locator("#panel .button").first.click()
    page.wait_for_selector(READY)
    page.keyboard.press("u")
    expect(page.locator("#bar")).to_be_visible()
    seen("undo")
    answer(page, "ArrowRight")
    recorded(page, 3)
    for key in ("ArrowLeft", "ArrowRight"):
        answer(page, key)
    page.wait_for_selector("textarea")
    seen("question-after")
    onward(page)
    page.wait_for_url("**/end/")
    expect(page.get_by_text("3", exact=True)).to_be_visible(timeout=10_000)
    seen("end")
    assert Flag.objects.count() == 1 and Judgment.objects.filter(stands=True).count() >= 4
    # The answer that was missed, and nothing else.
    assert [words for words in complaints if "status of 400" not in words] == []
