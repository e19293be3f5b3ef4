"""Rank codecs from who was preferred to whom: Bradley-Terry with Davidson's ties and a weak prior.

With strengths s_i and a tie parameter t, one comparison of i and j ends

    i wins ~ exp(s_i)      j wins ~ exp(s_j)      tie ~ exp(t + (s_i + s_j) / 2)

(Bradley and Terry 1952; Davidson 1970). The log-likelihood is concave, the prior s_i ~ N(0, PRIOR_SD^2)
makes it strictly so, and Newton's method takes a few steps; all replicates of a bootstrap are fitted
together.

Scales are reported in units like JOD: one unit is the difference at which three in four prefer the better
one.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNIT = float(np.log(3.0))
PRIOR_SD = 3.0
FEWEST_REPLICATES = 500
_STEPS = 60
_TOLERANCE = 1e-9
_REPLICATES_AT_ONCE = 32


class RankingError(ValueError):
    """These comparisons make no single scale; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Comparisons:
    """m judgments as index arrays (m,): `first` and `second` into `names`, `outcome` 0 first, 1 second, 2
    tie.

    `annotator` and `source` number who judged and what was shown, from 0, for the bootstrap.
    """

    names: tuple[Hashable, ...]
    first: Ints
    second: Ints
    outcome: Ints
    annotator: Ints
    source: Ints

    def __post_init__(self) -> None:
        columns = (self.first, self.second, self.outcome, self.annotator, self.source)
        if any(column.shape != self.first.shape or column.ndim != 1 for column in columns):
            raise ValueError("the columns of comparisons differ in length")
        if any(column.size and column.min() < 0 for column in columns):
            raise ValueError("comparisons are numbered from 0")
        if self.first.size and max(self.first.max(), self.second.max()) >= len(self.names):
            raise ValueError("a comparison names something that is not in names")
        if (self.first == self.second).any() or (self.outcome > 2).any():
            raise ValueError("a comparison is between two different names, with outcome 0, 1 or 2")


@dataclass(frozen=True, slots=True)
class Ranking:
    """A fitted scale. `scale`, `low`, `high` (k,) are in JOD-like units with mean 0, in the order of `names`.

    `tie` is Davidson's t, None when no tie was recorded; `wins` (k, k) from `win_rates`; `replicates` is 0
    and `low`, `high` equal `scale` when no bootstrap was asked for.
    """

    names: tuple[Hashable, ...]
    scale: Floats
    low: Floats
    high: Floats
    tie: float | None
    wins: Floats
    replicates: int


def rank(
    comparisons: Comparisons, *, replicates: int = FEWEST_REPLICATES, confidence: float = 0.95, seed: int = 0
) -> Ranking:
    """Fit the scale and its percentile intervals from a bootstrap over annotators and sources together.

    Each replicate draws annotators and, independently, sources with replacement; a judgment counts as often
    as its annotator times its source was drawn (the "pigeonhole" bootstrap, Owen 2007), which does not
    overstate the certainty as drawing single judgments would. Raises RankingError when the comparisons are
    not connected.
    """
    names = comparisons.names
    _check_connected(comparisons)
    cells = tally(comparisons)[None]
    with_ties = bool(cells[..., 2].any())
    strengths, tie = fit_cells(cells, len(names), with_ties)
    scale = strengths[0] / UNIT
    drawn = np.repeat(scale[None], 2, axis=0)
    if replicates:
        drawn = fit_cells(_resampled(comparisons, replicates, seed), len(names), with_ties)[0] / UNIT
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    return Ranking(
        names, scale, low, high, float(tie[0]) if with_ties else None, win_rates(comparisons), replicates
    )


def tally(comparisons: Comparisons) -> Floats:
    """Count per unordered pair: (k(k-1)/2, 3) of wins of the lower index, of the higher, and ties."""
    pair, outcome = places_of(comparisons)
    counts = np.zeros((_pairs(len(comparisons.names))[0].size, 3))
    np.add.at(counts, (pair, outcome), 1.0)
    return counts


def win_rates(comparisons: Comparisons) -> Floats:
    """Return (k, k): how often row was preferred to column, a tie half; NaN where they never met."""
    size = len(comparisons.names)
    low, high = _pairs(size)
    counts = tally(comparisons)
    met = counts.sum(axis=1)
    share = np.divide(counts[:, 0] + counts[:, 2] / 2, met, out=np.full(met.shape, np.nan), where=met > 0)
    rates = np.full((size, size), np.nan)
    rates[low, high], rates[high, low] = share, 1 - share
    return rates


def connected_groups(comparisons: Comparisons) -> list[tuple[Hashable, ...]]:
    """Return the names in groups that comparisons join; one group means that one scale holds all."""
    size = len(comparisons.names)
    links = csr_array(
        (np.ones(comparisons.first.size), (comparisons.first, comparisons.second)), (size, size)
    )
    number, labels = connected_components(links, directed=False)
    return [
        tuple(name for name, label in zip(comparisons.names, labels, strict=True) if label == group)
        for group in range(number)
    ]


def number_labels(labels: Sequence[Hashable]) -> tuple[tuple[Hashable, ...], Ints]:
    """Return the distinct labels in order of first sight, and the number of each: a column for Comparisons."""
    numbers: dict[Hashable, int] = {}
    column = [numbers.setdefault(label, len(numbers)) for label in labels]
    return tuple(numbers), np.array(column, dtype=np.int64)


