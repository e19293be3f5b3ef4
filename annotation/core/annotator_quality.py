"""How reliable the answers of one annotator are, in figures with intervals, and which rule excludes them.

The figures use the valid answers after the warm-up, in the order in which they were given; training is
never among them. Shares have Wilson's 95 % interval. docs/quality.md says what each figure means.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from itertools import groupby, pairwise
from math import comb, log, sqrt
from statistics import median, stdev
from typing import Any, Self

from annotation.core.protocol import Protocol
from psychometrics.estimates import NOTHING, Estimate, proportion

FAST_MS = 600.0
FEWEST_CHECKS = 4
FEWEST_ANSWERS = 10
# In Enrolment.excluded_by, without a rule: before a researcher's reason, and for those who returned their place at
# the panel back.
BY_HAND, RETURNED = "by hand", "returned"
# In Enrolment.figures, beside the figures: who was excluded by a researcher, and why in full.
HAND = "by_hand"
TIE = "tie"


@dataclass(frozen=True, slots=True)
class Answer:
    """One standing answer: the kind of its assignment, the side (left, right, tie), and how long it took.

    `took_ms` is None where no time was recorded; `right` if the right answer is known; `alike`, on repeats: whether
    the earlier answer was the same. `impossible`: whether its recorded duration is longer than the time available.
    """

    kind: str
    side: str
    took_ms: float | None
    right: bool | None = None
    alike: bool | None = None
    impossible: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one annotator. Shares are from 0 to 1.

    sentinels, golden: right answers; repeats: answered alike; identical_left, left: lefts among answers for a side,
    to identical pairs and to all; ties; fast: under 600 ms; slow: over the study's longest view; impossible:
    faster than possible, as said longer than there was time for; median_ms with an
    interval from order statistics; longest_run: answers for one side in a row, where low and high are what 95 % of
    fair coins do and `expected_run` is their mean; same_side: answers for the side of the answer before, one half where
    sides are balanced, 1 where one key is pressed, 0 where two take turns; rhythm: standard deviation of the natural
    logarithm of response times, 0 for a metronome; likelihood and reliability: psychometrics.reliability.
    """

    sentinels: Estimate
    golden: Estimate
    repeats: Estimate
    identical_left: Estimate
    left: Estimate
    ties: Estimate
    fast: Estimate
    slow: Estimate
    impossible: Estimate
    median_ms: Estimate
    longest_run: Estimate
    expected_run: float | None
    same_side: Estimate
    rhythm: Estimate
    likelihood: Estimate
    reliability: Estimate

    def to_json(self) -> dict[str, Any]:
        """Plain values by name; `asdict` copies each of them, which takes ten times as long."""
        values: dict[str, Any] = {}
        for name in _FIGURES:
            one: Estimate = getattr(self, name)
            values[name] = {"value": one.value, "low": one.low, "high": one.high, "n": one.n}
        return values | {"expected_run": self.expected_run}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `to_json` wrote; other keys are left aside, and figures that are not there are empty."""
        values = {one.name: stored.get(one.name) for one in fields(cls)}
        run = values.pop("expected_run")
        return cls(
            **{name: Estimate(**each) if each else NOTHING for name, each in values.items()}, expected_run=run
        )


_FIGURES = tuple(one.name for one in fields(Figures) if one.name != "expected_run")


def annotator_figures(
    answers: Sequence[Answer],
    *,
    max_view_ms: float,
    likelihood: Estimate = NOTHING,
    reliability: Estimate = NOTHING,
) -> Figures:
    """The figures of one annotator's answers, the earliest first."""
    run = longest_run([answer.side for answer in answers])
    took = [answer.took_ms for answer in answers if answer.took_ms is not None]
    sides = sum(answer.side != TIE for answer in answers)
    low, high, expected = longest_run_by_chance(sides)
    return Figures(
        sentinels=_right(answers, "sentinel"),
        golden=_right(answers, "golden"),
        repeats=_share([answer.alike for answer in answers if answer.alike is not None]),
        identical_left=_lefts(answer for answer in answers if answer.kind == "identical"),
        left=_lefts(answers),
        ties=_share([answer.side == TIE for answer in answers]),
        fast=_share([each < FAST_MS for each in took]),
        slow=_share([each > max_view_ms for each in took]),
        impossible=_share([answer.impossible for answer in answers]),
        median_ms=_median(took),
        longest_run=Estimate(float(run), float(low), float(high), sides) if sides else NOTHING,
        expected_run=expected if sides else None,
        same_side=_same_side([answer.side for answer in answers]),
        rhythm=_rhythm(took),
        likelihood=likelihood,
        reliability=reliability,
    )


def _share(true: Sequence[bool]) -> Estimate:
    return proportion(sum(true), len(true))


def _right(answers: Iterable[Answer], kind: str) -> Estimate:
    return _share([answer.right for answer in answers if answer.kind == kind and answer.right is not None])


