"""The judging page in a real browser: what is shown, what is measured, and that no answer is lost or doubled."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.urls import reverse
from playwright.sync_api import Browser, BrowserType, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from annotation.models import Annotator, Assignment, Judgment, Session, Study
from annotation.services.claims import claim_next
from tests.browser import until
from tests.factories import make_session
from tests.judging import (
    READY,
    answer,
    boxes_of_pictures,
    expect_panel,
    picture_files,
    pixels_of,
    recorded,
    shown,
    study_of,
    violations,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FRAMES = """
(() => {
  let frame = 0, pressed = 0;
  window.framesToSwap = [];
  const tick = () => { frame += 1; requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
  addEventListener("keydown", () => { pressed = frame; }, true);
  new MutationObserver((changes) => {
    if (changes.some((change) => change.target.closest?.("[data-slot=right] .picture")))
      window.framesToSwap.push(frame - pressed);
  }).observe(document, { childList: true, subtree: true });
})();
"""


def test_ten_pairs_by_keyboard_become_ten_rows(
    page: Page, sit_down: Callable[[Study], None], complaints: list[str]
) -> None:
    sit_down(study_of(11, allow_ties=True))
    keys = ["ArrowLeft", "ArrowRight", "ArrowDown", "ArrowRight", "ArrowLeft"] * 2
    for key in keys:
        answer(page, key)

    said = [judgment.answer for judgment in recorded(page, 10)]

    names = {"ArrowLeft": "left", "ArrowRight": "right", "ArrowDown": "tie"}
    assert said == [names[key] for key in keys]
    expect(page.locator("#figure")).to_have_text("10 / 60")
    assert complaints == []


def test_the_raw_record_is_whole(page: Page, sit_down: Callable[[Study], None]) -> None:
    sit_down(study_of(2))
    page.wait_for_selector(READY)
    page.keyboard.down(" ")
    expect(page.locator('[data-slot="left"] .cover')).to_be_visible()
    page.keyboard.up(" ")
    expect(page.locator('[data-slot="left"] .cover')).to_be_hidden()
    page.wait_for_timeout(500)
    page.keyboard.press("ArrowRight")

    [judgment] = recorded(page, 1)

    timing = judgment.timing
    assert timing["onset"] <= timing["first_input"] < timing["answer"]
    assert [event["type"] for event in timing["events"]] == ["peek_on", "peek_off"]
    assert {image["slot"] for image in timing["images"]} == {"left", "original", "right"}
    assert all(image["fetch_ms"] > 0 and image["decode_ms"] > 0 for image in timing["images"])
    assert timing["displayed"] == [96, 80]
    assert timing["viewport"] == [1280, 720]
    assert timing["input"] == "keyboard"
    assert 1 < timing["frame_ms"] < 1000
    assert abs(timing["time_origin"] + timing["answer"] - judgment.received_at.timestamp() * 1000) < 60_000


def test_buttons_answer_too(page: Page, sit_down: Callable[[Study], None]) -> None:
    sit_down(study_of(3))
    page.wait_for_selector(READY)
    page.get_by_role("button", name="this one B").click()
    page.wait_for_selector(READY)
    page.get_by_role("button", name="this one A").press("Enter")

    first, second = recorded(page, 2)

    assert (first.answer, first.input_device) == ("right", "mouse")
    assert (second.answer, second.input_device) == ("left", "keyboard")


def test_offline_the_page_goes_on_with_five_pairs_and_then_says_so(
    page: Page, sit_down: Callable[[Study], None]
) -> None:
    arrived: list[str] = []
    page.on("requestfinished", lambda request: arrived.append(request.url) if ".png" in request.url else None)
    sit_down(study_of(8))
    until(page, lambda: len(arrived) == 18, "six pairs' images")
    page.wait_for_selector(READY)
    page.wait_for_timeout(300)
    page.context.set_offline(True)
    answer(page, "ArrowLeft")
    expect(page.locator("#badge")).to_have_text("offline – 1 waiting")
    for _ in range(5):
        answer(page, "ArrowRight")
    expect_panel(page, "unreachable")
    assert Judgment.objects.count() == 0

    page.context.set_offline(False)

    assert [judgment.answer for judgment in recorded(page, 6)] == ["left", *["right"] * 5]
    expect(page.locator("#badge")).to_have_text("saved")
    answer(page, "ArrowLeft")
    assert len(recorded(page, 7)) == 7


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
    expect(page.locator("#badge")).to_have_text("not reached – 1 waiting")
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


def test_a_key_before_the_minimum_view_is_ignored_and_noted(
    page: Page, sit_down: Callable[[Study], None]
) -> None:
    sit_down(study_of(2, min_view_ms=1500))
    page.wait_for_selector("#pair:not([hidden])")
    page.wait_for_timeout(100)
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#note")).to_have_text("Look a little longer: an answer counts after 1.5 s.")
    answer(page, "ArrowRight")

    [judgment] = recorded(page, 1)

    assert judgment.answer == "right"
    assert judgment.timing["events"][0]["value"] == "early left"
    assert judgment.answer_ms - judgment.onset_ms >= 1500
    assert judgment.first_input_ms is not None
    assert judgment.first_input_ms < judgment.answer_ms


def test_a_held_key_answers_once(page: Page, sit_down: Callable[[Study], None]) -> None:
    sit_down(study_of(4))
    page.wait_for_selector(READY)
    page.keyboard.down("ArrowLeft")
    for _ in range(5):
        page.wait_for_timeout(60)
        page.keyboard.down("ArrowLeft")  # what a keyboard repeats while the key is held

    assert len(recorded(page, 1)) == 1


@pytest.mark.alone
def test_the_onset_waits_for_the_slowest_image(page: Page, sit_down: Callable[[Study], None]) -> None:
    held: list[Route] = []
    page.route("**/original.png", lambda route: held.append(route))
    sit_down(study_of(1))
    until(page, lambda: bool(held), "the request of the original")
    page.wait_for_timeout(500)
    page.keyboard.press("ArrowLeft")
    assert shown(page) == ""
    released = page.evaluate("performance.now()")
    held[0].continue_()
    answer(page, "ArrowLeft")

    [judgment] = recorded(page, 1)

    fetched = {image["slot"]: image["fetch_ms"] for image in judgment.timing["images"]}
    assert judgment.onset_ms > released
    assert fetched["original"] > 400 > fetched["left"]


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


@pytest.mark.alone
def test_the_next_pair_is_on_the_page_within_two_frames(
    page: Page, sit_down: Callable[[Study], None]
) -> None:
    arrived: list[str] = []
    page.on("requestfinished", lambda request: arrived.append(request.url) if ".png" in request.url else None)
    page.add_init_script(FRAMES)
    sit_down(study_of(3))
    page.wait_for_selector(READY)
    until(page, lambda: len(arrived) == 9, "all images")
    page.wait_for_timeout(300)
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(READY)

    _, frames = page.evaluate("window.framesToSwap")

    assert frames <= 2


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0])
def test_one_image_pixel_is_one_device_pixel(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any], live_server: LiveServer, ratio: float
) -> None:
    # A browser on such a screen: where a ratio is only emulated, it rounds boxes to other pixels.
    screen = ["--window-size=901,703", f"--force-device-scale-factor={ratio}"]
    launch = browser_type_launch_args | {"args": [*browser_type_launch_args["args"], *screen]}
    with browser_type.launch(**launch) as browser:
        page = browser.new_context(no_viewport=True).new_page()
        page.goto(live_server.url + reverse("judge", args=[study_of(1).key]))
        page.wait_for_selector(READY)
        boxes = boxes_of_pictures(page)
        screenshot = pixels_of(page.screenshot())

    for box, pixels in zip(boxes, picture_files(Assignment.objects.get()), strict=True):
        x, y = round(box["left"] * ratio), round(box["top"] * ratio)
        height, width, _ = pixels.shape
        assert np.array_equal(screenshot[y : y + height, x : x + width], pixels)


def test_no_hue_but_in_the_pictures(page: Page, sit_down: Callable[[Study], None]) -> None:
    sit_down(study_of(2, allow_ties=True))
    page.wait_for_selector(READY)
    page.keyboard.press("Tab")  # the ring of the focus, too
    screenshot = pixels_of(page.screenshot()).astype(int)
    for box in boxes_of_pictures(page):
        x, y = round(box["left"]), round(box["top"])
        screenshot[y : y + round(box["height"]), x : x + round(box["width"])] = 0

    assert np.ptp(screenshot, axis=2).max() == 0


def test_a_window_that_is_too_small_explains_itself(page: Page, sit_down: Callable[[Study], None]) -> None:
    sit_down(study_of(2))
    page.wait_for_selector(READY)
    page.set_viewport_size({"width": 280, "height": 400})
    expect_panel(page, "too_small")
    page.keyboard.press("ArrowLeft")
    page.set_viewport_size({"width": 1280, "height": 720})
    expect(page.locator("#panel")).to_be_hidden()
    answer(page, "ArrowRight")

    [judgment] = recorded(page, 1)

    assert judgment.answer == "right"
    types = [event["type"] for event in judgment.timing["events"]]
    assert types.index("hidden") < types.index("visible")


def test_a_complete_sitting_goes_to_the_end_by_itself(page: Page, sit_down: Callable[[Study], None]) -> None:
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


def test_a_lease_that_ran_out_costs_the_answer_and_not_the_sitting(
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
    page.get_by_role("button", name="Go on with another one").click()
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


def test_nothing_tells_the_sides_apart(page: Page, sit_down: Callable[[Study], None]) -> None:
    sit_down(study_of(1))
    page.wait_for_selector(READY)

    left, right = (
        page.locator(f'[data-slot="{slot}"] .picture').inner_html().split('src="')[0]
        for slot in ("left", "right")
    )

    assert left == right
    assert page.locator(".picture img").evaluate_all("all => all.every(one => one.alt === '')")
    assert "jpeg" not in page.content().lower()


def test_without_javascript_the_page_says_what_it_needs(browser: Browser, live_server: LiveServer) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(live_server.url + reverse("judge", args=[study_of(1).key]))

    expect(page.get_by_text("This page needs JavaScript")).to_be_visible()
    context.close()


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
    expect(page.get_by_role("heading", name="There is nothing at this address")).to_be_visible()
    assert violations(page) == []
    assert not Annotator.objects.exists()
