"""Signs that somebody did not look: each is shown by whoever does it, and by hardly any careful annotator."""

import random
from collections import Counter

import pytest

from annotation.core.annotator_quality import Answer, Figures, annotator_figures
from annotation.core.annotator_signs import SIGNS, shown_signs


def labels(answers: list[Answer]) -> list[str]:
    return [sign.label for sign in shown_signs(annotator_figures(answers, max_view_ms=120_000))]


def answered(sides: list[str], *, took: list[float] | None = None) -> list[Answer]:
    times = took or [1500.0 * 1.7 ** (place % 5) for place in range(len(sides))]
    return [Answer("pair", side, ms) for side, ms in zip(sides, times, strict=True)]


def careful(seed: int) -> list[Answer]:
    draw = random.Random(seed)  # noqa: S311 a made-up annotator
    sides = [draw.choice(["left", "right"]) for _ in range(60)]
    answers = answered(sides, took=[1500 * 2.718 ** draw.gauss(0, 0.5) for _ in sides])
    return answers + [
        Answer("sentinel", draw.choice(["left", "right"]), 2000.0, right=True) for _ in range(4)
    ]


def test_one_key_all_the_time_is_seen() -> None:
    assert {"one key", "one side", "long run"} <= set(labels(answered(["left"] * 20)))


def test_one_key_is_seen_where_a_few_answers_are_otherwise() -> None:
    assert "one key" in labels(answered((["left"] * 9 + ["right"]) * 3))


def test_turning_from_side_to_side_is_seen_though_both_are_chosen_equally_often() -> None:
    signs = labels(answered(["left", "right"] * 15))
    assert signs == ["alternating"]


def test_a_fixed_rhythm_is_seen_and_a_person_s_is_none() -> None:
    sides = [random.Random(5).choice(["left", "right"]) for _ in range(30)]  # noqa: S311
    assert "fixed rhythm" in labels(answered(sides, took=[1000.0 + place % 7 for place in range(30)]))
    assert "fixed rhythm" not in labels(answered(sides))


@pytest.mark.parametrize("number", [2, 4])
def test_a_few_answers_show_nothing(number: int) -> None:
    assert labels(answered(["left"] * number, took=[1000.0] * number)) == []


def test_careful_annotators_seldom_show_a_sign_and_hardly_ever_two() -> None:
    shown = Counter(len(labels(careful(seed))) for seed in range(200))
    assert shown[0] > 160
    assert sum(count for number, count in shown.items() if number > 1) <= 4


def test_ties_are_no_side() -> None:
    figures = annotator_figures(answered(["left", "tie", "left", "tie"] * 10), max_view_ms=120_000)
    assert figures.same_side.n == 0


def test_the_spread_of_times_has_the_interval_of_a_normal_sample() -> None:
    """Ten logarithms with a standard deviation of 1: .688 to 1.826 by the chi-square table (2.70 and 19.02 for 9)."""
    draws = [2.718281828459045**each for each in (-1.5, -1.2, -0.8, -0.4, -0.1, 0.1, 0.4, 0.8, 1.2, 1.5)]
    rhythm = annotator_figures([Answer("pair", "left", ms) for ms in draws], max_view_ms=9.0).rhythm
    assert rhythm.value is not None and rhythm.low is not None and rhythm.high is not None
    assert rhythm.low / rhythm.value == pytest.approx((9 / 19.0228) ** 0.5, rel=1e-4)
    assert rhythm.high / rhythm.value == pytest.approx((9 / 2.70039) ** 0.5, rel=1e-4)


def test_every_sign_is_of_a_figure_that_there_is() -> None:
    names = set(Figures.__dataclass_fields__)
    assert {sign.figure for sign in SIGNS} <= names
