"""Whether one scale describes the answers: observed and predicted wins, circular triads, names without a scale."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.special import gammaincc

from psychometrics.comparisons import (
    Comparisons,
    Floats,
    pair_indices,
    pair_numbers,
    renumbered,
    sums_by,
    tally,
)
from psychometrics.scaling import Scale, chances

# Wins of so many pairs of names, over all cells of a batch, are held at once: 8 MB.
_WINS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class PairFit:
    """A pair's share of wins for `first`, ties half, as observed in `n` answers and as the scale predicts.

    `z`: their difference in standard errors, with the design effect.
    """

    first: Hashable
    second: Hashable
    observed: float
    predicted: float
    n: int
    z: float


@dataclass(frozen=True, slots=True)
class Fit:
    """How one scale fits. `statistic` is Pearson's chi-square over pairs divided by the design effect of people and
    photographs (Rao and Scott 1984), `p` its chance under the scale, None where no degree of freedom is left.
    `pairs` are all compared pairs, the worst predicted first.
    """

    statistic: float
    df: int
    p: float | None
    design_effect: float
    pairs: tuple[PairFit, ...]


def check_fit(scale: Scale, comparisons: Comparisons) -> Fit:
    """Hold the wins that `scale` predicts against those of `comparisons`, to which it was fitted."""
    size = len(scale.names)
    met = np.flatnonzero(scale.counts.sum(axis=1) > 0)
    counts, p = scale.counts[met], chances(scale.logits, scale.tie, size)[met]
    n = counts.sum(axis=1)
    effect = _design_effect(scale, comparisons, met)
    predicted, observed = p[:, 0] + p[:, 2] / 2, (counts[:, 0] + counts[:, 2] / 2) / n
    variance = (p[:, 0] + p[:, 2] / 4 - predicted**2) / n
    z = (observed - predicted) / np.sqrt(np.maximum(variance * effect, 1e-300))
    df = int(met.size - (size - 1))
    statistic = float((z**2).sum())
    low, high = pair_indices(size)
    pairs = [
        PairFit(
            scale.names[low[met[i]]],
            scale.names[high[met[i]]],
            float(observed[i]),
            float(predicted[i]),
            round(float(n[i])),
            float(z[i]),
        )
        for i in np.argsort(-np.abs(z), kind="stable")
    ]
    chance = float(gammaincc(df / 2, statistic / 2)) if df > 0 else None
    return Fit(statistic, max(df, 0), chance, effect, tuple(pairs))


def _design_effect(scale: Scale, comparisons: Comparisons, met: NDArray[np.intp]) -> float:
    """How many times as much as that of independent answers the residuals of pairs vary, the scale being fitted.

    1, and what clusters of annotators and of sources add to it, each not less than nothing. Residuals are about each
    pair's own share: about the predicted one, answers that contradict the scale alike would widen what they are held
    against, and no misfit would ever be seen.
    """
    size = len(scale.names)
    low, high = (each[met] for each in pair_indices(size))
    number, counts = pair_numbers(comparisons)
    p = chances(scale.logits, scale.tie, size)
    n = counts[:, 0] + counts[:, 1] + counts[:, 2]
    place = np.zeros(len(p), dtype=np.int64)
    place[met] = np.arange(met.size)
    at = place[number]
    p, fitted_to = p[met], scale.counts[met]
    answers = fitted_to.sum(axis=1)
    observed = (fitted_to[:, 0] + fitted_to[:, 2] / 2) / answers
    own = counts[:, 0] + counts[:, 2] / 2 - n * observed[at]
    share = p[:, 0] + p[:, 2] / 2
    variance = answers * (p[:, 0] + p[:, 2] / 4 - share**2)
    incidence = (np.eye(size)[low] - np.eye(size)[high]) * np.sqrt(variance)[:, None]
    fitted = incidence @ np.linalg.pinv(incidence)
    df = max(1, met.size - (size - 1))
    effect = 1.0
    for label in (comparisons.annotator, comparisons.source):
        if label is None:
            continue
        number, groups = renumbered(label)
        if groups > 1:
            sums = np.bincount(number * met.size + at, own, groups * met.size).reshape(groups, -1)
            left = sums / np.sqrt(variance)
            left = left - left @ fitted
            # A pair's own share takes one of its groups.
            effect += max(0.0, float((left**2).sum()) / df * groups / (groups - 1) - 1)
    return effect


@dataclass(frozen=True, slots=True)
class Triads:
    """Threes of names that one annotator compared in all three pairs on one source without a tie: how many, how many
    were circular (a before b, b before c, c before a), and the shares expected by chance and by the scale.
    """

    triads: int
    circular: int
    by_chance: float
    by_scale: float

    @property
    def share(self) -> float | None:
        """Circular ones of all; None where nobody judged a whole triad."""
        return self.circular / self.triads if self.triads else None


def circular_triads(scale: Scale, comparisons: Comparisons) -> Triads:
    """Count circular triads within each annotator's answers about each source (Kendall and Babington Smith 1940).

    Tossing coins makes one in four circular. Where annotators or sources were not recorded no triad is counted.
    """
    size = len(scale.names)
    total = circular = 0
    expected = 0.0
    ahead = chances(scale.logits, None, size)[:, 0]
    likely = np.zeros((size, size))
    low, high = pair_indices(size)
    likely[low, high], likely[high, low] = ahead, 1 - ahead
    for some in _wins_by_cell(comparisons, size):
        met = some + some.transpose(0, 2, 1)
        circular += round(_triangles(some) / 3)
        total += round(_triangles(met) / 6)
        expected += _triangles(met * likely) / 3
    return Triads(total, circular, 0.25, expected / total if total else 0.25)


def _triangles(links: Floats) -> float:
    return float(np.einsum("nij,nji->", links @ links, links, optimize=True))


def _wins_by_cell(comparisons: Comparisons, size: int) -> Iterator[Floats]:
    """Batches (cells, k, k) of cells with three answers or more: 1 where row was preferred to column by more answers of
    the annotator about the source.
    """
    if comparisons.annotator is None or comparisons.source is None or not comparisons.first.size:
        return
    cell, cells = renumbered(comparisons.annotator * (int(comparisons.source.max()) + 1) + comparisons.source)
    kept = np.flatnonzero((np.bincount(cell, minlength=cells) >= 3)[cell])
    cell, cells = renumbered(cell[kept])
    pair, counts = pair_numbers(comparisons.rows(kept))
    low, high = pair_indices(size)
    order = np.argsort(cell, kind="stable")
    at_once = max(1, _WINS_AT_ONCE // size**2)
    ends = np.searchsorted(cell[order], np.arange(0, cells + at_once, at_once))
    for n, start in enumerate(range(0, cells, at_once)):
        rows = order[ends[n] : ends[n + 1]]
        place = (cell[rows] - start) * low.size + pair[rows]
        lead = np.bincount(place, counts[rows, 0] - counts[rows, 1])
        at = np.flatnonzero(lead)
        first = lead[at] > 0
        one, other = low[at % low.size], high[at % low.size]
        wins = np.zeros((min(at_once, cells - start), size, size))
        wins[at // low.size, np.where(first, one, other), np.where(first, other, one)] = 1.0
        yield wins


def separated_groups(comparisons: Comparisons) -> list[tuple[Hashable, ...]]:
    """Groups of names, the best first, such that each lost nothing to a later one, not even a tie.

    More than one group means that likelihood alone knows no end to their distance (Ford 1957): what is reported is held
    by the prior, and their distance cannot be determined.
    """
    size = len(comparisons.names)
    low, high = pair_indices(size)
    counts = tally(comparisons)
    beat = np.zeros((size, size), dtype=bool)
    beat[low, high] = counts[:, 0] + counts[:, 2] > 0
    beat[high, low] = counts[:, 1] + counts[:, 2] > 0
    number, label = connected_components(csr_array(beat), directed=True, connection="strong")
    order = _by_wins(beat, label, number)
    return [tuple(comparisons.names[n] for n in np.flatnonzero(label == group)) for group in order]


def unbeaten(
    names: Sequence[Hashable], counts: Floats, groups: Sequence[Sequence[Hashable]]
) -> tuple[list[Hashable], list[Hashable]]:
    """Of two or more `separated_groups`: the names of those that lost nothing to any other group, and the names
    outside that they were compared with. `counts` (k(k-1)/2, 3) are by pair of `names`, as in a scale.
    """
    number = {name: n for n, group in enumerate(groups) for name in group}
    group = np.array([number[name] for name in names])
    low, high = pair_indices(len(names))
    across = (group[low] != group[high]) & (counts.sum(axis=1) > 0)
    low, high, counts = low[across], high[across], counts[across]
    lost = np.zeros(len(groups), dtype=bool)
    lost[group[high][counts[:, 0] + counts[:, 2] > 0]] = True
    lost[group[low][counts[:, 1] + counts[:, 2] > 0]] = True
    met = np.zeros(len(names), dtype=bool)
    met[high[~lost[group[low]]]] = met[low[~lost[group[high]]]] = True
    top = [name for name, at in zip(names, group, strict=True) if not lost[at]]
    return top, [name for name, seen in zip(names, met, strict=True) if seen]


def _by_wins(beat: NDArray[np.bool_], label: NDArray[np.int32], number: int) -> list[int]:
    """Groups with winners first: a group comes before all that it beat."""
    above = sums_by(label.astype(np.int64), beat.astype(np.float64), number)
    links = sums_by(label.astype(np.int64), above.T, number).T > 0
    np.fill_diagonal(links, False)
    left, order = set(range(number)), []
    while left:
        top = min(group for group in left if not any(links[other, group] for other in left))
        order.append(top)
        left.remove(top)
    return order
