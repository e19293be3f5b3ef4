"""The judging page in other languages: every text of its scripts, from right to left, and in the room it has."""

import re
from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from annotation.core.languages import LANGUAGES
from annotation.models import Session, Study
from tests.judging import READY, answer, boxes_of_pictures, recorded, study_with
from tests.kit.factories import make_source, make_triplet
from tests.pseudo import RIGHT_TO_LEFT, WIDE, pseudo, untranslated

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
__all__ = ["pseudo"]  # a fixture

# Calls every function of words.js and panel_texts.js in each of its cases, and gathers what they say.
SAY_EVERYTHING = """async () => {
  const files = ["words", "panel_texts"].map((name) => import(`/static/annotation/${name}.js`));
  const say = Object.assign({}, ...(await Promise.all(files)));
  const act = () => {};
  const each = (values, call) => values.flatMap(call);
  const calls = {
    tooEarly: () => [say.tooEarly(1500)],
    lookFirst: () => [say.lookFirst(["left", "original"]), say.lookFirst(["left", "original", "right"])],
    switchFirst: () => [say.switchFirst(1, ""), say.switchFirst(2, "")],
    nowUp: () => ["left", "original", "right"].map(say.nowUp),
    takesTurns: () => ["left", "original", "right"].map(say.takesTurns),
    longLook: () => [say.longLook(60000), say.longLook(120000)],
    leaseEnds: () => [say.leaseEnds()],
    loading: () => [say.loading()],
    connectionLost: () => [say.connectionLost(0), say.connectionLost(2)],
    nothingFree: () => [say.nothingFree("")],
    broken: () => [say.broken(1), say.broken(3)],
    closed: () => [say.closed("", act, act)],
    over: () => each(["nothing_left", "sitting_over"], (status) =>
      [0, 1, 2].map((waiting) => say.over({ status, detail: "", answered: waiting, waiting }))),
    tooSmall: () => [[9, 0], [0, 9], [9, 9]].map((lack) =>
      say.tooSmall(lack, 1, { fullScreen: act, oneAtATime: act, giveBack: act })),
    paused: () => [null, new Date(0)].map((until) => say.paused({ magnified: !until, until, act })),
    late: () => [say.late()],
    rest: () => [0, 1, 2].map((minutes) => say.rest({ answered: 1, total: 2, minutes })),
    training: () => [say.training(1), say.training(5)],
    trainingAgain: () => [say.trainingAgain()],
    trained: () => [say.trained()],
    feedback: () => each([true, false], (right) =>
      ["left", "right", "tie"].map((closer) => say.feedback({ right, closer }, ""))),
    checking: () => [say.checking()],
    revising: () => ["left", "right", "tie"].map(say.revising),
    nothingToUndo: () => [say.nothingToUndo(0), say.nothingToUndo(1)],
    flagged: () => [say.flagged()],
    notCounted: () => [["invalid", "x"], ["not_yours", ""]].map(([code, message]) => say.notCounted({ code, message })),
    keepOpen: () => [say.keepOpen()],
    elsewhere: () => [say.elsewhere(act)],
    flickerWarning: () => [say.flickerWarning({ agree: act, refuse: act, leave: act })],
    left: () => [say.left()],
    notReady: () => [say.notReady("", act)],
    failed: () => [say.failed({ message: "" }, act)],
    badge: () => each([true, false], (online) => each([true, false], (lasting) =>
      ["saved", "saving", "waiting"].map((state) => say.badge({ state, size: 2, lasting }, online)))),
    progress: () => ["training", "judging"].map((stage) => say.progress({ answered: 1, total: 2, stage })),
    keyNames: () => [say.keyNames()],
    choosingKey: () => Object.values(say.choosingKey).map((words) => words("")),
  };
  const texts = (value) => {
    if (typeof value === "string") return [value];
    if (!value || typeof value !== "object") return [];
    return Object.entries(value).flatMap(([name, inner]) => (name === "name" ? [] : texts(inner)));
  };
  const missing = Object.keys(say).filter((name) => !(name in calls));
  return { missing, texts: Object.values(calls).flatMap((call) => call().flatMap(texts)) };
}"""


def test_no_text_of_the_scripts_escapes(
    page: Page, sit_down: Callable[[Study], None], complaints: list[str], pseudo: None
) -> None:
    sit_down(study_with(1, fields={"language": WIDE, "title": "1"}))
    page.wait_for_selector(READY)
    output: dict[str, Any] = page.evaluate(SAY_EVERYTHING)
    assert output["missing"] == []  # a new text is called above
    assert len(output["texts"]) > 100
    words = [text for text in output["texts"] if untranslated(re.sub(r"\b[AP]M\b", "", text))]
    assert words == []
    assert untranslated(page.locator("body").inner_text()) == []
    assert complaints == []  # gettext.js complains of what has no translation


