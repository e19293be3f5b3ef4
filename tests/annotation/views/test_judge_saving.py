"""The judging page in a real browser: no answer is lost or doubled, whatever breaks."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from annotation.models import Assignment, Judgment, Session, Study
from tests.browser import until
from tests.judging import (
    READY,
    answer,
    expect_panel,
    recorded,
    shown,
    study_of,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_offline_the_page_goes_on_with_five_pairs_and_then_says_so(
    page: Page, sit_down: Callable[[Study], None]
) -> None:
    arrived: list[str] = []
    page.on("requestfinished", lambda request: arrived.append(request.url) if ".png" in request.url else None)
    sit_down(study_of(10))
    # Somebody who has answered holds six pairs; before that it is two.
    answer(page, "ArrowLeft")
    assert len(recorded(page, 1)) == 1
    until(page, lambda: len(arrived) == 21, "the images of one pair and of six more", within=30)
    page.wait_for_selector(READY)
    page.wait_for_timeout(300)
    page.context.set_offline(True)
    answer(page, "ArrowLeft")
    expect(page.locator("#badge")).to_have_text("offline – 1 waiting")
    for _ in range(5):
        answer(page, "ArrowRight")
    expect_panel(page, "unreachable")
    assert Judgment.objects.count() == 1

    page.context.set_offline(False)

    assert [judgment.answer for judgment in recorded(page, 7)] == [*["left"] * 2, *["right"] * 5]
    expect(page.locator("#badge")).to_have_text("saved")
    answer(page, "ArrowLeft")
    assert len(recorded(page, 8)) == 8


def test_a_lost_confirmation_does_not_count_the_answer_twice(
    page: Page, sit_down: Callable[[Study], None]
) -> None:
    statuses: list[int] = []

    def lose_the_first(route: Route) -> None:
        response = route.fetch()
        statuses.append(response.status)
        if len(statuses) == 1:
            route.abort()
        else:
            route.fulfill(response=response)

    page.route("**/judgments/*/", lose_the_first)
    sit_down(study_of(2))
    answer(page, "ArrowLeft")
    until(page, lambda: len(statuses) == 2, "the second try")

    assert statuses == [201, 200]
    assert len(recorded(page, 1)) == 1


def test_an_answer_outlives_the_page(page: Page, sit_down: Callable[[Study], None]) -> None:
    page.route("**/judgments/*/", lambda route: route.abort())
    study = study_of(2)
    sit_down(study)
    answer(page, "ArrowLeft")
    expect(page.locator("#badge")).to_have_text("server not reached – 1 waiting")
    page.unroute_all()

    page.reload()

    [judgment] = recorded(page, 1)
    assert judgment.assignment.position == 1
    answer(page, "ArrowRight")
    assert [one.assignment.position for one in recorded(page, 2)] == [1, 2]


def test_a_reload_brings_the_same_pair_back(page: Page, sit_down: Callable[[Study], None]) -> None:
    sit_down(study_of(5))
    page.wait_for_selector(READY)
    page.wait_for_timeout(300)
    page.reload()
    answer(page, "ArrowLeft")

    [judgment] = recorded(page, 1)

    assert judgment.assignment.position == 1
    assert Session.objects.count() == 1
    assert Assignment.objects.count() <= 5


@pytest.mark.parametrize(
    ("broken", "cause"),
    [
        ({"status": 500, "body": "no"}, "image_failed left not fetched: status 500"),
        ({"status": 200, "body": "no image"}, "image_failed left not decoded: the bytes are no image"),
    ],
)
def test_a_pair_with_a_broken_image_is_skipped_with_its_cause(
    page: Page, sit_down: Callable[[Study], None], broken: dict[str, Any], cause: str
) -> None:
    addresses: list[str] = []

    def break_the_first(route: Route) -> None:
        addresses.append(route.request.url)
        if route.request.url == addresses[0]:
            route.fulfill(**broken)
        else:
            route.continue_()

    page.route("**/left.png", break_the_first)
    sit_down(study_of(3))
    answer(page, "ArrowLeft")

    [judgment] = recorded(page, 1)

    skipped = Assignment.objects.get(state=Assignment.State.SKIPPED)
    assert skipped.skip_cause == cause
    assert addresses.count(addresses[0]) == 3
    assert judgment.assignment_id != skipped.pk


def test_a_lease_that_ran_out_costs_the_answer_and_not_the_session(
    page: Page, sit_down: Callable[[Study], None]
) -> None:
    sit_down(study_of(3))
    page.wait_for_selector(READY)
    Assignment.objects.filter(position=1).update(state=Assignment.State.EXPIRED)
    answer(page, "ArrowLeft")
    expect(page.locator("#note")).to_contain_text("One answer was not counted.")
    answer(page, "ArrowRight")

    [judgment] = recorded(page, 1)

    assert judgment.assignment.position == 2


def test_a_pair_that_lay_open_for_too_long_is_replaced(page: Page, sit_down: Callable[[Study], None]) -> None:
    sit_down(study_of(9, lease_seconds=6))
    page.wait_for_selector(READY)
    expect_panel(page, "late")
    assert shown(page) == ""
    page.get_by_role("button", name="Continue with another pair").click()
    answer(page, "ArrowRight")

    [judgment] = recorded(page, 1)

    assert judgment.assignment.position > 1


def test_without_a_database_in_the_browser_the_page_says_so(
    page: Page, sit_down: Callable[[Study], None]
) -> None:
    page.add_init_script("Object.defineProperty(window, 'indexedDB', { value: undefined });")
    sit_down(study_of(2))
    expect(page.locator("#badge")).to_have_text("saved (in memory only)")
    answer(page, "ArrowLeft")

    recorded(page, 1)
