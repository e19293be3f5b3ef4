"""Rank names from paired comparisons: the scale, its intervals, and the conclusions that it supports."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from psychometrics.comparisons import Comparisons, Floats, Ints, by_pair, meetings, win_rates
from psychometrics.differences import Difference, best_probabilities, differences, rank_intervals
from psychometrics.estimates import CONFIDENCE, Estimate
from psychometrics.fit_checks import Fit, Triads, check_fit, circular_triads, separated_groups
from psychometrics.preference import standardised_preferences
from psychometrics.scaling import Scale, Ties, fit
from psychometrics.spread import Spread, fewest_answers, spreads, unknown_spreads
from psychometrics.uncertainty import Uncertainty, uncertainty


@dataclass(frozen=True, slots=True)
class Ranking:
    """A scale with all its figures; arrays (k,) are in the order of `names`.

    `values`, `low`, `high`: JND, the reference at 0, or mean 0 without one; the interval of the reference is empty.
    `first_rank`, `last_rank`: simultaneous 95 % interval of ranks, 1 the best; `best`: chance to be the best.
    `preference`: standardised shares; `wins`, `met` (k, k): raw shares of row over column, and of how many answers.
    `separated`: more than one group where some lost nothing to the rest (`fit_checks.separated_groups`).
    `tied`: how many of the `judgments` are ties. `annotators`, `sources`: how many, None where not recorded.
    `most_by_one`, `most_about_one`: the largest share of the answers that one annotator gave, and that are about one
    source, in [0, 1]; 0 where not recorded.
    """

    names: tuple[Hashable, ...]
    values: Floats
    low: Floats
    high: Floats
    tie: float | None
    reference: Hashable | None
    first_rank: Ints
    last_rank: Ints
    best: Floats
    differences: tuple[Difference, ...]
    preference: tuple[Estimate, ...]
    wins: Floats
    met: Ints
    fit: Fit
    triads: Triads
    separated: tuple[tuple[Hashable, ...], ...]
    spreads: tuple[Spread, ...]
    judgments: int
    tied: int
    annotators: int | None
    sources: int | None
    most_by_one: float
    most_about_one: float
    scale: Scale
    uncertainty: Uncertainty

    @property
    def order(self) -> list[int]:
        """Places of the names, the best first."""
        return [int(n) for n in np.argsort(-self.values, kind="stable")]

    @property
    def halfwidth(self) -> float:
        """Half the width of the widest interval of a difference, in JND: the figure of the stop rule."""
        return max((one.high - one.low) / 2 for one in self.differences)

    def difference(self, first: Hashable, second: Hashable) -> Difference:
        """How far `first` is ahead of `second`. Raises KeyError for a pair that is none."""
        for one in self.differences:
            if (one.first, one.second) == (first, second):
                return one
            if (one.second, one.first) == (first, second):
                return one.turned()
        raise KeyError((first, second))


def rank(
    comparisons: Comparisons,
    *,
    reference: Hashable | None = None,
    ties: Ties = "davidson",
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Ranking:
    """Fit the scale of `comparisons` and compute all its figures. `reference`: the name that is at 0.

    Raises ScaleError when the comparisons make no single scale, with what to add.
    """
    pairs = by_pair(comparisons)
    scale = fit(pairs, ties=ties, reference=reference)
    sure = uncertainty(scale, comparisons)
    half = sure.errors(scale.contrasts_to_zero()).half_widths(confidence)
    estimated = differences(scale, sure, confidence=confidence)
    first, last = rank_intervals(scale.names, estimated)
    separated = tuple(separated_groups(pairs))
    enough = len(separated) == 1 and pairs.judgments >= fewest_answers(len(scale.names))
    return Ranking(
        names=scale.names,
        values=scale.values,
        low=scale.values - half,
        high=scale.values + half,
        tie=scale.tie,
        reference=reference,
        first_rank=first,
        last_rank=last,
        best=best_probabilities(scale, sure, seed=seed),
        differences=tuple(estimated),
        preference=tuple(standardised_preferences(scale, sure, confidence=confidence)),
        wins=win_rates(pairs),
        met=meetings(pairs),
        fit=check_fit(scale, comparisons),
        triads=circular_triads(scale, comparisons),
        separated=separated,
        spreads=tuple(spreads(sure, confidence=confidence) if enough else unknown_spreads(sure)),
        judgments=pairs.judgments,
        tied=round(float(pairs.counts[:, 2].sum())),
        annotators=comparisons.annotators,
        sources=comparisons.sources,
        most_by_one=_largest_share(comparisons, comparisons.annotator),
        most_about_one=_largest_share(comparisons, comparisons.source),
        scale=scale,
        uncertainty=sure,
    )


def _largest_share(comparisons: Comparisons, label: Ints | None) -> float:
    """The share of the answers in the rows that are most often labelled alike."""
    if label is None:
        return 0.0
    # A product: a sum over a last axis of three takes several times as long.
    by_label = np.bincount(label, comparisons.counts @ np.ones(3))
    return float(by_label.max() / by_label.sum())
