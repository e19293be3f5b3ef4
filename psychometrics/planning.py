"""How many people, photographs and votes a study needs: before it, by simulation; while it runs, from what is known.

Strengths and spreads are assumed, or taken from a pilot. Half-widths are those of differences, as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.special import stdtrit

from psychometrics.comparisons import Floats, aggregated, pair_indices
from psychometrics.differences import Difference, differences
from psychometrics.estimates import CONFIDENCE
from psychometrics.ranking import Ranking
from psychometrics.scaling import UNIT, chances, difference_terms, fit
from psychometrics.simulation import Truth, answer, balanced
from psychometrics.uncertainty import uncertainty

REPEATS = 60
# A session's answers at most: half an hour, the protocol's default.
LONGEST_MINUTES = 30.0
# Answers at one level of a study that is simulated: each of them is made up `repeats` times.
MOST_ANSWERS = 200_000


class PlanError(ValueError):
    """No such study can be planned; the message says what to change."""


@dataclass(frozen=True)
class Assumed:
    """Assumptions about people and photographs. Neighbouring conditions are `step` JND apart; spreads in JND.

    `seconds`: of one answer, breaks and all; `arrival_minutes`: of one annotator, before the first pair;
    `pay_per_hour`: in any currency, 0 for none.
    """

    step: float = 0.5
    of_people: float = 0.3
    of_sources: float = 0.3
    tie: float | None = None
    seconds: float = 10.0
    arrival_minutes: float = 5.0
    pay_per_hour: float = 0.0

    def truth(self, conditions: int) -> Truth:
        """The simulated world of so many conditions, evenly spaced."""
        strengths = self.step * (np.arange(conditions, dtype=np.float64)[::-1] - (conditions - 1) / 2)
        return Truth(np.asarray(strengths), self.of_people, self.of_sources, self.tie)


@dataclass(frozen=True)
class Size:
    """How large a study is. Every pair of conditions of every source and level gets `votes` answers."""

    conditions: int
    sources: int
    annotators: int
    votes: int
    levels: int = 1

    def __post_init__(self) -> None:
        """Raise PlanError for a study that can't be."""
        if self.conditions < 2:
            raise PlanError("A comparison requires at least 2 conditions.")
        if min(self.sources, self.annotators, self.votes, self.levels) < 1:
            raise PlanError("Sources, annotators, votes and levels must be at least 1.")
        if self.votes > self.annotators:
            raise PlanError(
                f"{self.votes} votes per pair require at least as many annotators, because nobody judges "
                f"a pair twice; there are {self.annotators}. Add annotators, or require fewer votes."
            )

    @property
    def pairs(self) -> int:
        """Pairs of conditions at one level."""
        return self.conditions * (self.conditions - 1) // 2

    @property
    def judgments(self) -> int:
        """Answers in all."""
        return self.pairs * self.sources * self.votes * self.levels

    @property
    def each(self) -> int:
        """Answers of one annotator, at most."""
        return -(-self.judgments // self.annotators)


@dataclass(frozen=True)
class Plan:
    """The expected precision of a study of `size`, at each level.

    `halfwidth`: of the 95 % interval of a difference, on average; `low`, `high`: what nine of ten studies stay within;
    `power`: the chance that two neighbouring conditions, `step` JND apart, are distinguished after Holm; `hours` of
    people's time, and `money`.
    """

    size: Size
    assumed: Assumed
    halfwidth: float
    low: float
    high: float
    power: float
    hours: float
    money: float
    repeats: int


def plan(size: Size, assumed: Assumed | None = None, *, repeats: int = REPEATS, seed: int = 0) -> Plan:
    """Simulate `repeats` studies: how wide their intervals are and how often neighbours are distinguished.

    Raises PlanError for more than MOST_ANSWERS answers at a level.
    """
    if (answers := size.judgments // size.levels) > MOST_ANSWERS:
        raise PlanError(
            f"This size has {answers:,} answers at each level, and at most {MOST_ANSWERS:,} are simulated. "
            "Plan with fewer photographs, votes or methods: intervals of larger studies are narrower."
        )
    assumed = assumed or Assumed()
    truth = assumed.truth(size.conditions)
    draw = np.random.default_rng(seed)
    halves, powers = [], []
    for _ in range(repeats):
        design = balanced(
            size.conditions, sources=size.sources, annotators=size.annotators, votes=size.votes, draw=draw
        )
        rows = aggregated(answer(truth, design, draw))
        scale = fit(rows)
        estimated = differences(scale, uncertainty(scale, rows))
        halves.append(float(np.mean([_half(one) for one in estimated])))
        neighbours = [one for one in estimated if _apart(one) == 1]
        powers.append(np.mean([one.distinguishable and one.estimate > 0 for one in neighbours]))
    low, high = np.quantile(halves, [0.05, 0.95])
    hours, money = cost(size, assumed)
    return Plan(
        size, assumed, float(np.mean(halves)), float(low), float(high), float(np.mean(powers)),
        hours, money, repeats,
    )  # fmt: skip


def cost(size: Size, assumed: Assumed) -> tuple[float, float]:
    """Hours of people's time and money."""
    hours = (size.judgments * assumed.seconds + size.annotators * 60 * assumed.arrival_minutes) / 3600
    return hours, hours * assumed.pay_per_hour


def cheapest(
    halfwidth: float,
    conditions: int,
    assumed: Assumed | None = None,
    *,
    levels: int = 1,
    most_sources: int = 60,
    most_annotators: int = 200,
    seed: int = 0,
) -> Plan:
    """The study with the fewest hours whose differences are expected inside ± `halfwidth` JND, tried by simulation.

    Nobody judges longer than LONGEST_MINUTES. Raises PlanError when no study within the limits is large enough.
    """
    assumed = assumed or Assumed()
    candidates = sorted(
        (cost(size, assumed)[0], n, size)
        for n, size in enumerate(_sizes(conditions, levels, most_sources, most_annotators, assumed))
        if expected_halfwidth(size, assumed) <= halfwidth
    )
    for _, _, size in candidates:
        planned = plan(size, assumed, seed=seed)
        if planned.halfwidth <= halfwidth:
            return planned
    largest = Size(conditions, most_sources, most_annotators, most_annotators, levels)
    raise PlanError(
        f"No study of at most {most_sources} sources and {most_annotators} annotators of {LONGEST_MINUTES:g} minutes "
        f"each brings differences within ± {halfwidth:g} JND: with all of them and every vote it would be "
        f"± {expected_halfwidth(largest, assumed):.2f}. Allow more of both, or a wider interval."
    )


def expected_halfwidth(size: Size, assumed: Assumed) -> float:
    """The half-width of a difference on average, worked out without simulation: single answers, people, sources."""
    of_one, flatter = _of_one_answer(assumed, size.conditions)
    cells = of_one / (size.sources * size.votes)
    parts = [
        2 * spread**2 * flatter / groups
        for spread, groups in ((assumed.of_people, size.annotators), (assumed.of_sources, size.sources))
    ]
    variance = cells + sum(parts)
    known = [
        part**2 / max(1, groups - 1)
        for part, groups in zip(parts, (size.annotators, size.sources), strict=True)
    ]
    df = np.minimum(1e9, variance**2 / max(sum(known), 1e-300))
    return float(np.mean(stdtrit(df, (1 + CONFIDENCE) / 2) * np.sqrt(variance)))


@lru_cache(maxsize=64)
def _of_one_answer(assumed: Assumed, conditions: int) -> tuple[Floats, float]:
    """Variance (pairs,) of each difference, in JND^2, from one answer to every pair; and by how much averaging over
    people and sources shrinks their spread.
    """
    truth = assumed.truth(conditions)
    average = truth.average()
    low, high = pair_indices(conditions)
    contrasts = np.eye(conditions)[low] - np.eye(conditions)[high]
    weight = difference_terms(chances(UNIT * average, truth.tie, conditions))[0]
    inverse = np.linalg.pinv(contrasts.T @ (weight[:, None] * contrasts))
    cells = np.einsum("ci,ij,cj->c", contrasts, inverse, contrasts) / UNIT**2
    return np.asarray(cells), float((np.ptp(average) / np.ptp(truth.strengths)) ** 2) if assumed.step else 1.0


def _half(one: Difference) -> float:
    return (one.high - one.low) / 2


def _apart(one: Difference) -> int:
    """How many places apart two conditions of a simulated world are."""
    return abs(int(str(one.first)[1:]) - int(str(one.second)[1:]))


def _sizes(
    conditions: int, levels: int, most_sources: int, most_annotators: int, assumed: Assumed
) -> Iterator[Size]:
    """Candidate studies in which nobody judges too long."""
    longest = int(LONGEST_MINUTES * 60 / assumed.seconds)
    for sources in _steps(4, most_sources):
        for annotators in _steps(5, most_annotators):
            for votes in (1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 75, 100):
                if votes <= annotators:
                    size = Size(conditions, sources, annotators, votes, levels)
                    if size.each <= longest:
                        yield size


def _steps(least: int, most: int) -> list[int]:
    """Whole numbers from `least` to `most`, about a tenth apart."""
    steps = [least]
    while steps[-1] < most:
        steps.append(min(most, max(steps[-1] + 1, round(steps[-1] * 1.12))))
    return steps


def piloted(ranking: Ranking, assumed: Assumed | None = None) -> Assumed:
    """The assumptions with spreads, ties and mean step as a pilot's ranking found them."""
    spread = {one.way: one.sd for one in ranking.spreads if one.sd is not None}
    base = assumed or Assumed()
    values = np.sort(ranking.values)
    return replace(
        base,
        of_people=spread.get("annotators", base.of_people),
        of_sources=spread.get("sources", base.of_sources),
        tie=ranking.tie,
        step=float(np.ptp(values) / max(1, len(values) - 1)),
    )
