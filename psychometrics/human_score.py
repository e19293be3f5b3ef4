"""How well two people agree, and the best that any metric could do, with nothing but counts of votes.

A vote is worth y = 1 for p1, 0 for p0, ½ for a tie; two votes agree by y·y' + (1 − y)(1 − y').
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln

Floats = NDArray[np.float64]


def pair_agreement(n_p0: ArrayLike, n_p1: ArrayLike, n_tie: ArrayLike) -> Floats:
    """Chance, per triplet, that two different votes drawn from it agree; NaN where there are fewer than two.

    Its expectation is p² + (1 − p)² for any number of votes: that is what "unbiased" means here, whereas the
    plug-in (k/n)² + (1 − k/n)² is too high for few votes.
    """
    p0, p1, tie = (np.asarray(x, dtype=np.float64) for x in (n_p0, n_p1, n_tie))
    n = p0 + p1 + tie
    ones, zeros = p1 + tie / 2, p0 + tie / 2
    agreeing = ones**2 - (p1 + tie / 4) + zeros**2 - (p0 + tie / 4)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(n >= 2, agreeing / (n * (n - 1)), np.nan))


def human_score(k: ArrayLike, n: ArrayLike) -> float:
    """Chance that two people agree, from `k` of `n` votes for p1 per triplet; triplets with one vote say nothing.

    Triplets count by their number of votes. NaN when none has two.
    """
    k, n = np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64)
    each = pair_agreement(n - k, k, np.zeros_like(n))
    known = ~np.isnan(each)
    return float(np.average(each[known], weights=n[known])) if known.any() else float("nan")


def ceiling(human: ArrayLike) -> Floats:
    """E[max(p, 1 − p)], the score of a metric that knew every p, where p is spread as a symmetric Beta(α, α).

    The most votes of few voters cannot tell p, so α comes from the unbiased human score h, which under this
    spread is (α + 1)/(2α + 1); the mean distance of p from ½ is then 2^(1−2α) / (2α·B(α, α)). h ≤ ½ gives ½,
    h = 1 gives 1.
    """
    h = np.clip(np.asarray(human, dtype=np.float64), 0.5, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        alpha = np.clip((1 - h) / (2 * h - 1), 1e-9, 1e9)
        away = np.exp((1 - 2 * alpha) * np.log(2) - np.log(2 * alpha) - betaln(alpha, alpha))
    return np.asarray(np.where(h <= 0.5, 0.5, np.where(h >= 1, 1.0, 0.5 + away)))
