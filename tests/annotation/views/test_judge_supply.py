"""The judging page in a real browser: how the next pairs come, and that they come with the answers."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request

from annotation.models import Study
from tests.browser import until
from tests.judging import READY, answer, recorded, study_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def requests(page: Page) -> list[str]:
    """What the page has requested of the judging endpoints so far: claims and answers, and pictures that arrived."""
    made: list[str] = []

    def note(request: Request) -> None:
        for mark, what in (("/next/", "claim"), ("/judgments/", "answer"), (".png", "picture")):
            if mark in request.url:
                made.append(what)

    page.on("requestfinished", note)
    return made


def six_pairs_are_held(page: Page, requests: list[str], answered: int) -> None:
    pictures = 3 * (answered + 6)
    until(page, lambda: requests.count("picture") == pictures, "the pictures of six pairs", within=30)
    page.wait_for_selector(READY)
    page.wait_for_timeout(300)


def test_six_pairs_are_held_once_the_first_answer_is_confirmed(
    page: Page, sit_down: Callable[[Study], None], requests: list[str]
) -> None:
    sit_down(study_of(10))
    answer(page, "ArrowLeft")
    assert len(recorded(page, 1)) == 1
    six_pairs_are_held(page, requests, answered=1)


def test_with_six_pairs_held_an_answer_brings_the_next_one(
    page: Page, sit_down: Callable[[Study], None], requests: list[str]
) -> None:
    sit_down(study_of(12))
    answer(page, "ArrowLeft")
    six_pairs_are_held(page, requests, answered=1)
    claims = requests.count("claim")

    for number in (2, 3, 4):
        answer(page, "ArrowRight")
        assert len(recorded(page, number)) == number
        six_pairs_are_held(page, requests, answered=number)

    assert requests.count("claim") == claims
