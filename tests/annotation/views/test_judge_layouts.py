"""The layouts of one place, and the lens, in a real browser."""

from collections.abc import Callable
from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from annotation.core.protocol import Protocol
from annotation.core.timing import derive_timing, original_switches
from annotation.core.timing_record import validate_timing
from annotation.models import Assignment, Judgment, Study
from tests.browser import until
from tests.judging import (
    READY,
    answer,
    boxes_of_pictures,
    expect_panel,
    picture_files,
    pixels_of,
    recorded,
    study_with,
    violations,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


SLOTS = ("left", "original", "right")


def on_screen(page: Page) -> dict[str, bool]:
    """Which of the three pictures can be seen."""
    return {slot: page.locator(f'[data-slot="{slot}"] .picture').is_visible() for slot in SLOTS}


def test_one_place_shows_one_picture_at_a_time_pixel_for_pixel(
    page: Page, sit_down: Callable[[Study], None], complaints: list[str]
) -> None:
    sit_down(study_with(2, layout="toggle"))
    page.wait_for_selector(READY)
    assert on_screen(page) == {"left": False, "original": True, "right": False}
    assert violations(page) == []
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#note")).to_have_text("Look first at: A, B.")
    files = picture_files(Assignment.objects.get(position=1))
    for key, slot, words, pixels in zip(
        ("1", "2", "x"), SLOTS, ("A is shown", "The original is shown", "B is shown"), files, strict=True
    ):
        page.keyboard.press(key)
        expect(page.locator("#up")).to_have_text(words)
        assert [name for name, visible in on_screen(page).items() if visible] == [slot]
        box = boxes_of_pictures(page)[0]
        x, y = round(box["left"]), round(box["top"])
        height, width, _ = pixels.shape
        assert np.array_equal(pixels_of(page.screenshot())[y : y + height, x : x + width], pixels)
    answer(page, "ArrowRight")

    [judgment] = recorded(page, 1)

    assert (judgment.layout, judgment.dpr, judgment.answer) == ("toggle", 1.0, "right")
    views = [event["value"] for event in judgment.timing["events"] if event["type"] == "view"]
    assert views == ["original", "left", "original", "right"]
    assert set(derive_timing(judgment.timing).dwell_ms) == set(SLOTS)
    assert complaints == []


def test_long_words_leave_room_between_the_buttons(page: Page, sit_down: Callable[[Study], None]) -> None:
    study = study_with(1, layout="toggle")
    Study.objects.filter(pk=study.pk).update(language="es")
    sit_down(study)
    page.wait_for_selector(READY)
    sides = page.locator(".under .button").evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect()).map(({ left, right }) => [left, right])"
    )
    assert len(sides) == 3
    assert all(after[0] - before[1] >= 12 for before, after in pairwise(sorted(sides))), sides


def test_a_phone_covers_no_button_with_a_note_and_the_picture_on_show_keeps_its_name(
    page: Page, sit_down: Callable[[Study], None]
) -> None:
    page.set_viewport_size({"width": 375, "height": 740})
    sit_down(study_with(1, layout="toggle", screen_check="skip"))
    page.wait_for_selector(READY)
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#note")).to_have_text("Look first at: A, B.")
    note, tools = page.locator("#note").bounding_box(), page.locator(".tools").bounding_box()
    assert note is not None and tools is not None
    assert note["y"] + note["height"] <= tools["y"]
    shown = page.locator('[data-view="original"]')
    shown.hover()
    ink, ground = shown.evaluate(
        "each => [getComputedStyle(each).color, getComputedStyle(each).backgroundColor]"
    )
    assert ink != ground


def test_flicker_asks_first_and_then_takes_turns(page: Page, sit_down: Callable[[Study], None]) -> None:
    sit_down(study_with(2, layout="flicker", flicker_hz=2.0))
    expect_panel(page, "flicker_warning")
    assert violations(page) == []
    page.get_by_role("button", name="Flickering is fine for me").click()
    page.wait_for_selector(READY)
    page.get_by_role("button", name="A", exact=True).click()
    page.wait_for_timeout(1200)
    page.keyboard.press("3")
    page.wait_for_timeout(300)
    answer(page, "ArrowLeft")

    [judgment] = recorded(page, 1)

    events = [event for event in judgment.timing["events"] if event["type"] == "view"]
    assert judgment.layout == "flicker"
    assert [event["value"] for event in events][:4] == ["original", "left", "original", "left"]
    turns = np.diff([event["t"] for event in events[1:4]])
    assert (turns >= 250).all()  # two changes there and back in a second, and never more


