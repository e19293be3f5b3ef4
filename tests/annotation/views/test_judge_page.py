"""The judging page in a real browser: what an answer is, and what is measured with it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from annotation.models import Study
from tests.browser import until
from tests.judging import (
    READY,
    answer,
    recorded,
    shown,
    study_of,
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

    output = [judgment.answer for judgment in recorded(page, 10)]

    names = {"ArrowLeft": "left", "ArrowRight": "right", "ArrowDown": "tie"}
    assert output == [names[key] for key in keys]
    expect(page.locator("#figure")).to_have_text("10 / 11")
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


@pytest.mark.alone
def test_the_next_pair_is_on_the_page_within_two_frames(
    page: Page, sit_down: Callable[[Study], None]
) -> None:
    arrived: list[str] = []
    page.on("requestfinished", lambda request: arrived.append(request.url) if ".png" in request.url else None)
    page.add_init_script(FRAMES)
    sit_down(study_of(3))
    page.wait_for_selector(READY)
    # Two pairs: more are leased once somebody has answered.
    until(page, lambda: len(arrived) == 6, "the images of two pairs")
    page.wait_for_timeout(300)
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(READY)

    _, frames = page.evaluate("window.framesToSwap")

    assert frames <= 2
