"""Which differences between the names of a scale are real: all pairs, ranks, and who may be the best."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from psychometrics.comparisons import Floats, Ints, pair_indices
from psychometrics.scaling import Scale
from psychometrics.uncertainty import Uncertainty

LEVEL = 0.05
DRAWS = 4000


@dataclass(frozen=True, slots=True)
class Difference:
    """How far `first` is ahead of `second`, in JND, with its own interval.

    `p` is two-sided; `p_holm` is adjusted for all pairs of the scale.
    """

    first: Hashable
    second: Hashable
    estimate: float
    low: float
    high: float
    p: float
    p_holm: float

    @property
    def distinguishable(self) -> bool:
        """Whether the two differ when all pairs are looked at (Holm, 5 %)."""
        return self.p_holm < LEVEL

    def turned(self) -> Difference:
        """The same difference seen from `second`."""
        return Difference(self.second, self.first, -self.estimate, -self.high, -self.low, self.p, self.p_holm)


def holm(p: ArrayLike) -> Floats:
    """Adjusted p-values (m,) of Holm, "A simple sequentially rejective multiple test procedure" (1979)."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    stepped = values[order] * np.arange(values.size, 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(stepped))
    return adjusted


def differences(scale: Scale, sure: Uncertainty, *, confidence: float = 0.95) -> list[Difference]:
    """All pairs of names, in the order of `comparisons.pair_indices`, the lower index first."""
    size = len(scale.names)
    low, high = pair_indices(size)
    contrasts = np.eye(size)[low] - np.eye(size)[high]
    estimates = scale.values[low] - scale.values[high]
    errors = sure.errors(contrasts)
    half, p = errors.half_widths(confidence), errors.p_values(estimates)
    adjusted = holm(p)
    return [
        Difference(
            scale.names[low[n]],
            scale.names[high[n]],
            float(estimates[n]),
            float(estimates[n] - half[n]),
            float(estimates[n] + half[n]),
            float(p[n]),
            float(adjusted[n]),
        )
        for n in range(low.size)
    ]


def rank_intervals(names: tuple[Hashable, ...], differences: list[Difference]) -> tuple[Ints, Ints]:
    """The best and the worst rank (k,) that each name can have, 1 the best, for all names at once.

    A name ranks behind those that are certainly ahead of it and before those certainly behind, by Holm's test of all
    pairs; so all intervals hold together with 95 % (Mohamad, Goeman and van Zwet, "Simultaneous confidence intervals
    for ranks with application to ranking institutions", 2022).
    """
    number = {name: n for n, name in enumerate(names)}
    ahead = np.zeros(len(names), dtype=np.int64)
    behind = np.zeros(len(names), dtype=np.int64)
    for one in differences:
        if one.distinguishable:
            winner, loser = (one.first, one.second) if one.estimate > 0 else (one.second, one.first)
            behind[number[winner]] += 1
            ahead[number[loser]] += 1
    return 1 + ahead, len(names) - behind


def best_probabilities(scale: Scale, sure: Uncertainty, *, seed: int = 0) -> Floats:
    """The chance (k,) that each name is the best of all, given the answers and no other knowledge.

    Draws of all strengths together from their multivariate t distribution; the chances sum to 1.
    """
    drawn: NDArray[np.intp] = sure.draws(scale.values, DRAWS, seed).argmax(axis=1)
    return np.bincount(drawn, minlength=len(scale.names)) / DRAWS
