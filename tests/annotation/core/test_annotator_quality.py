"""Figures of one annotator against planted truths, and the rules that leave people out."""

import random
from dataclasses import fields, replace
from itertools import product

import numpy as np
import pytest
from scipy.stats import binom

from annotation.core.annotator_quality import (
    RULES,
    Answer,
    Figures,
    annotator_figures,
    apply_rules,
    longest_run,
    longest_run_by_chance,
    order_below_the_median,
)
from annotation.core.protocol import Protocol
from psychometrics.comparisons import Comparisons
from psychometrics.estimates import NOTHING, Estimate
from psychometrics.reliability import compare_with_scales, fit_scales

EVERY_RULE = Protocol(
    exclude_sentinel_under=75.0,
    exclude_repeat_under=60.0,
    exclude_side_bias_over=25.0,
    exclude_fast_over=20.0,
    exclude_straight_over=14,
    exclude_reliability_under=0.7,
)


def careful(number: int = 60) -> list[Answer]:
    """Right on every check, on either side, after two seconds."""
    sides = ["left", "right", "right", "left"] * number
    answers = [Answer("pair", side, 2000.0 + n) for n, side in enumerate(sides[:number])]
    answers += [Answer("sentinel", side, 1500.0, right=True) for side in ("left", "right", "left", "right")]
    answers += [Answer("repeat", side, 1500.0, alike=True) for side in ("left", "right", "left", "right")]
    return [*answers, Answer("identical", "left", 3000.0), Answer("identical", "right", 3000.0)]


def hasty(number: int = 80) -> list[Answer]:
    """A coin that falls twice a second: half of the checks wrong, by chance."""
    coin = random.Random(1)
    side = lambda: coin.choice(["left", "right"])  # noqa: E731
    answers = [Answer("pair", side(), coin.uniform(200, 700)) for _ in range(number)]
    answers += [Answer("sentinel", side(), 400.0, right=right) for right in (True, False) * 4]
    return answers + [Answer("repeat", side(), 400.0, alike=alike) for alike in (False, True) * 4]


def test_a_careful_annotator_breaks_no_rule() -> None:
    figures = annotator_figures(careful(), max_view_ms=120_000)
    assert (figures.sentinels.value, figures.sentinels.n) == (1.0, 4)
    assert figures.repeats.value == 1.0
    assert figures.left.value == pytest.approx(0.5)
    assert figures.identical_left.n == 2
    assert figures.fast.value == figures.slow.value == 0.0
    assert apply_rules(figures, EVERY_RULE) == ""


def test_a_random_clicker_fails_the_sentinels_and_every_later_rule_alone() -> None:
    figures = annotator_figures(hasty(), max_view_ms=120_000)
    assert figures.sentinels.value == 0.5
    assert apply_rules(figures, EVERY_RULE) == "exclude_sentinel_under"
    assert apply_rules(figures, Protocol(exclude_repeat_under=60.0)) == "exclude_repeat_under"
    assert apply_rules(figures, Protocol(exclude_fast_over=20.0)) == "exclude_fast_over"


def test_always_left_shows_in_the_bias_and_in_the_run() -> None:
    figures = annotator_figures([Answer("pair", "left", 1000.0)] * 40, max_view_ms=120_000)
    assert (figures.left.value, figures.longest_run.value) == (1.0, 40.0)
    assert figures.left.low is not None
    assert figures.left.low > 0.9
    assert figures.longest_run.high is not None
    assert figures.longest_run.high < 12
    assert apply_rules(figures, EVERY_RULE) == "exclude_side_bias_over"
    assert apply_rules(figures, Protocol(exclude_straight_over=14)) == "exclude_straight_over"


