"""The judging page in a real browser: how a session begins, ends, and is refused."""

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from annotation.models import Annotator, Assignment, Session, Study
from tests.browser import until
from tests.judging import (
    READY,
    answer,
    expect_panel,
    recorded,
    study_of,
    violations,
)
from tests.kit.answers import claim_next
from tests.kit.factories import make_session

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_instructions_come_first_and_only_once(page: Page, sit_down: Callable[[Study], None]) -> None:
    study = study_of(3, instructions="Look closely.\n\nThen say what you see.")
    sit_down(study)
    expect(page.locator("#welcome")).to_contain_text("Look closely.")
    expect(page.locator("#begin")).to_be_focused()
    page.keyboard.press("Enter")
    answer(page, "ArrowLeft")
    recorded(page, 1)

    page.reload()

    page.wait_for_selector(READY)
    expect(page.locator("#welcome")).to_be_hidden()


def test_without_javascript_the_page_says_what_it_needs(browser: Browser, live_server: LiveServer) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(live_server.url + reverse("judge", args=[study_of(1).key]))

    expect(page.get_by_text("This page needs JavaScript")).to_be_visible()
    context.close()


def test_a_complete_session_goes_to_the_end_by_itself(page: Page, sit_down: Callable[[Study], None]) -> None:
    sit_down(study_of(3, pairs_per_session=2))
    answer(page, "ArrowLeft")
    answer(page, "ArrowLeft")

    page.wait_for_url("**/end/")
    assert Session.objects.get().ended_at


def test_nothing_left_and_nothing_free_are_told_apart(page: Page, sit_down: Callable[[Study], None]) -> None:
    study = study_of(1, votes_per_triplet=1)
    other = make_session(study)
    claim_next(session=other)
    sit_down(study)
    expect_panel(page, "nothing_free")
    Assignment.objects.update(state=Assignment.State.EXPIRED)
    study.triplets.update(served=0)
    answer(page, "ArrowLeft")

    page.wait_for_url("**/end/")
    recorded(page, 1)


def test_a_study_that_is_paused_meanwhile_says_so(page: Page, sit_down: Callable[[Study], None]) -> None:
    sit_down(study_of(2))
    page.wait_for_selector(READY)
    until(page, lambda: Assignment.objects.count() == 2, "the second pair")
    Study.objects.update(state=Study.State.PAUSED)
    answer(page, "ArrowLeft")
    answer(page, "ArrowLeft")

    expect_panel(page, "closed")
    expect(page.locator("#panel")).to_contain_text("is paused")
    recorded(page, 2)


def test_everyone_can_use_what_needs_no_sight(
    page: Page, sit_down: Callable[[Study], None], complaints: list[str]
) -> None:
    study = study_of(1, allow_ties=True, instructions="Look closely.", surround="#808080")
    sit_down(study)
    expect(page.locator("#begin")).to_be_focused()
    assert violations(page) == []
    page.keyboard.press("Enter")
    page.wait_for_selector(READY)
    assert violations(page) == []
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    answer(page, "ArrowDown")
    page.wait_for_url("**/end/")
    assert violations(page) == []
    assert complaints == []


def test_a_closed_study_and_an_unknown_link_are_pages_too(
    page: Page, sit_down: Callable[[Study], None]
) -> None:
    study = study_of(1)
    Study.objects.update(state=Study.State.CLOSED)
    sit_down(study)
    expect(page.get_by_text("is closed and takes no more answers")).to_be_visible()
    assert violations(page) == []
    study.key = "nobody-has-this-key"
    sit_down(study)
    expect(page.get_by_role("heading", name="There is no page at this address")).to_be_visible()
    assert violations(page) == []
    assert not Annotator.objects.exists()
