"""A simulated study whose pairs are chosen by the answers so far."""

from __future__ import annotations

import numpy as np

from psychometrics.comparisons import Comparisons, Floats, Ints, pair_indices, tally
from psychometrics.scaling import fit_counts
from psychometrics.simulation import Design, Truth, answer, own_strengths
from tests.kit.comparisons import together


def actively_sampled(
    truth: Truth,
    *,
    sources: int,
    annotators: int,
    judgments: int,
    draw: np.random.Generator,
    batches: int = 8,
    held_out: float = 0.2,
) -> Comparisons:
    """Answers collected in batches, each about the pairs that the answers so far leave least certain.

    A share `held_out` of each batch, and all of the first, is about random pairs.
    """
    size = len(truth.strengths)
    low, _ = pair_indices(size)
    own = own_strengths(truth, annotators, sources, draw)
    each = judgments // batches
    counts = np.zeros((low.size, 3))
    answered: list[Comparisons] = []
    for batch in range(batches):
        pair = draw.integers(low.size, size=each)
        if batch:
            chosen = draw.random(each) >= held_out
            pair[chosen] = draw.choice(_least_certain(counts, size, truth.tie), chosen.sum())
        design = Design(pair, draw.integers(annotators, size=each), draw.integers(sources, size=each))
        answered.append(answer(truth, design, draw, own))
        counts += tally(answered[-1])
    return together(answered)


def _least_certain(counts: Floats, size: int, tie: float | None) -> Ints:
    """The quarter of pairs whose next answer is most informative under the scale so far."""
    logits, _, precision = fit_counts(counts[None], size, tie is not None)
    low, high = pair_indices(size)
    covariance = np.linalg.inv(precision[0])[:size, :size]
    variance = np.diag(covariance)[low] + np.diag(covariance)[high] - 2 * covariance[low, high]
    p = 1 / (1 + np.exp(-(logits[0][low] - logits[0][high])))
    return np.argsort(-variance * p * (1 - p))[: max(3, low.size // 4)].astype(np.int64)
