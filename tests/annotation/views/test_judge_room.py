"""What may happen in a session, in a real browser: second thoughts, problems, pauses, training, breaks."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from annotation.core.timing import derive_timing
from annotation.models import Assignment, Judgment, Session, Study
from tests.browser import until
from tests.judging import (
    READY,
    answer,
    boxes_of_pictures,
    expect_panel,
    recorded,
    shown,
    study_of,
    study_with,
    violations,
)
from tests.kit.factories import make_source, make_triplet

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def kinds(judgment: Judgment) -> list[str]:
    """What happened during a judgment, in order."""
    return [event["type"] for event in judgment.timing["events"]]


def test_undo_shows_the_pair_before_and_the_later_answer_counts(
    page: Page, sit_down: Callable[[Study], None]
) -> None:
    sit_down(study_with(3, undo_depth=1))
    page.wait_for_selector(READY)
    first = shown(page)
    answer(page, "ArrowLeft")
    until(page, lambda: shown(page) not in ("", first), "the second pair")
    second = shown(page)
    answer(page, "u")
    until(page, lambda: shown(page) == first, "the first pair")
    assert violations(page) == []
    page.keyboard.press("u")
    expect(page.locator("#note")).to_have_text("There is no answer that can be undone.")
    answer(page, "ArrowRight")
    until(page, lambda: shown(page) == second, "the second pair again")
    answer(page, "ArrowLeft")

    before, after, other = recorded(page, 3)

    assert (before.answer, before.stands) == ("left", False)
    assert (after.answer, after.stands, after.supersedes_id) == ("right", True, before.pk)
    assert after.assignment_id == before.assignment_id != other.assignment_id
    assert kinds(other) == ["undo", "pause", "resume"]
    assert derive_timing(other.timing).paused_ms > 0
    expect(page.locator("#figure")).to_have_text("2 / 3")


def test_an_answer_can_be_kept_after_all(page: Page, sit_down: Callable[[Study], None]) -> None:
    sit_down(study_with(2, undo_depth=1))
    answer(page, "ArrowLeft")
    page.wait_for_selector(READY)
    page.get_by_role("button", name="undo").click()
    page.get_by_role("button", name="Keep the answer").click()
    answer(page, "ArrowRight")

    assert [judgment.answer for judgment in recorded(page, 2)] == ["left", "right"]


def test_undo_shows_what_was_answered(page: Page, sit_down: Callable[[Study], None]) -> None:
    sit_down(study_with(3, undo_depth=2))
    answer(page, "ArrowRight")
    page.wait_for_selector(READY)
    expect(page.locator(".is-given")).to_have_count(0)
    page.keyboard.press("u")
    expect(
        page.get_by_text("The previous pair. You chose B: answer again, or keep your answer.")
    ).to_be_visible()
    expect(page.locator('[data-answer="right"]')).to_have_class(re.compile("is-given"))
    expect(page.locator('[data-answer="right"]')).to_have_attribute("aria-pressed", "true")
    assert violations(page) == []
    answer(page, "ArrowLeft")
    page.wait_for_selector(READY)
    expect(page.locator(".is-given")).to_have_count(0)
    page.keyboard.press("u")
    expect(page.get_by_text("You chose A: answer again")).to_be_visible()


@pytest.mark.parametrize("layout", ["side", "toggle"])
def test_the_buttons_stay_where_they_are_from_pair_to_pair(
    page: Page, sit_down: Callable[[Study], None], layout: str
) -> None:
    study = study_with(0, layout=layout, fields={"max_width": 300, "max_height": 260})
    for width, height in ((300, 260), (201, 120), (120, 259)):
        make_triplet(study, source=make_source(study, width=width, height=height))
    sit_down(study)
    places, sizes = set(), set()
    for _ in range(3):
        page.wait_for_selector(READY)
        for slot in ("1", "3", "2") if layout == "toggle" else ():
            page.keyboard.press(slot)
        buttons = [page.locator(f'[data-answer="{side}"]').bounding_box() for side in ("left", "right")]
        places.add(tuple((round(box["x"]), round(box["y"])) for box in buttons if box))
        sizes.add(tuple(round(boxes_of_pictures(page)[0][of]) for of in ("width", "height")))
        answer(page, "ArrowLeft")
    assert len(sizes) == 3
    for button in (0, 1):
        for axis in (0, 1):
            moved = [place[button][axis] for place in places]
            assert max(moved) - min(moved) <= 1


def test_nothing_white_comes_after_the_last_pair(page: Page, sit_down: Callable[[Study], None]) -> None:
    sit_down(study_with(1))
    answer(page, "ArrowLeft")
    page.wait_for_url("**/end/")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    grey = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert grey == "rgb(77, 77, 77)"
    assert violations(page) == []


def test_a_flagged_pair_goes_back_with_what_is_wrong(page: Page, sit_down: Callable[[Study], None]) -> None:
    sit_down(study_of(3))
    page.wait_for_selector(READY)
    page.keyboard.press("f")
    assert violations(page) == []
    page.get_by_label("the pictures do not show the same scene").check()
    page.get_by_label("In your own words (optional)").fill("B is older?")  # the keys mean letters here
    page.get_by_role("button", name="Report the pair").click()
    expect(page.get_by_text("Thank you. Somebody will look at that pair")).to_be_visible()
    answer(page, "ArrowLeft")

    [judgment] = recorded(page, 1)

    until(page, lambda: Assignment.objects.filter(state="skipped").exists(), "the flag")
    flagged = Assignment.objects.get(state="skipped")
    assert flagged.skip_cause == "flagged not the same scene: B is older?"
    assert (flagged.position, judgment.assignment.position) == (1, 2)


def test_keys_can_be_chosen_and_stay(page: Page, sit_down: Callable[[Study], None]) -> None:
    study = study_of(3)
    sit_down(study)
    page.wait_for_selector(READY)
    page.keyboard.press("?")
    page.get_by_text("Choose other keys").click()
    assert violations(page) == []
    page.get_by_role("listitem").filter(has_text="A is closer").get_by_role("button").click()
    page.keyboard.press("f")
    expect(page.get_by_text("The key F is used already.")).to_be_visible()
    page.keyboard.press("a")
    expect(page.get_by_text("Done. This browser remembers it.")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")  # means nothing any more
    answer(page, "a")
    recorded(page, 1)
    sit_down(study)
    expect(page.locator('[data-answer="left"]')).to_contain_text("A this one")
    answer(page, "a")

    assert [judgment.answer for judgment in recorded(page, 2)] == ["left", "left"]
    page.keyboard.press("?")
    page.get_by_text("Choose other keys").click()
    page.get_by_role("button", name="Reset all keys").click()
    expect(page.locator('#stage [data-key="left"]')).to_have_text("←")


def test_another_scale_pauses_until_somebody_goes_on(page: Page, sit_down: Callable[[Study], None]) -> None:
    sit_down(study_of(2))
    page.wait_for_selector(READY)
    screen = {"width": 853, "height": 480, "deviceScaleFactor": 1.5, "mobile": False}  # a zoom of 150 %
    page.context.new_cdp_session(page).send("Emulation.setDeviceMetricsOverride", screen)
    expect_panel(page, "paused")
    expect(page.locator("#panel")).to_contain_text("This pair is kept for you until")
    assert violations(page) == []
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="Continue").click()
    answer(page, "ArrowRight")

    [judgment] = recorded(page, 1)

    assert (judgment.answer, judgment.dpr) == ("right", 1.5)
    assert [kind for kind in kinds(judgment) if kind in ("pause", "resume")] == ["pause", "resume"]
    assert "paused" in derive_timing(judgment.timing).flags


def test_a_hidden_page_and_a_moved_clock_are_noted(page: Page, sit_down: Callable[[Study], None]) -> None:
    sit_down(study_of(2))
    page.wait_for_selector(READY)
    hide = "hidden => { Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });"
    hide += " document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(hide, True)
    page.wait_for_timeout(400)
    page.evaluate(hide, False)
    page.evaluate("const now = Date.now; Date.now = () => now() + 90_000;")
    page.keyboard.press("ArrowLeft")

    [judgment] = recorded(page, 1)

    timing = derive_timing(judgment.timing)
    assert kinds(judgment) == ["hidden", "visible", "clock"]
    assert abs(judgment.timing["events"][2]["value"] - 90_000) < 50
    assert {"hidden", "clock_jump"} <= set(timing.flags)
    assert timing.response_ms - timing.active_ms >= 400


def test_a_second_window_asks_before_it_takes_over(page: Page, sit_down: Callable[[Study], None]) -> None:
    study = study_of(4)
    sit_down(study)
    page.wait_for_selector(READY)
    other = page.context.new_page()
    other.goto(page.url)
    expect_panel(other, "elsewhere")
    assert violations(other) == []
    other.get_by_role("button", name="Continue here").click()
    expect_panel(page, "elsewhere")
    page.keyboard.press("ArrowLeft")
    answer(other, "ArrowRight")

    [judgment] = recorded(other, 1)

    assert (judgment.answer, judgment.assignment.position) == ("right", 1)
    assert Session.objects.count() == 1
    other.close()


def test_practice_says_what_is_closer_and_then_it_counts(
    page: Page, sit_down: Callable[[Study], None], complaints: list[str]
) -> None:
    study = study_with(3, training_pairs=5, training_pass=1)
    for _ in range(5):
        make_triplet(study, role="training", known="first")
    sit_down(study)
    expect_panel(page, "training")
    assert violations(page) == []
    page.get_by_role("button", name="Begin the practice").click()
    for number in range(5):
        answer(page, "ArrowLeft")
        expect(page.locator("#bar")).to_contain_text("Hold Space and watch what changes.")
        assert page.locator(".is-closer").count() == 1
        if number == 0:
            assert violations(page) == []
        page.keyboard.press("Enter")
    expect_panel(page, "trained")
    page.get_by_role("button", name="Begin").click()
    answer(page, "ArrowLeft")

    rows = recorded(page, 6)

    assert sorted(row.kind for row in rows) == ["pair"] + ["training"] * 5
    expect(page.locator("#figure")).to_have_text("1 / 3")
    assert complaints == []


def test_a_break_is_offered_and_ends_when_one_likes(page: Page, sit_down: Callable[[Study], None]) -> None:
    sit_down(study_with(4, break_every=2))
    answer(page, "ArrowLeft")
    answer(page, "ArrowLeft")
    expect_panel(page, "break")
    expect(page.locator("#panel")).to_contain_text("2 of 4 pairs")
    assert violations(page) == []
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="Continue").press("Enter")
    answer(page, "ArrowRight")

    assert len(recorded(page, 3)) == 3


@pytest.mark.alone
def test_the_time_of_a_key_is_the_browsers_own(
    page: Page, browser: Browser, sit_down: Callable[[Study], None]
) -> None:
    sit_down(study_of(2))
    page.wait_for_selector(READY)
    browser.start_tracing(page=page, categories=["devtools.timeline", "blink.user_timing"])
    page.evaluate("window.mark = performance.mark('zero').startTime")
    page.keyboard.press("ArrowRight")
    recorded(page, 1)
    trace = json.loads(browser.stop_tracing())["traceEvents"]

    judgment = Judgment.objects.get()
    zero = next(event["ts"] for event in trace if event["name"] == "zero")
    pressed = next(
        event["ts"]
        for event in trace
        if event["name"] == "EventDispatch" and event["args"]["data"]["type"] == "keydown"
    )
    by_the_trace = page.evaluate("window.mark") + (pressed - zero) / 1000
    assert abs(judgment.answer_ms - by_the_trace) < judgment.timing.get("frame_ms", 16.7)