@pytest.mark.parametrize("how", ["button", "reduced motion"])
def test_who_wants_no_flicker_gets_none(page: Page, sit_down: Callable[[Study], None], how: str) -> None:
    if how == "reduced motion":
        page.emulate_media(reduced_motion="reduce")
    sit_down(study_with(1, layout="flicker"))
    if how == "button":
        page.get_by_role("button", name="I switch them myself").click()
    page.wait_for_selector(READY)

    expect(page.locator("#stage")).to_have_attribute("data-layout", "toggle")


def test_who_leaves_before_the_flicker_has_taken_nothing(
    page: Page, sit_down: Callable[[Study], None]
) -> None:
    sit_down(study_with(1, layout="flicker"))
    page.get_by_role("button", name="I would rather leave").click()

    expect_panel(page, "left")
    assert not Assignment.objects.exists()


def test_a_small_window_offers_one_place(page: Page, sit_down: Callable[[Study], None]) -> None:
    page.set_viewport_size({"width": 300, "height": 500})
    sit_down(study_with(1))
    expect_panel(page, "too_small")
    assert violations(page) == []
    page.get_by_role("button", name="Show one at a time").click()
    page.set_viewport_size({"width": 640, "height": 500})
    for key in ("1", "3", "ArrowRight"):
        answer(page, key)

    [judgment] = recorded(page, 1)

    assert judgment.layout == "toggle"


def test_the_lens_enlarges_all_three_by_whole_factors(page: Page, sit_down: Callable[[Study], None]) -> None:
    sit_down(study_with(2))
    page.wait_for_selector(READY)
    page.keyboard.press("+")
    page.get_by_role("button", name="larger").click()
    expect(page.locator("#factor")).to_have_text("4×")
    page.keyboard.press("Shift+ArrowRight")
    boxes = boxes_of_pictures(page)
    screenshot = pixels_of(page.screenshot())
    # 96 × 80 pixels: 24 × 20 of them are seen, the middle first, then 8 further to the right.
    for box, pixels in zip(boxes, picture_files(Assignment.objects.get(position=1)), strict=True):
        part = pixels[30:50, 44:68].repeat(4, axis=0).repeat(4, axis=1)
        x, y = round(box["left"]), round(box["top"])
        assert np.array_equal(screenshot[y : y + 80, x : x + 96], part)
    page.mouse.move(boxes[0]["left"] + 10, boxes[0]["top"] + 10)
    page.mouse.down()
    page.mouse.move(boxes[0]["left"] + 30, boxes[0]["top"] + 10, steps=3)
    page.mouse.up()
    page.keyboard.press("-")
    page.keyboard.press("ArrowLeft")

    [judgment] = recorded(page, 1)

    body = [(e["type"], e.get("value")) for e in judgment.timing["events"]]
    assert body == [("zoom", 2), ("zoom", 4), ("pan", None), ("pan", None), ("zoom", 2)]
    assert derive_timing(judgment.timing).zoomed_ms > 0
    until(page, lambda: page.locator("#factor").inner_text() == "1×", "the next pair at 1:1")


def test_an_answer_waits_until_the_original_was_switched_to_often_enough(
    page: Page, sit_down: Callable[[Study], None], complaints: list[str]
) -> None:
    sit_down(study_with(2, original_switches=2))
    page.wait_for_selector(READY)
    for switched in range(2):
        page.keyboard.press("ArrowLeft")
        expect(page.locator("#note")).to_contain_text("at least 2 times before you answer")
        page.keyboard.press("Space", delay=30)
        assert Judgment.objects.count() == 0, switched
    answer(page, "ArrowRight")

    [judgment] = recorded(page, 1)

    assert original_switches(judgment.timing) == 2 and judgment.answer == "right"
    assert complaints == []


[MOST_SWITCHES] = [rule.metadata["most"] for rule in fields(Protocol) if rule.name == "original_switches"]
FILL_THE_RECORD = """async () => {
  const { Record } = await import("/static/annotation/timing.js");
  const record = new Record([], 0);
  for (let t = 1; t <= 1000; t += 1) record.note("pan", t);
  for (let t = 1001; t <= 2000; t += 1) record.note("key", t, "unswitched left");
  for (let t = 2001; t <= 2020; t += 1) record.note(t % 2 ? "view" : "peek_on", t, t % 2 ? "original" : undefined);
  return { switches: record.switches, timing: record.finish(2021, "keyboard", {}) };
}"""


def test_switches_to_the_original_have_a_place_in_a_full_record(
    page: Page, sit_down: Callable[[Study], None]
) -> None:
    sit_down(study_with(1))
    page.wait_for_selector(READY)
    filled = page.evaluate(FILL_THE_RECORD)
    validate_timing(filled["timing"])
    assert filled["switches"] == original_switches(filled["timing"]) == MOST_SWITCHES
