"""Means over photographs with 95 % bootstrap intervals; all codecs share the draws, so differences are paired."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

RESAMPLES, SEED = 2000, 20020


@dataclass(frozen=True)
class Interval:
    """A mean over `n` photographs and its 95 % bootstrap interval; without an interval for one photograph."""

    value: float
    low: float | None
    high: float | None
    n: int


def bootstrap_draws(photographs: int) -> Floats:
    """RESAMPLES x photographs: how often each photograph is drawn."""
    rng = np.random.default_rng(SEED)
    weights = np.full(photographs, 1 / photographs)
    return rng.multinomial(photographs, weights, size=RESAMPLES).astype(np.float64)


def mean_interval(values: Floats, draws: Floats) -> Interval | None:
    """Mean of what is known (not NaN), with the percentile interval of its bootstrap; None where nothing is."""
    known = ~np.isnan(values)
    n = int(known.sum())
    if n == 0:
        return None
    mean = float(values[known].mean())
    if n == 1:
        return Interval(mean, None, None, 1)
    weights = draws[:, known]
    weights = weights[weights.sum(axis=1) > 0]
    means = weights @ values[known] / weights.sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(mean, float(low), float(high), n)