@pytest.mark.parametrize(
    ("rule", "at_the_limit", "beyond"),
    [
        ("exclude_sentinel_under", 0.75, 0.74),
        ("exclude_repeat_under", 0.6, 0.59),
        ("exclude_side_bias_over", 0.75, 0.76),
        ("exclude_side_bias_over", 0.25, 0.24),
        ("exclude_fast_over", 0.2, 0.21),
        ("exclude_straight_over", 14.0, 15.0),
        ("exclude_reliability_under", 0.7, 0.69),
    ],
)
def test_a_rule_excludes_beyond_its_limit_and_not_at_it(
    rule: str, at_the_limit: float, beyond: float
) -> None:
    figures = annotator_figures(careful(), max_view_ms=120_000)
    for value, broken in ((at_the_limit, ""), (beyond, rule)):
        estimate = Estimate(value, None, None, 100)
        assert apply_rules(replace(figures, **{RULES[rule].figure: estimate}), EVERY_RULE) == broken


def test_a_rule_waits_for_enough_answers_and_zero_turns_it_off() -> None:
    three_wrong = annotator_figures([Answer("sentinel", "left", 900.0, right=False)] * 3, max_view_ms=9000)
    assert apply_rules(three_wrong, EVERY_RULE) == ""
    four_wrong = annotator_figures([Answer("sentinel", "left", 900.0, right=False)] * 4, max_view_ms=9000)
    assert apply_rules(four_wrong, EVERY_RULE) == "exclude_sentinel_under"
    assert apply_rules(four_wrong, Protocol()) == ""


def test_hasty_answers_exclude_from_the_tenth_on() -> None:
    nine, ten = (
        annotator_figures([Answer("pair", "left", 100.0)] * number, max_view_ms=9000) for number in (9, 10)
    )
    fast = Protocol(exclude_fast_over=20.0)
    assert (apply_rules(nine, fast), apply_rules(ten, fast)) == ("", "exclude_fast_over")


def test_a_tie_is_neither_for_the_side_of_its_neighbours_nor_for_another() -> None:
    sides = ("left", "left", "tie", "left", "right", "tie", "tie")
    figures = annotator_figures([Answer("pair", side, 900.0) for side in sides], max_view_ms=9000)
    assert (figures.same_side.value, figures.same_side.n) == (0.5, 2)


def test_every_rule_of_the_protocol_that_excludes_is_known_here() -> None:
    assert set(RULES) == {rule.name for rule in fields(Protocol) if rule.metadata["group"] == "exclusion"}


def test_the_limit_itself_is_within_the_rule() -> None:
    figures = annotator_figures(careful(), max_view_ms=9000)
    at = replace(figures, sentinels=Estimate(0.75, 0.3, 0.9, 4), reliability=Estimate(0.7, 0.6, 0.8, 50))
    assert apply_rules(at, EVERY_RULE) == ""


def test_slow_answers_are_over_the_longest_view() -> None:
    answers = [Answer("pair", "left", took) for took in (500.0, 599.9, 600.0, 5000.0, 5000.1)]
    figures = annotator_figures(answers, max_view_ms=5000)
    assert (figures.fast.value, figures.slow.value) == (0.4, 0.2)
    assert (figures.median_ms.value, figures.median_ms.low) == (600.0, None)


def test_the_median_has_the_order_statistics_that_hold_it() -> None:
    """For n = 20 the 6th and the 15th of 20 hold the median with 95.9 % (Conover, table A3)."""
    answers = [Answer("pair", "left", float(took)) for took in range(1, 21)]
    median_ms = annotator_figures(answers, max_view_ms=9000).median_ms
    assert (median_ms.value, median_ms.low, median_ms.high) == (10.5, 6.0, 15.0)


def test_a_tie_ends_a_run() -> None:
    assert longest_run(["left", "left", "tie", "left", "right", "right", "right"]) == 3
    assert longest_run(["tie", "tie"]) == longest_run([]) == 0