def _lefts(answers: Iterable[Answer]) -> Estimate:
    return _share([answer.side == "left" for answer in answers if answer.side != TIE])


def _same_side(sides: Sequence[str]) -> Estimate:
    """How often an answer is for the side of the answer before it; ties are in neither."""
    following = [one == other for one, other in pairwise(sides) if TIE not in (one, other)]
    return _share(following)


def _rhythm(took: Sequence[float]) -> Estimate:
    """The spread of log times with the chi-square interval of a normal sample's standard deviation."""
    logs = [log(each) for each in took if each > 0]
    if len(logs) < 2:
        return NOTHING
    spread, freedom = stdev(logs), len(logs) - 1
    low, high = (spread * sqrt(freedom / quantile) for quantile in _chi_square_ends(freedom))
    return Estimate(spread, low, high, len(logs))


@cache
def _chi_square_ends(freedom: int) -> tuple[float, float]:
    """The 97.5 % and 2.5 % quantiles of chi-square."""
    from scipy.special import gammaincinv  # slow to import, and only workers come here

    high, low = (2 * float(gammaincinv(freedom / 2, tail)) for tail in (0.975, 0.025))
    return high, low


def _median(took: Sequence[float]) -> Estimate:
    """The median with the order statistics that hold it with at least 95 %; none of them under six answers."""
    if not took:
        return NOTHING
    ordered = sorted(took)
    below = order_below_the_median(len(took))
    low, high = (ordered[below], ordered[-1 - below]) if below >= 0 else (None, None)
    return Estimate(median(ordered), low, high, len(took))


@cache
def order_below_the_median(size: int) -> int:
    """The place, from 0, of the last of `size` sorted values that is under the median with 97.5 %; -1 for none.

    It is the 2.5 % quantile of the binomial distribution of a fair coin, less one, in whole numbers.
    """
    reached, most, below = 0, 2**size, 0
    while 40 * (reached := reached + comb(size, below)) < most:
        below += 1
    return below - 1


def longest_run(sides: Iterable[str]) -> int:
    """The most answers for one side in a row; a tie ends a run."""
    return max((len(list(run)) for side, run in groupby(sides) if side != TIE), default=0)


@cache
def longest_run_by_chance(tosses: int) -> tuple[int, int, float]:
    """The 2.5 % and 97.5 % quantiles and the mean of the longest run, of either side, in so many fair tosses.

    The chance that no run is longer than k is the number of compositions of `tosses` into parts of at most k, over
    2^(tosses - 1): each composition is a sequence of runs. Zeros for no toss.
    """
    if tosses == 0:
        return 0, 0, 0.0
    at_most: list[float] = []
    while not at_most or at_most[-1] < 1 - 1e-9:
        at_most.append(_no_longer_than(len(at_most) + 1, tosses))
    low, high = (next(k for k, p in enumerate(at_most, 1) if p >= tail) for tail in (0.025, 0.975))
    return low, high, 1 + sum(1 - p for p in at_most)


def _no_longer_than(longest: int, tosses: int) -> float:
    """P(no run is longer), toss by toss, from where the last run, of 1 to `longest`, began."""
    chances = [2.0]  # the first run may have either side, every later one has the side that is left
    for n in range(1, tosses + 1):
        too_long = 0.5 ** (longest + 1) * chances[n - 1 - longest] if n > longest else 0.0
        before = chances[n - 1] if n > 1 else 0.0
        chances.append((before + chances[n - 1]) / 2 - too_long)
    return min(1.0, chances[tosses])


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the protocol that leaves people out: its figure, how many answers it needs, and when it is broken."""

    figure: str
    fewest: int
    broken: Callable[[float, float], bool]


# By the name of the protocol's field, in the order in which they are checked.
RULES: dict[str, Rule] = {
    "exclude_sentinel_under": Rule("sentinels", FEWEST_CHECKS, lambda value, limit: 100 * value < limit),
    "exclude_repeat_under": Rule("repeats", FEWEST_CHECKS, lambda value, limit: 100 * value < limit),
    "exclude_side_bias_over": Rule(
        "left", FEWEST_ANSWERS, lambda value, limit: 100 * abs(value - 0.5) > limit
    ),
    "exclude_fast_over": Rule("fast", FEWEST_ANSWERS, lambda value, limit: 100 * value > limit),
    "exclude_straight_over": Rule("longest_run", 1, lambda value, limit: value > limit),
    "exclude_reliability_under": Rule("reliability", FEWEST_ANSWERS, lambda value, limit: value < limit),
}


def apply_rules(figures: Figures, protocol: Protocol) -> str:
    """The name of the first rule that the annotator breaks, "" for none. A rule set to 0 is off."""
    for name, rule in RULES.items():
        limit = getattr(protocol, name)
        figure: Estimate = getattr(figures, rule.figure)
        known = limit > 0 and figure.value is not None and figure.n >= rule.fewest
        if known and rule.broken(figure.value or 0.0, limit):
            return name
    return ""
