"""What the answers of arrival say: who passes, who does not, and what no page of ours sends."""

import random

import pytest

from annotation.core import plates, screening
from annotation.core.protocol import Protocol
from annotation.core.screening import ScreeningError

RULES = Protocol()
SCREEN = {
    "width": "1920", "height": "1080", "dpr": "1", "zoom": "1", "viewport_width": "1900", "viewport_height": "950",
    "depth": "24", "gamut": "srgb", "hdr": "false", "reduced_motion": "false",
}  # fmt: skip


def read_plates(*, wrong: tuple[int, ...] = ()) -> dict[str, str]:
    digits = plates.plate_digits("seed")
    return {f"plate-{n}": "" if n in wrong else digit for n, digit in enumerate(digits)}


def read_rings(down_to: int) -> dict[str, str]:
    rings = plates.ring_gaps("seed")
    return {"dpr": "1"} | {f"ring-{n}": side for n, (gap, side) in enumerate(rings) if gap >= down_to}


@pytest.mark.parametrize(
    ("shown", "passes", "width"),
    [
        ({}, True, 1920),
        ({"width": "1279"}, False, 1279),
        ({"height": "700"}, False, 1920),
        ({"width": "960", "height": "540", "dpr": "2"}, True, 1920),  # device pixels are what counts
        ({"width": "1024", "height": "640", "dpr": "1.5", "zoom": "1.5"}, False, 1024),  # zoom adds none
    ],
)
def test_the_screen_is_measured_in_device_pixels(shown: dict[str, str], passes: bool, width: int) -> None:
    result = screening.find("screen", RULES, "seed", SCREEN | shown)
    assert (result.passed, result.details["width"]) == (passes, width)
    assert result.details["gamut"] == "srgb" and result.details["hdr"] is False


@pytest.mark.parametrize(
    "sent",
    [{"width": "nan"}, {"width": "1e99"}, {"dpr": "0"}, {"gamut": "all"}, {"hdr": "perhaps"}, {"depth": ""}],
)
def test_a_screen_that_cannot_be_is_refused(sent: dict[str, str]) -> None:
    with pytest.raises(ScreeningError, match=next(iter(sent))):
        screening.find("screen", RULES, "seed", SCREEN | sent)


@pytest.mark.parametrize(("missed", "passes"), [(0, True), (3, True), (4, False), (-1, False)])
def test_a_few_squares_may_be_missed_and_none_made_up(missed: int, passes: bool) -> None:
    there = {tone: len(plates.square_contrasts("seed of brightness", tone)) for tone in plates.GROUNDS}
    assert max(there.values()) < 8
    output = {tone: str(count - missed) for tone, count in there.items()}
    assert screening.find("brightness", RULES, "seed of brightness", output).passed is passes


@pytest.mark.parametrize(
    ("wrong", "passes"),
    [((), True), ((3,), True), ((2, 4), False), ((0,), False), ((0, 1, 2, 3, 4, 5), False)],
)
def test_four_plates_are_to_be_read_and_the_control_plate(wrong: tuple[int, ...], passes: bool) -> None:
    result = screening.find("colour_vision", RULES, "seed", read_plates(wrong=wrong))
    assert result.passed is passes
    assert result.details["read"] == [number not in wrong for number in range(6)]


def test_guessing_does_not_read_plates() -> None:
    guess = random.Random(1)
    passed = 0
    for number in range(2000):
        digits = plates.plate_digits(str(number))
        output = {f"plate-{n}": guess.choice(plates.DIGITS) for n in range(6)} | {"plate-0": digits[0]}
        passed += screening.find("colour_vision", RULES, str(number), output).passed
    assert passed <= 15


@pytest.mark.parametrize(
    ("down_to", "finest", "passes"), [(1, 1, True), (2, 2, True), (3, 3, False), (9, None, False)]
)
def test_acuity_is_the_finest_size_that_was_read(down_to: int, finest: int | None, passes: bool) -> None:
    result = screening.find("acuity", RULES, "seed", read_rings(down_to))
    assert (result.details["finest_px"], result.passed) == (finest, passes)


def test_on_a_fine_screen_a_wider_gap_is_fine_enough() -> None:
    assert screening.find("acuity", RULES, "seed", read_rings(4) | {"dpr": "2"}).passed


def test_a_size_after_one_that_was_not_read_does_not_count() -> None:
    output = read_rings(1)
    output |= {f"ring-{n}": "" for n, (gap, _) in enumerate(plates.ring_gaps("seed")) if gap == 4}
    assert screening.find("acuity", RULES, "seed", output).details["finest_px"] == 6


def test_a_card_gives_device_pixels_per_millimetre() -> None:
    result = screening.find("card", RULES, "", {"has_card": "yes", "card_width": "324", "dpr": "2"})
    assert result.passed
    assert result.details["px_per_mm"] == pytest.approx(7.57, abs=0.01)
    assert not screening.find("card", RULES, "", {"has_card": "yes", "card_width": "60", "dpr": "1"}).passed
    assert not screening.find("card", RULES, "", {"has_card": "no"}).passed


@pytest.mark.parametrize(("right", "finest"), [(2, 3), (3, 2)])
def test_a_size_is_read_when_three_of_its_four_rings_are(right: int, finest: int) -> None:
    answers = read_rings(2)
    of_the_size = [f"ring-{n}" for n, (gap, _) in enumerate(plates.ring_gaps("seed")) if gap == 2]
    answers |= dict.fromkeys(of_the_size[right:], "")
    assert screening.find("acuity", RULES, "seed", answers).details["finest_px"] == finest


@pytest.mark.parametrize(
    ("check", "sent"),
    [
        ("brightness", {"dark": "9", "light": "5"}),
        ("brightness", {"dark": "2.5", "light": "5"}),
        ("colour_vision", {"plate-0": "12"}),
        ("acuity", {"dpr": "1", "ring-0": "north"}),
        ("card", {}),
    ],
)
def test_what_no_page_of_ours_sends_is_refused(check: str, sent: dict[str, str]) -> None:
    with pytest.raises(ScreeningError):
        screening.find(check, RULES, "seed", sent)
