"""What tests of the judging page share: studies to judge, and what a person at the page does and sees."""

import io
from typing import Any

import numpy as np
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect

from annotation.core.protocol import Protocol
from annotation.models import Assignment, Judgment, Study
from codecs_zoo.contract import Pixels
from tests.browser import until
from tests.kit.factories import make_study, make_triplet

# An answer would count now.
READY = '[data-answer="left"][aria-disabled="false"]'


def study_of(pairs: int, **fields: Any) -> Study:
    """An open study with so many pairs."""
    study = make_study(**fields)
    for _ in range(pairs):
        make_triplet(study)
    return study


def study_with(pairs: int, *, fields: dict[str, Any] | None = None, **rules: Any) -> Study:
    """An open study that asks for nothing but pairs and has these rules."""
    return study_of(pairs, protocol=Protocol.bare().replace(**rules).to_json(), **(fields or {}))


def answer(page: Page, key: str) -> None:
    """Waits until an answer would count, and presses the key."""
    page.wait_for_selector(READY)
    page.keyboard.press(key)


def recorded(page: Page, count: int) -> list[Judgment]:
    """All judgments, as soon as there are so many of them."""
    until(page, lambda: Judgment.objects.count() >= count, f"{count} judgments")
    rows = Judgment.objects.select_related("assignment")
    result = list(rows.order_by("assignment__position", "received_at"))
    assert len(result) == count
    return result


def expect_panel(page: Page, name: str) -> None:
    expect(page.locator(f'#panel[data-name="{name}"]')).to_be_visible(timeout=10_000)


def shown(page: Page) -> str:
    """The addresses of the pictures that stand on the page."""
    return str(
        page.evaluate("[...document.querySelectorAll('.picture img:first-child')].map(i => i.src).join()")
    )


def boxes_of_pictures(page: Page) -> list[dict[str, float]]:
    """Where the three pictures stand, in CSS pixels."""
    measure = "all => all.map(one => one.getBoundingClientRect().toJSON())"
    boxes: list[dict[str, float]] = page.locator(".picture").evaluate_all(measure)
    return boxes


def pixels_of(png: bytes) -> Pixels:
    """The H × W × 3 pixels of a PNG file."""
    return np.array(Image.open(io.BytesIO(png)).convert("RGB"))


def picture_files(assignment: Assignment) -> list[Pixels]:
    """The pixels of the left picture, the original and the right one, as they are stored."""
    files = [assignment.left.image, assignment.triplet.source.image, assignment.right.image]
    result = []
    for file in files:
        with file.open("rb") as stored:
            result.append(pixels_of(stored.read()))
    return result


def violations(page: Page) -> list[str]:
    """What axe finds wrong, in one line each."""
    result = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in result]