def test_from_right_to_left_the_pictures_and_keys_stay_where_they_are(
    page: Page, sit_down: Callable[[Study], None], complaints: list[str], pseudo: None
) -> None:
    study = study_with(2, fields={"language": RIGHT_TO_LEFT, "title": "1", "allow_ties": True}, undo_depth=1)
    sit_down(study)
    page.wait_for_selector(READY)
    assert page.locator("html").get_attribute("dir") == "rtl"
    left, original, right = (box["left"] for box in boxes_of_pictures(page))
    assert left < original < right
    buttons = [page.locator(f'[data-answer="{side}"]').bounding_box() for side in ("left", "right")]
    assert buttons[0] and buttons[1] and buttons[0]["x"] < buttons[1]["x"]
    # In a low window the tools stand beside the question, where it begins; the count and the badge where it ends.
    tools, where = page.locator(".tools").bounding_box(), page.locator(".where > :first-child").bounding_box()
    assert tools and where and where["x"] + where["width"] < tools["x"]
    answer(page, "ArrowLeft")
    answer(page, "ArrowRight")
    assert [judgment.answer for judgment in recorded(page, 2)] == ["left", "right"]
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("[א-ת]"))
    assert untranslated(page.locator("body").inner_text()) == []
    assert Session.objects.get().language == RIGHT_TO_LEFT
    assert complaints == []


@pytest.mark.parametrize("language", [*LANGUAGES, WIDE])
def test_every_language_has_room(
    language: str, page: Page, sit_down: Callable[[Study], None], pseudo: None, settings: Any
) -> None:
    settings.LANGUAGES = [*LANGUAGES.items(), (WIDE, "")]
    page.set_viewport_size({"width": 1280, "height": 720})
    sit_down(study_with(1, fields={"language": language, "allow_ties": True}, undo_depth=1))
    page.wait_for_selector(READY)
    assert page.locator("html").get_attribute("lang") == language
    overflowing = page.evaluate(
        """() => [...document.querySelectorAll(".under .button, .tools, .room-head, .room-foot, body")]
          .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.outerHTML.slice(0, 80))"""
    )
    assert overflowing == []
    for box in boxes_of_pictures(page):
        assert box["left"] >= 0 and box["right"] <= 1280
    page.keyboard.press("?")
    dialog = page.locator("#help").bounding_box()
    assert dialog and dialog["height"] <= 720


def test_the_help_lists_the_keys_of_the_layout(page: Page, sit_down: Callable[[Study], None]) -> None:
    sit_down(study_with(1))
    page.wait_for_selector(READY)
    page.keyboard.press("?")
    for key in ("view_left", "view_right"):
        assert not page.locator(f'#help [data-key="{key}"]').first.is_visible()
    page.keyboard.press("Escape")
    # A window too narrow for three shows one at a time: then it has those keys, and the help says so.
    page.set_viewport_size({"width": 280, "height": 700})
    page.get_by_role("button", name="Show one at a time").click()
    page.keyboard.press("?")
    expect(page.locator('#help .keys [data-key="view_left"]')).to_be_visible()
    expect(page.get_by_text("show A, the original, B")).to_be_visible()
    expect(page.get_by_text("alternates with the original")).to_be_hidden()


@pytest.mark.parametrize("language", LANGUAGES)
def test_on_a_phone_no_button_stands_on_another_one(
    language: str, browser: Browser, live_server: LiveServer
) -> None:
    phone = browser.new_context(viewport={"width": 390, "height": 760}, device_scale_factor=3, has_touch=True)
    page = phone.new_page()
    study = study_with(0, fields={"language": language, "allow_ties": True, "max_width": 600}, undo_depth=1)
    make_triplet(study, source=make_source(study, width=600, height=400))
    page.goto(live_server.url + reverse("judge", args=[study.key]))
    page.locator('#panel[data-name="too_small"] .button-primary').click()  # one at a time
    page.wait_for_selector(READY)
    buttons = [one.bounding_box() for one in page.locator("button:visible, .who:visible").all()]
    boxes = [box for box in buttons if box]
    assert len(boxes) > 10
    for place, one in enumerate(boxes):
        assert one["x"] >= 0 and one["x"] + one["width"] <= 390 and one["y"] + one["height"] <= 760
        for other in boxes[place + 1 :]:
            beside = one["x"] + one["width"] <= other["x"] + 1 or other["x"] + other["width"] <= one["x"] + 1
            below = one["y"] + one["height"] <= other["y"] + 1 or other["y"] + other["height"] <= one["y"] + 1
            assert beside or below, (one, other)
    for view in ("left", "original", "right"):
        page.locator(f'[data-view="{view}"]').click()
    page.locator('[data-answer="right"]').click()
    assert recorded(page, 1)[0].layout == "toggle"  # results can be cut by it
    phone.close()


def test_on_a_phone_no_button_below_small_pictures_stands_on_another(
    page: Page, sit_down: Callable[[Study], None], pseudo: None
) -> None:
    page.set_viewport_size({"width": 390, "height": 720})
    sit_down(study_with(1, fields={"language": RIGHT_TO_LEFT, "allow_ties": True}))
    page.wait_for_selector(READY)
    assert page.locator("#stage").get_attribute("data-layout") == "side"
    boxes = [button.bounding_box() for button in page.locator(".under .button:visible").all()]
    for one, other in combinations([box for box in boxes if box], 2):
        beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
        above = one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
        assert beside or above, (one, other)
