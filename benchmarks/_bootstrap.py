"""A two-way bootstrap, to check the intervals of `uncertainty` by another method.

The pigeonhole bootstrap (draws of annotators times draws of sources, Owen 2007) adds up the noise of single answers
three times and is 50 % too wide. This one is parametric: people and photographs are redrawn from
their estimated spreads around the estimated scale, answer the same questions, and the scale is fitted again.
"""

from __future__ import annotations

import numpy as np

from psychometrics.comparisons import Comparisons, Floats, pair_indices, pair_numbers, sums_by
from psychometrics.scaling import UNIT, Scale, fit_counts
from psychometrics.simulation import Truth, own_strengths
from psychometrics.spread import spreads, steepness
from psychometrics.uncertainty import Uncertainty

REPLICATES = 500


def bootstrap_errors(
    scale: Scale, sure: Uncertainty, comparisons: Comparisons, *, replicates: int = REPLICATES, seed: int = 0
) -> Floats:
    """Standard errors of all differences, (pairs,), in JND, in the order of `pair_indices`.

    A spread that does not exceed that of single answers is taken as 0. Raises ValueError if annotators or sources were
    not recorded.
    """
    if comparisons.annotator is None or comparisons.source is None:
        raise ValueError("the bootstrap resamples annotators and sources: both must be recorded")
    spread = {one.way: one.sd or 0.0 for one in spreads(sure)}
    steeper = np.sqrt(steepness(sure))
    strengths = scale.logits / UNIT * steeper
    truth = Truth(strengths, spread.get("annotators", 0.0), spread.get("sources", 0.0), scale.tie)
    draw = np.random.default_rng(seed)
    counts = np.stack([_answered(truth, comparisons, draw) for _ in range(replicates)])
    low, high = pair_indices(len(scale.names))
    fitted = fit_counts(counts, len(scale.names), scale.tie is not None)[0] / UNIT
    return np.asarray((fitted[:, low] - fitted[:, high]).std(axis=0, ddof=1))


def _answered(truth: Truth, comparisons: Comparisons, draw: np.random.Generator) -> Floats:
    """Counts (pairs, 3) of one simulated study with the same design, numbers of people and sources."""
    assert comparisons.annotator is not None and comparisons.source is not None
    size = len(truth.strengths)
    low, high = pair_indices(size)
    pair, counts = pair_numbers(comparisons)
    first, second = low[pair], high[pair]
    people, sources = own_strengths(
        truth, int(comparisons.annotator.max()) + 1, int(comparisons.source.max()) + 1, draw
    )
    annotator, source = comparisons.annotator, comparisons.source
    own = truth.strengths + people[annotator] + sources[source]
    each = np.arange(pair.size)
    difference = UNIT * (own[each, first] - own[each, second])
    odds = [np.exp(difference / 2), np.exp(-difference / 2)]
    odds.append(np.full(pair.size, 0.0 if truth.tie is None else np.exp(truth.tie)))
    p = np.stack(odds, axis=1)
    answers = draw.multinomial(counts.sum(axis=1).round().astype(np.int64), p / p.sum(axis=1, keepdims=True))
    return sums_by(pair, answers.astype(np.float64), low.size)
