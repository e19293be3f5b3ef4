"""Which triplets to ask people about next.

Two things make an answer worth having. Expected information: a triplet's true share p of votes for p1 is
believed to be Beta(α, β), where the metric's own chance m counts like `trust` votes and people's votes as they
are; the mutual information of the next answer with p is H(α/(α+β)) − E[H(p)], with E[H(p)] = −Σ
α/(α+β)·(ψ(α+1) − ψ(α+β+1)) over both sides (the criterion of Houlsby et al., "Bayesian active learning",
arXiv 1112.5745, for this belief). Disagreement: between the metric and the people who answered, the expected
log-likelihood that the metric loses against what is now believed, KL(E[p] ‖ m); between versions of the metric,
the mutual information of answer and version, H(mean m) − mean H(m) (the same paper's, for an ensemble).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, entr, kl_div, xlogy
from scipy.stats import rankdata

Floats = NDArray[np.float64]

# A chance of exactly 0 or 1 would be a belief that no answer could change.
SUREST = 1e-3
# Share of the priority that information has; surprise and versions halve the rest.
INFORMATION_SHARE = 0.5


@dataclass(frozen=True)
class Ranking:
    """All (N,). `information`, `surprise`, `versions` in nats, none below zero. `priority` in [0, 1]. `order`: places
    of the triplets, the best first.
    """

    information: Floats
    surprise: Floats
    versions: Floats
    priority: Floats
    order: NDArray[np.int64]


def rank_triplets(
    chance: ArrayLike,
    n_p0: ArrayLike,
    n_p1: ArrayLike,
    n_tie: ArrayLike,
    *,
    trust: float = 4.0,
) -> Ranking:
    """Rank N triplets by what one more answer would tell.

    `chance`: P(p1) by the metric, (N,), or by M versions of it, (M, N), the one in use last. Counts of votes:
    (N,). `trust`: votes that the metric's word is worth. Deterministic. Raises ValueError for shapes that disagree,
    chances outside of [0, 1], counts below zero.
    """
    versions = np.atleast_2d(np.asarray(chance, dtype=np.float64))
    zeros, ones, ties = (np.asarray(count, dtype=np.float64) for count in (n_p0, n_p1, n_tie))
    _check(versions, (zeros, ones, ties), trust)
    versions = np.clip(versions, SUREST, 1 - SUREST)
    alpha = trust * versions[-1] + ones + ties / 2
    beta = trust * (1 - versions[-1]) + zeros + ties / 2
    information = expected_information(alpha, beta)
    surprise = _divergence(alpha / (alpha + beta), versions[-1])
    apart = np.maximum(_entropy(versions.mean(axis=0)) - _entropy(versions).mean(axis=0), 0.0)
    priority = INFORMATION_SHARE * _ranks(information)
    priority += (1 - INFORMATION_SHARE) / 2 * (_ranks(surprise) + _ranks(apart))
    order = np.argsort(-priority, kind="stable")
    return Ranking(information, surprise, apart, priority, order)


def expected_information(alpha: ArrayLike, beta: ArrayLike) -> Floats:
    """Nats that the next answer is expected to tell about p, believed to be Beta(alpha, beta); same shapes."""
    a, b = np.asarray(alpha, dtype=np.float64), np.asarray(beta, dtype=np.float64)
    n = a + b
    expected = -(a * (digamma(a + 1) - digamma(n + 1)) + b * (digamma(b + 1) - digamma(n + 1))) / n
    return np.asarray(np.maximum(_entropy(a / n) - expected, 0.0))


def surprise_of_votes(chance: ArrayLike, p1: ArrayLike, total: ArrayLike) -> Floats:
    """Nats by which votes (p1 of total, (N,)) were less likely to a metric than to one that knew their share."""
    m = np.clip(np.asarray(chance, dtype=np.float64), SUREST, 1 - SUREST)
    k, n = np.asarray(p1, dtype=np.float64), np.asarray(total, dtype=np.float64)
    share = np.divide(k, n, out=np.full_like(n, 0.5), where=n > 0)
    lost = xlogy(k, share) + xlogy(n - k, 1 - share) - xlogy(k, m) - xlogy(n - k, 1 - m)
    return np.asarray(np.maximum(lost, 0.0))


def _check(versions: Floats, counts: tuple[Floats, ...], trust: float) -> None:
    if versions.ndim != 2 or any(count.shape != versions.shape[1:] for count in counts):
        shapes = [count.shape for count in counts]
        raise ValueError(f"Chances {versions.shape} and votes {shapes} must belong to the same triplets.")
    if not (np.all(versions >= 0) and np.all(versions <= 1)):
        raise ValueError("Chances must lie in [0, 1].")
    if any(np.any(count < 0) for count in counts) or trust <= 0:
        raise ValueError("Votes must not be below zero, and trust must be above zero.")


def _entropy(p: Floats) -> Floats:
    return np.asarray(entr(p) + entr(1 - p))


def _divergence(p: Floats, q: Floats) -> Floats:
    return np.asarray(kl_div(p, q) + kl_div(1 - p, 1 - q))


def _ranks(values: Floats) -> Floats:
    """Places from 0 to 1, the largest at 1; equal values share theirs, and all equal stand at zero."""
    if not len(values) or np.ptp(values) == 0:
        return np.zeros(len(values))
    return np.asarray((rankdata(values) - 1) / max(len(values) - 1, 1))
