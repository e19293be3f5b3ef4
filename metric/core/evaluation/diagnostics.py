"""Where a metric is right, and where it is not: calibration curve, agreement by number of votes, disagreements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metric.core.evaluation.questions import surprise_of_votes
from psychometrics.comparisons import Floats

BINS = 10
DISAGREEMENTS = 9
OF_ONE_PHOTOGRAPH = 2
# Groups of triplets by their number of votes, from the lowest of each.
VOTE_GROUPS = ((1, "1"), (2, "2"), (3, "3-4"), (5, "5-8"), (9, "9+"))


def calibration_curve(chance: Floats, p1: Floats, total: Floats) -> list[dict[str, float | int]]:
    """Ten bins of the favourite's stated chance, those with votes: {"stated", "seen", "n_votes"}, shares of votes.

    `chance`: P(p1), (N,); `p1` of `total` votes. A perfectly calibrated metric has stated = seen.
    """
    favourite = np.maximum(chance, 1 - chance)
    won = np.where(chance >= 0.5, p1, total - p1)
    bins = np.minimum((favourite - 0.5) / 0.5 * BINS, BINS - 1).astype(np.int64)
    n = np.bincount(bins, total, BINS)
    stated, seen = np.bincount(bins, favourite * total, BINS), np.bincount(bins, won, BINS)
    return [
        {"stated": float(stated[b] / n[b]), "seen": float(seen[b] / n[b]), "n_votes": int(n[b])}
        for b in range(BINS)
        if n[b]
    ]


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
    else to say of each triplet; by its "photograph" the list is spread. Only triplets on whose favourite most people
    disagree are listed.
    """
    n_p0, n_p1, n_tie = counts
    p1, total = n_p1 + n_tie / 2, n_p0 + n_p1 + n_tie
    surprise = np.where((chance - 0.5) * (p1 - total / 2) < 0, surprise_of_votes(chance, p1, total), 0.0)
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
