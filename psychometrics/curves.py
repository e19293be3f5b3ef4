"""Quality over bits on people's scale: monotone curves with bands, and the bits that methods need for equal quality.

Needs conditions of several levels on one scale: comparisons across levels, or the original at each of them. The
Bjontegaard delta (ITU-T VCEG-M33, 2001) compares codecs on a metric's scale; `equal_quality` is the same on that of
people, with an interval.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.optimize import isotonic_regression

from psychometrics.comparisons import Floats
from psychometrics.estimates import CONFIDENCE, Estimate
from psychometrics.ranking import Ranking

DRAWS = 500
POINTS = 129
# A draw in which two curves share no quality says nothing; with more than this share of them there is no interval.
MOST_APART = 0.1
_RISING = 1e-9


class CurveError(ValueError):
    """No such curve; the message says what is missing."""


@dataclass(frozen=True)
class Curve:
    """A method's quality in JND over bits (bits per pixel, say, above 0).

    `bits`, `quality`, `low`, `high` (n,): what was judged. `grid`, `line`, `band_low`, `band_high` (g,): the monotone
    curve through it and its pointwise 95 % band. `lines` (d, g): the curve of each draw of all strengths together.
    """

    method: str
    bits: Floats
    quality: Floats
    low: Floats
    high: Floats
    grid: Floats
    line: Floats
    band_low: Floats
    band_high: Floats
    lines: Floats


def rate_quality_curves(
    ranking: Ranking, bits: Mapping[Hashable, tuple[str, float]], *, draws: int = DRAWS, seed: int = 0
) -> list[Curve]:
    """A curve for each method with two points or more. `bits`: the method and bits of each condition that is a point.

    Methods come in the order of first sight. Raises CurveError where bits are not above 0 or one method has two
    conditions with the same bits.
    """
    drawn = ranking.uncertainty.draws(ranking.values, draws, seed)
    if ranking.reference is not None:
        drawn = drawn - drawn[:, [ranking.names.index(ranking.reference)]]
    points: dict[str, list[tuple[float, int]]] = {}
    for n, name in enumerate(ranking.names):
        if name in bits:
            method, at = bits[name]
            points.setdefault(method, []).append((at, n))
    return [_curve(method, sorted(own), ranking, drawn) for method, own in points.items() if len(own) > 1]


def _curve(method: str, points: Sequence[tuple[float, int]], ranking: Ranking, drawn: Floats) -> Curve:
    bits = np.array([at for at, _ in points])
    if (bits <= 0).any() or not np.isfinite(bits).all():
        raise CurveError(f"bits of {method} must be numbers above 0")
    if (np.diff(bits) <= 0).any():
        raise CurveError(
            f"{method} has two conditions with the same bits: give each condition its own bitrate"
        )
    places = [n for _, n in points]
    grid = np.exp(np.linspace(np.log(bits[0]), np.log(bits[-1]), POINTS))
    lines = monotone(bits, drawn[:, places], grid)
    tails = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    low, high = np.quantile(lines, tails, axis=0)
    return Curve(
        method,
        bits,
        ranking.values[places],
        ranking.low[places],
        ranking.high[places],
        grid,
        monotone(bits, ranking.values[places], grid),
        low,
        high,
        lines,
    )


def monotone(bits: Floats, quality: Floats, at: Floats) -> Floats:
    """Curves through qualities (..., n) at `bits` (n,), evaluated at `at` (g,): never falling, (..., g).

    Isotonic regression where the qualities fall, then a monotone cubic over the logarithm of bits (Fritsch and Carlson
    1980, scipy's PCHIP).
    """
    rows = np.atleast_2d(quality)
    rising = np.stack([isotonic_regression(row).x for row in rows])
    quality_at = PchipInterpolator(np.log(bits), rising, axis=1)(np.log(at))
    return np.asarray(quality_at if quality.ndim > 1 else quality_at[0], dtype=np.float64)


@dataclass(frozen=True)
class EqualQuality:
    """How many more bits `second` needs than `first` for the same quality: `more` is a share, -0.2 is a fifth fewer.

    `low_quality` to `high_quality`, JND: over which it is averaged. `why`: why there is no figure, or no interval.
    """

    first: str
    second: str
    more: Estimate
    low_quality: float | None
    high_quality: float | None
    why: str = ""


def equal_quality(first: Curve, second: Curve) -> EqualQuality:
    """Compare the bits of two methods over the quality that both reach: the mean of the logarithm of their ratio.

    The interval is over draws of all qualities together, each over the range that it makes common.
    """
    shared = _shared(first.line, second.line)
    if shared is None:
        why = (
            f"{first.method} and {second.method} have no quality in common, so their bits at equal "
            f"quality are unknown: add levels where their qualities overlap."
        )
        return EqualQuality(first.method, second.method, Estimate(None, None, None, 0), None, None, why)
    ratio = _log_ratio(first, second, first.line, second.line)
    pairs = zip(first.lines, second.lines, strict=True)
    drawn = np.array([_log_ratio(first, second, one, other) for one, other in pairs])
    log_ratio = _interval(ratio, drawn)
    value, low, high = (
        None if x is None else float(np.expm1(x)) for x in (log_ratio.value, log_ratio.low, log_ratio.high)
    )
    more = Estimate(value, low, high, log_ratio.n)
    why = (
        "" if more.low is not None else "their qualities hardly overlap, so there is no interval: add levels"
    )
    return EqualQuality(first.method, second.method, more, *shared, why)


def _shared(one: Floats, other: Floats) -> tuple[float, float] | None:
    """The range of quality that both lines cross; None where there is none."""
    low, high = max(one[0], other[0]), min(one[-1], other[-1])
    return (float(low), float(high)) if high > low else None


def _log_ratio(first: Curve, second: Curve, one: Floats, other: Floats) -> float:
    """Mean over the shared quality of log(bits of second / bits of first); NaN where they share none."""
    shared = _shared(one, other)
    if shared is None:
        return float("nan")
    at = np.linspace(*shared, POINTS)
    return float(np.mean(_log_bits(second, other, at) - _log_bits(first, one, at)))


def _log_bits(curve: Curve, line: Floats, at: Floats) -> Floats:
    """The logarithm of the bits at which a line over the curve's grid reaches `at`; NaN where it does not."""
    rising = line + _RISING * np.arange(line.size)
    log_bits = np.interp(at, rising, np.log(curve.grid))
    return np.where((at >= rising[0] - 1e-6) & (at <= rising[-1] + 1e-6), log_bits, np.nan)


def _interval(value: float, drawn: Floats) -> Estimate:
    known = drawn[~np.isnan(drawn)]
    if np.isnan(value):
        return Estimate(None, None, None, known.size)
    if known.size < (1 - MOST_APART) * drawn.size:
        return Estimate(value, None, None, known.size)
    low, high = np.quantile(known, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(value, float(low), float(high), known.size)