@pytest.mark.parametrize("tosses", [1, 2, 5, 11])
def test_runs_of_a_coin_are_those_of_all_sequences(tosses: int) -> None:
    runs = [longest_run(sides) for sides in product(("left", "right"), repeat=tosses)]
    low, high, mean = longest_run_by_chance(tosses)
    assert mean == pytest.approx(np.mean(runs))
    assert (low, high) == tuple(np.quantile(runs, [0.025, 0.975], method="inverted_cdf"))


def test_figures_come_back_from_json_and_old_ones_are_empty() -> None:
    figures = annotator_figures(careful(), max_view_ms=9000, likelihood=Estimate(0.7, 0.6, 0.8, 60))
    assert Figures.from_json(figures.to_json() | {"by_hand": {}}) == figures
    assert Figures.from_json({}).sentinels == NOTHING


def planted(reliability: list[float], votes_each: int, *, seed: int = 0) -> tuple[Comparisons, np.ndarray]:
    """Two blocks of four names with scales that run opposite ways; each annotator follows with this chance."""
    draw = np.random.default_rng(seed)
    scales = np.array([[0.0, 1.0, 2.0, 3.0], [3.0, 2.0, 1.0, 0.0]])
    number = votes_each * len(reliability)
    who = np.repeat(np.arange(len(reliability)), votes_each)
    block = draw.integers(2, size=number)
    first = draw.integers(4, size=number)
    second = (first + draw.integers(1, 4, size=number)) % 4
    wins = draw.random(number) < 1 / (1 + np.exp(scales[block, second] - scales[block, first]))
    follows = draw.random(number) < np.array(reliability)[who]
    outcome = np.where(wins == follows, 0, 1)
    source = np.zeros(number, dtype=np.int64)
    return Comparisons.of_choices(("a", "b", "c", "d"), first, second, outcome, who, source), block


def compared(votes: Comparisons, block: np.ndarray, annotators: int) -> tuple[list[Estimate], list[Estimate]]:
    """Likelihood and reliability of everybody."""
    likely, reliable = zip(*compare_with_scales(*fit_scales(votes, block, annotators)), strict=True)
    return list(likely), list(reliable)


def test_reliability_finds_who_follows_the_scale_who_guesses_and_who_answers_the_other_way_round() -> None:
    votes, block = planted([1.0] * 8 + [0.5, 0.0], 150)
    result = compared(votes, block, 10)[1]
    values = [estimate.value or 0.0 for estimate in result]
    assert min(values[:8]) > 0.85
    assert 0.3 < values[8] < 0.7
    assert values[9] < 0.25
    assert result[8].low is not None
    assert result[8].high is not None
    assert result[8].low < 0.5 < result[8].high


def test_likelihood_left_out_is_higher_for_those_who_agree_with_the_others() -> None:
    votes, block = planted([1.0] * 8 + [0.5, 0.0], 150)
    values = [estimate.value or 0.0 for estimate in compared(votes, block, 10)[0]]
    assert min(values[:8]) > max(values[8:]) + 0.05
    assert values[9] < 0.4


def test_a_lone_annotator_has_nobody_to_agree_with() -> None:
    votes, block = planted([1.0], 40)
    (alone,) = compared(votes, block, 1)[0]
    assert alone.value == pytest.approx(0.5)


def test_ties_and_annotators_without_votes_do_no_harm() -> None:
    votes, block = planted([1.0, 1.0], 50)
    counts = np.where((np.arange(100) % 10 == 0)[:, None], [0.0, 0.0, 1.0], votes.counts)
    tied = replace(votes, counts=counts)
    likely, reliable = compared(tied, block, 3)
    assert (likely[2], reliable[2]) == (NOTHING, NOTHING)
    assert (likely[0].n, reliable[0].n) == (50, 45)


@pytest.mark.parametrize("size", [1, 5, 6, 9, 60, 1000])
def test_the_median_s_interval_stands_at_the_binomial_s_quantile(size: int) -> None:
    assert order_below_the_median(size) == int(binom.ppf(0.025, size, 0.5)) - 1
