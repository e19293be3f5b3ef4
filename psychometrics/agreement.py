"""How far people agree: with one another, with themselves, and with no regard to the side.

Votes on n triplets come as three integer arrays (n,): for p0, for p1, and ties ("can't tell"). A tie counts
as half a vote each way wherever a score needs two sides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Proportion:
    """A share of `trials` with its interval; all three are None when there were no trials."""

    share: float | None
    low: float | None
    high: float | None
    trials: int


def human_score(p0: ArrayLike, p1: ArrayLike, tie: ArrayLike = 0) -> float | None:
    """Return the 2AFC score that one more person would get, judged by the others: in [0, 1], unbiased.

    Without ties this is the mean over triplets of [k(k-1) + (n-k)(n-k-1)] / [n(n-1)], the share of ordered
    pairs of judgments that agree; a pair with a tie in it counts half. Triplets with fewer than two
    judgments say nothing and are left out; None when no triplet is left. (The plug-in p^2 + (1-p)^2 is
    biased upward.)
    """
    votes, n = _kept(p0, p1, tie, fewest=2)
    if n.size == 0:
        return None
    first, second, ties = votes
    agreeing = first * (first - 1) + second * (second - 1)
    undecided = ties * (ties - 1) + 2 * ties * (first + second)
    return float(np.mean((agreeing + undecided / 2) / (n * (n - 1))))


def ceiling(p0: ArrayLike, p1: ArrayLike, tie: ArrayLike = 0) -> float | None:
    """Return the mean of max(p, 1 - p), the score of a metric that always sides with the majority.

    p is the share that prefers p1, ties half. Biased upward with few judgments: a label must say so. Triplets
    without judgments are left out; None when none is left.
    """
    votes, n = _kept(p0, p1, tie, fewest=1)
    if n.size == 0:
        return None
    share = (votes[1] + votes[2] / 2) / n
    return float(np.mean(np.maximum(share, 1 - share)))


def raw_agreement(p0: ArrayLike, p1: ArrayLike, tie: ArrayLike = 0) -> float | None:
    """Return the share of pairs of judgments, pooled over triplets, that say the same (a tie is its own
    answer).

    None when no triplet has two judgments.
    """
    votes, n = _kept(p0, p1, tie, fewest=2)
    pairs = int(np.sum(n * (n - 1)))
    return float(np.sum(votes * (votes - 1)) / pairs) if pairs else None


def krippendorff_alpha(p0: ArrayLike, p1: ArrayLike, tie: ArrayLike = 0) -> float | None:
    """Return Krippendorff's alpha for nominal answers: 1 is perfect, 0 is chance, below 0 is worse.

    Computed from the counts per triplet by the coincidence matrix (Krippendorff, "Computing Krippendorff's
    Alpha-Reliability", 2011, section C); annotators may be missing anywhere. None when fewer than two
    pairable answers are there or all are the same, for then alpha is not defined.
    """
    votes, n = _kept(p0, p1, tie, fewest=2)
    totals = votes.sum(axis=1)
    pairable = int(totals.sum())
    expected = float(pairable**2 - np.sum(totals**2))
    if pairable < 2 or expected == 0:
        return None
    observed = pairable - float(np.sum(votes * (votes - 1) / (n - 1)))
    return 1 - (pairable - 1) * observed / expected


def side_bias(left: int, right: int, *, confidence: float = 0.95) -> Proportion:
    """Return how often the left was chosen among answers that chose a side, with its Wilson interval.

    0.5 inside the interval: no bias is shown.
    """
    return proportion(left, left + right, confidence=confidence)


def self_agreement(first: Sequence[str], again: Sequence[str], *, confidence: float = 0.95) -> Proportion:
    """Return how often annotators gave a repeated pair the same answer; `first[i]` and `again[i]` belong
    together.

    The answers are "p0", "p1" or "tie", so a swap of sides does not matter.
    """
    same = sum(one == other for one, other in zip(first, again, strict=True))
    return proportion(same, len(first), confidence=confidence)


def proportion(successes: int, trials: int, *, confidence: float = 0.95) -> Proportion:
    """Return successes / trials with the Wilson score interval (1927); ValueError for impossible counts."""
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials} is no proportion")
    if trials == 0:
        return Proportion(None, None, None, 0)
    z = float(ndtri((1 + confidence) / 2))
    share = successes / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return Proportion(share, max(0.0, middle - half), min(1.0, middle + half), trials)


def _kept(p0: ArrayLike, p1: ArrayLike, tie: ArrayLike, *, fewest: int) -> tuple[Counts, Counts]:
    """Return votes (3, m) and their sums (m,) of the triplets that have at least `fewest` judgments."""
    arrays = [np.asarray(votes) for votes in (p0, p1, tie)]
    if any(array.dtype.kind not in "iu" and array.size for array in arrays):
        raise ValueError("votes are whole numbers: give integer arrays")
    votes = np.stack([np.atleast_1d(array).astype(np.int64) for array in np.broadcast_arrays(*arrays)])
    if votes.ndim != 2 or (votes < 0).any():
        raise ValueError("votes are three arrays of one length without negative numbers")
    n = votes.sum(axis=0)
    return votes[:, n >= fewest], n[n >= fewest]
