"""Where a metric is right, and where it is not: calibration curve, agreement by number of votes, disagreements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metric.core.evaluation.allocation import surprise_of_votes
from metric.core.evaluation.votes import Votes
from psychometrics.comparisons import Floats

BINS = 10
DISAGREEMENTS = 9
OF_ONE_PHOTOGRAPH = 2
FEWEST_VOTES = 2
# Groups of triplets by their number of votes, from the lowest of each.
VOTE_GROUPS = ((1, "1"), (2, "2"), (3, "3-4"), (5, "5-8"), (9, "9+"))


def calibration_curve(chance: Floats, p1: Floats, total: Floats) -> list[dict[str, float | int]]:
    """Ten bins of the favourite's stated chance, those with votes: {"stated", "seen", "n_votes"}, shares of votes.

    `chance`: P(p1), (N,); `p1` of `total` votes. A perfectly calibrated metric has stated = seen.
    """
    favourite = np.maximum(chance, 1 - chance)
    won = np.where(chance >= 0.5, p1, total - p1)
    bins = _bin_of(favourite)
    n = np.bincount(bins, total, BINS)
    stated, seen = np.bincount(bins, favourite * total, BINS), np.bincount(bins, won, BINS)
    return [
        {"stated": float(stated[b] / n[b]), "seen": float(seen[b] / n[b]), "n_votes": int(n[b])}
        for b in range(BINS)
        if n[b]
    ]


def calibration_error(curve: Sequence[Mapping[str, float]]) -> float:
    """Mean gap between the stated chance of the favourite and how often it won, by votes."""
    gaps = [abs(one["stated"] - one["seen"]) * one["n_votes"] for one in curve]
    return sum(gaps) / sum(one["n_votes"] for one in curve)


def calibration_interval(
    chance: Floats, votes: Votes, seed: int, resamples: int
) -> tuple[float | None, float | None]:
    """95 % of the calibration error, percentiles over draws of whole sources; None for fewer than two.

    Noise alone makes an error above zero, so the interval says how large it may look rather than whether it is zero.
    """
    sources = np.unique(votes.photograph, return_inverse=True)[1]
    count = int(sources.max()) + 1
    if count < 2:
        return None, None
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
    favourite = np.maximum(chance, 1 - chance)
    gap = np.where(chance >= 0.5, votes.p1, votes.total - votes.p1) - favourite * votes.total
    cells = _bin_of(favourite) + BINS * sources
    gaps, totals = (
        draws @ np.bincount(cells, values, BINS * count).reshape(count, BINS) for values in (gap, votes.total)
    )
    errors = np.abs(gaps).sum(axis=1) / totals.sum(axis=1)
    low, high = np.percentile(errors, [2.5, 97.5])
    return float(low), float(high)


def _bin_of(favourite: Floats) -> NDArray[np.int64]:
    return np.minimum((favourite - 0.5) / 0.5 * BINS, BINS - 1).astype(np.int64)


def vote_groups(total: Floats) -> NDArray[np.str_]:
    """The name of each triplet's group by its number of votes, (N,); empty without votes."""
    names = np.full(len(total), "", dtype="<U8")
    for lowest, name in VOTE_GROUPS:
        names[total >= lowest] = name
    return names


def disagreements(
    distances: Floats,
    chance: Floats,
    counts: tuple[Floats, Floats, Floats],
    described: Mapping[str, Sequence[Any] | NDArray[Any]],
    most: int = DISAGREEMENTS,
) -> list[dict[str, Any]]:
    """The triplets on which people contradict the metric most, the most surprising first.

    `distances` (N, 2), `chance` P(p1) (N,), `counts` votes for p0, p1 and neither, each (N,); `described`: what
    else to say of each triplet; by its "photograph" the list is spread. Only triplets on whose favourite most of
    FEWEST_VOTES people or more disagree are listed: one person is no majority.
    """
    n_p0, n_p1, n_tie = counts
    p1, total = n_p1 + n_tie / 2, n_p0 + n_p1 + n_tie
    contradicted = ((chance - 0.5) * (p1 - total / 2) < 0) & (total >= FEWEST_VOTES)
    surprise = np.where(contradicted, surprise_of_votes(chance, p1, total), 0.0)
    order = [int(i) for i in np.argsort(-surprise, kind="stable") if surprise[i] > 0]
    return [
        {
            "index": i,
            **{name: str(values[i]) for name, values in described.items()},
            "n_p0": int(n_p0[i]),
            "n_p1": int(n_p1[i]),
            "n_tie": int(n_tie[i]),
            "distances": [float(distances[i, 0]), float(distances[i, 1])],
            "chance": float(chance[i]),
            "surprise": float(surprise[i]),
        }
        for i in _spread(order, described.get("photograph", range(len(total))), most)
    ]


def _spread(order: list[int], photographs: Sequence[Any] | NDArray[Any], most: int) -> list[int]:
    """The first `most` of `order`, with more than OF_ONE_PHOTOGRAPH of one only where there are too few others."""
    seen: Counter[str] = Counter()
    kept: list[int] = []
    more: list[int] = []
    for i in order:
        name = str(photographs[i])
        (kept if seen[name] < OF_ONE_PHOTOGRAPH else more).append(i)
        seen[name] += 1
    chosen = set((kept + more)[:most])
    return [i for i in order if i in chosen]
