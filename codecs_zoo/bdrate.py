"""Bjontegaard's delta rate: how much more, or less, a codec spends than another at the same quality.

After G. Bjontegaard, VCEG-M33 (2001), with the piecewise cubic of the JCT-VC common test conditions
(JCTVC-L1100) in the place of one polynomial: log rate over quality, monotone between the measured points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

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
        raise ValueError("A bitrate is not above 0 bpp; BD-rate needs its logarithm.")
    kept: list[tuple[float, float]] = []
    for rate, value in sorted(zip(bpp, quality, strict=True)):
        if not kept or (value > kept[-1][0] and rate > np.exp(kept[-1][1])):
            kept.append((value, float(np.log(rate))))
    return np.array(kept, dtype=np.float64).reshape(-1, 2)


def _mean_over(curve: Floats, low: float, high: float) -> float:
    """Mean log rate over the quality from low to high, by the exact integral of the interpolant."""
    x, y = curve.T
    return float(PchipInterpolator(x, y).integrate(low, high) / (high - low))
