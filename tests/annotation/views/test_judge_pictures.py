"""The judging page in a real browser: pictures pixel by pixel, and nothing that tells them apart."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.urls import reverse
from playwright.sync_api import BrowserType, Page, expect
from pytest_django.live_server_helper import LiveServer

from annotation.models import Assignment, Study
from tests.judging import (
    READY,
    answer,
    boxes_of_pictures,
    expect_panel,
    picture_files,
    pixels_of,
    recorded,
    study_of,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


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
