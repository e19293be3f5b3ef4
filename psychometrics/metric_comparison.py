"""Is one metric closer to people than another? Tests on the same votes, over photographs and people.

A metric's margin on a triplet is its distance to p0 less its distance to p1: above 0 it prefers p1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from psychometrics.comparisons import Floats, Ints
from psychometrics.estimates import CONFIDENCE, Estimate

LEVEL = 0.05


def agreeing(margin: Floats, p1: Floats, total: Floats | float = 1.0) -> Floats:
    """Votes that agree with a metric, (m,): `p1` of `total` votes for p1, ties half; half of all at a margin of 0."""
    return np.where(margin > 0, p1, np.where(margin < 0, total - p1, total / 2))


@dataclass(frozen=True, slots=True)
class Test:
    """A two-sided test: its z and p."""

    z: float
    p: float


def meng_rosenthal_rubin(first: float, second: float, between: float, n: int) -> Test:
    """Whether two correlations with the same variable differ: `first` and `second` with it, `between` each other.

    Meng, Rosenthal and Rubin, "Comparing correlated correlation coefficients", 1992. Raises ValueError for what can't
    be correlations of `n` things, n above 3.
    """
    if n <= 3 or not all(-1 < r < 1 for r in (first, second, between)):
        raise ValueError("three correlations between -1 and 1, of more than three things, are required")
    mean_square = (first**2 + second**2) / 2
    f = min(1.0, (1 - between) / (2 * (1 - mean_square)))
    h = (1 - f * mean_square) / (1 - mean_square)
    z = (np.arctanh(first) - np.arctanh(second)) * np.sqrt((n - 3) / (2 * (1 - between) * h))
    return Test(float(z), float(2 * ndtr(-abs(z))))


@dataclass(frozen=True)
class Areas:
    """Krasula's analysis of one metric. `different`: area under the curve of |margin| telling pairs that people tell
    apart from those they don't; `better`: of the margin telling which is better, where they do; `correct`: how often
    its sign is right there. None where there are no such pairs.
    """

    different: Estimate
    better: Estimate
    correct: float | None
    pairs_different: int
    pairs_similar: int


def distinguished(p0: Ints, p1: Ints) -> NDArray[np.bool_]:
    """Which pairs (n,) people tell apart: an exact sign test of votes for p0 and p1 at 5 %, without ties."""
    from scipy.stats import binomtest  # slow to import

    return np.array(
        [bool(a + b and binomtest(int(a), int(a + b)).pvalue < LEVEL) for a, b in zip(p0, p1, strict=True)],
        dtype=bool,
    )


def krasula(margin: Floats, p0: Ints, p1: Ints) -> Areas:
    """Different / similar and better / worse (Krasula, Fliegel, Le Callet and Klima, "On the accuracy of objective
    image and video quality models", QoMEX 2016). `margin`, votes `p0` and `p1`: (n,). Intervals are DeLong's (1988).
    """
    apart = distinguished(p0, p1)
    if not apart.any():
        nothing = Estimate(None, None, None, 0)
        return Areas(nothing, nothing, None, 0, int(apart.size))
    preferred = np.where(p1 > p0, margin, -margin)[apart]
    # Every pair counts both ways round, so the area is that of signs and sizes together.
    better = area(
        np.concatenate([preferred, -preferred]), np.repeat([True, False], preferred.size), pairs=True
    )
    correct = float(np.mean(np.where(preferred == 0, 0.5, preferred > 0)))
    different = area(np.abs(margin), apart)
    return Areas(different, better, correct, int(apart.sum()), int((~apart).sum()))


def area(score: Floats, positive: NDArray[np.bool_], *, pairs: bool = False) -> Estimate:
    """Area under the ROC curve of `score` (n,) for `positive` (n,), with DeLong's interval on the logit scale.

    `pairs`: the second half of the rows is the first turned round, so that only half of them are independent.
    Unknown where one kind is missing; `n`: rows.
    """
    if positive.all() or not positive.any():
        return Estimate(None, None, None, int(positive.size))
    value, ups, downs = _components(score, positive)
    independent = 2.0 if pairs else 1.0
    variance = independent * (_spread(ups) / ups.size + _spread(downs) / downs.size)
    if not 0 < value < 1 or variance == 0:
        return Estimate(value, None, None, int(positive.size))
    half = float(ndtri((1 + CONFIDENCE) / 2)) * np.sqrt(variance) / (value * (1 - value))
    middle = np.log(value / (1 - value))
    low, high = (float(1 / (1 + np.exp(-(middle + side * half)))) for side in (-1, 1))
    return Estimate(value, low, high, int(positive.size))


def _components(score: Floats, positive: NDArray[np.bool_]) -> tuple[float, Floats, Floats]:
    """The area, and how each positive and each negative row takes part in it."""
    from scipy.stats import rankdata

    high, low = score[positive], score[~positive]
    both = rankdata(np.concatenate([high, low]))
    ups = (both[: high.size] - rankdata(high)) / low.size
    downs = 1 - (both[high.size :] - rankdata(low)) / high.size
    return float(ups.mean()), np.asarray(ups), np.asarray(downs)


def _spread(values: Floats) -> float:
    return float(values.var(ddof=1)) if values.size > 1 else 0.0
