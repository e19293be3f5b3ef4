"""Bjontegaard's delta rate: how much more, or less, a codec spends than another at the same quality.

After G. Bjontegaard, VCEG-M33 (2001), with the piecewise cubic of the JCT-VC common test conditions
(JCTVC-L1100) in the place of one polynomial: log rate over quality, monotone between the measured points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class DeltaRate:
    """`percent` more rate than the anchor, below zero for a saving; `overlap` is the share of both curves'
    quality range that the mean was taken over."""

    percent: float
    overlap: float


def bd_rate(
    anchor_bpp: Sequence[float],
    anchor_quality: Sequence[float],
    bpp: Sequence[float],
    quality: Sequence[float],
) -> DeltaRate | None:
    """Mean difference in rate over the range of quality that both curves cover; higher quality is better.

    A point that costs more and shows less than another of its own curve is left out. None where fewer than
    two points are left or the ranges do not meet. Raises ValueError for rates that are not above zero.
    """
    anchor, other = _frontier(anchor_bpp, anchor_quality), _frontier(bpp, quality)
    if min(len(anchor), len(other)) < 2:
        return None
    low = max(anchor[0, 0], other[0, 0])
    high = min(anchor[-1, 0], other[-1, 0])
    if high <= low:
        return None
    difference = _mean_over(other, low, high) - _mean_over(anchor, low, high)
    whole = max(anchor[-1, 0], other[-1, 0]) - min(anchor[0, 0], other[0, 0])
    return DeltaRate(float(100 * np.expm1(difference)), float((high - low) / whole))


def _frontier(bpp: Sequence[float], quality: Sequence[float]) -> Floats:
    """Nx2 of (quality, log rate), both rising."""
    if any(rate <= 0 for rate in bpp):
        raise ValueError("A rate is not above 0 bpp, so it has no logarithm.")
    kept: list[tuple[float, float]] = []
    for rate, value in sorted(zip(bpp, quality, strict=True)):
        if not kept or (value > kept[-1][0] and rate > np.exp(kept[-1][1])):
            kept.append((value, float(np.log(rate))))
    return np.array(kept, dtype=np.float64).reshape(-1, 2)


def _mean_over(curve: Floats, low: float, high: float) -> float:
    """Mean log rate over the quality from low to high, by the exact integral of the interpolant."""
    x, y = curve.T
    slopes = monotone_slopes(x, y)
    total = 0.0
    for n in range(len(x) - 1):
        start, end = max(low, x[n]), min(high, x[n + 1])
        if end > start:
            # Two-point Gauss is exact for a cubic.
            middle, reach = (start + end) / 2, (end - start) / 2 / np.sqrt(3)
            total += (end - start) * sum(_cubic(x, y, slopes, n, middle + s * reach) for s in (-1, 1)) / 2
    return total / (high - low)


def _cubic(x: Floats, y: Floats, slopes: Floats, n: int, at: float) -> float:
    """Hermite's cubic of the n-th interval."""
    width = x[n + 1] - x[n]
    t = (at - x[n]) / width
    here = (1 + 2 * t) * (1 - t) ** 2 * y[n] + t * (1 - t) ** 2 * width * slopes[n]
    there = t**2 * (3 - 2 * t) * y[n + 1] + t**2 * (t - 1) * width * slopes[n + 1]
    return float(here + there)


def monotone_slopes(x: Floats, y: Floats) -> Floats:
    """Slopes at the points of a cubic that is monotone where they are: Fritsch and Butland, SIAM J. Sci. Stat.
    Comput. 5 (1984), with the ends of Moler's PCHIP (three points, kept from overshooting)."""
    widths, rises = np.diff(x), np.diff(y) / np.diff(x)
    if len(x) == 2:
        return np.repeat(rises, 2)
    slopes = np.zeros(len(x))
    for n in range(1, len(x) - 1):
        before, after = rises[n - 1], rises[n]
        if before * after > 0:
            first, second = 2 * widths[n] + widths[n - 1], widths[n] + 2 * widths[n - 1]
            slopes[n] = (first + second) / (first / before + second / after)
    slopes[0] = _end_slope(widths[0], widths[1], rises[0], rises[1])
    slopes[-1] = _end_slope(widths[-1], widths[-2], rises[-1], rises[-2])
    return slopes


def _end_slope(width: float, next_width: float, rise: float, next_rise: float) -> float:
    slope = ((2 * width + next_width) * rise - width * next_rise) / (width + next_width)
    if slope * rise <= 0:
        return 0.0
    if rise * next_rise <= 0 and abs(slope) > 3 * abs(rise):
        return 3 * rise
    return slope