def _check_connected(comparisons: Comparisons) -> None:
    if len(comparisons.names) < 2 or comparisons.first.size == 0:
        raise RankingError("a ranking needs at least two names and one comparison")
    groups = connected_groups(comparisons)
    if len(groups) > 1:
        shown = " | ".join(", ".join(map(str, group)) for group in groups)
        raise RankingError(f"no comparison joins these groups, so they have no common scale: {shown}")


def _pairs(size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.triu_indices(size, 1)


def places_of(comparisons: Comparisons) -> tuple[Ints, Ints]:
    """Return each one's pair, numbered as `numpy.triu_indices(size, 1)` does, and its outcome seen from the
    lower index.
    """
    size = len(comparisons.names)
    low = np.minimum(comparisons.first, comparisons.second)
    high = np.maximum(comparisons.first, comparisons.second)
    pair = low * size - low * (low + 1) // 2 + high - low - 1
    decided = comparisons.outcome < 2
    turned = decided & (comparisons.first > comparisons.second)
    return pair, np.where(turned, 1 - comparisons.outcome, comparisons.outcome)


def _resampled(comparisons: Comparisons, replicates: int, seed: int) -> Floats:
    """Return (replicates, pairs, 3) weighted counts of the bootstrap."""
    pair, outcome = places_of(comparisons)
    size = _pairs(len(comparisons.names))[0].size * 3
    place = csr_array((np.ones(pair.size), (np.arange(pair.size), pair * 3 + outcome)), (pair.size, size))
    draw = np.random.default_rng(seed)
    batches = []
    for start in range(0, replicates, _REPLICATES_AT_ONCE):
        number = min(_REPLICATES_AT_ONCE, replicates - start)
        weights = _drawn(draw, comparisons.annotator, number) * _drawn(draw, comparisons.source, number)
        batches.append(np.asarray(weights @ place))
    return np.concatenate(batches).reshape(replicates, -1, 3)


def _drawn(draw: np.random.Generator, label: Ints, number: int) -> Floats:
    """Return (number, m): how often each judgment's label was drawn in each replicate."""
    size = int(label.max()) + 1
    times = [np.bincount(draw.integers(size, size=size), minlength=size) for _ in range(number)]
    return np.stack(times)[:, label].astype(np.float64)


def fit_cells(cells: Floats, size: int, with_ties: bool) -> tuple[Floats, Floats]:
    """Maximise the penalised likelihood of cells (b, pairs, 3) for each of b replicates.

    Strengths (b, k) have mean 0 and are natural logarithms of odds; ties (b,) are Davidson's t, 0 without ties. The
    prior makes a scale of any comparisons: whether they are connected is for the caller to ask.
    """
    outcomes = 3 if with_ties else 2
    features = _features(size, outcomes)
    counts = cells[..., :outcomes]
    x = np.zeros((cells.shape[0], features.shape[2]))
    for _ in range(_STEPS):
        gradient, hessian = _derivatives(x, counts, features)
        step = np.linalg.solve(hessian, gradient[..., None])[..., 0]
        # A full Newton step may overshoot far from the top; a step of at most 1 never does here.
        x += step / np.maximum(1.0, np.abs(step).max(axis=1, keepdims=True))
        if np.abs(step).max() < _TOLERANCE:
            break
    else:
        raise RankingError("the scale did not settle: the comparisons are too few or contradict one another")
    strengths = x[:, :size]
    return strengths - strengths.mean(axis=1, keepdims=True), x[:, size] if with_ties else np.zeros(len(x))


def _features(size: int, outcomes: int) -> Floats:
    """Return (pairs, outcomes, parameters): the logit of each outcome is linear in strengths and tie."""
    low, high = _pairs(size)
    each = np.arange(low.size)
    features = np.zeros((low.size, outcomes, size + (outcomes == 3)))
    features[each, 0, low] = features[each, 1, high] = 1.0
    if outcomes == 3:
        features[each, 2, low] = features[each, 2, high] = 0.5
        features[each, 2, size] = 1.0
    return features


def _derivatives(x: Floats, counts: Floats, features: Floats) -> tuple[Floats, Floats]:
    """Return gradient (b, q) and negative Hessian (b, q, q) of the penalised log-likelihood."""
    precision = 1 / PRIOR_SD**2
    logits = np.einsum("bq,poq->bpo", x, features)
    chance = np.exp(logits - logits.max(axis=2, keepdims=True))
    chance /= chance.sum(axis=2, keepdims=True)
    expected = counts.sum(axis=2, keepdims=True) * chance
    gradient = np.einsum("bpo,poq->bq", counts - expected, features) - precision * x
    mean = np.einsum("bpo,poq->bpq", chance, features)
    flat = features.reshape(-1, features.shape[2])
    second = np.einsum("bf,fq,fr->bqr", expected.reshape(len(x), -1), flat, flat, optimize=True)
    second -= np.einsum("bp,bpq,bpr->bqr", counts.sum(axis=2), mean, mean, optimize=True)
    return gradient, second + precision * np.eye(x.shape[1])
