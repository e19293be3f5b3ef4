"""Influence on a ranking: how it would change without a person, a photograph, or all excluded annotators."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from psychometrics.comparisons import Comparisons, Floats, Ints, pair_indices, pair_numbers
from psychometrics.scaling import UNIT, Scale, chances, fit_counts, halved

_AT_ONCE = 64
# Of so many groups the influence is computed in full; one step of Newton's method says which.
_MOST = 256


@dataclass(frozen=True, slots=True)
class Influence:
    """What leaving out `label` changes: the difference `first` - `second`, most of all, by `change` JND.

    `order`: whether the order of names changes; `judgments`: how many answers that leaves out.
    """

    label: Hashable
    judgments: int
    first: Hashable
    second: Hashable
    change: float
    order: bool


def influences(
    scale: Scale, comparisons: Comparisons, label: Ints, names: Sequence[Hashable]
) -> list[Influence]:
    """The influence of each group of rows on `scale`, which was fitted to them, the largest change first.

    `label` (m,): the number of each row's group in `names`. Of more than _MOST groups only those are given that move
    the scale most. A group without which the rest makes no single scale is held together by the weak prior, and so has
    a large influence.
    """
    by_group = _counts_by(comparisons, label, len(names))
    if scale.tie is None:
        by_group = halved(by_group)
    groups = _most_moved(scale, by_group)
    low, high = pair_indices(len(scale.names))
    without = _strengths(scale.counts - by_group[groups], len(scale.names), scale.tie is not None)
    before = scale.logits / UNIT
    moved = (without[:, low] - without[:, high]) - (before[low] - before[high])
    order = np.argsort(-before, kind="stable")
    ranked = []
    for n, group in enumerate(groups):
        most = int(np.abs(moved[n]).argmax())
        ranked.append(
            Influence(
                names[group],
                round(float(by_group[group].sum())),
                scale.names[low[most]],
                scale.names[high[most]],
                float(moved[n, most]),
                bool((np.diff(without[n][order]) > 0).any()),
            )
        )
    return sorted(ranked, key=lambda one: -abs(one.change))


def _most_moved(scale: Scale, by_group: Floats) -> Ints:
    """The groups (g,), in their order, whose counts (groups, pairs, 3) move the scale most when they are excluded, by
    the first step of Newton's method: the score of their counts between inverse Hessians.
    """
    if len(by_group) <= _MOST:
        return np.arange(len(by_group))
    size = len(scale.names)
    low, high = pair_indices(size)
    p = chances(scale.logits, scale.tie, size)
    # Faster than a sum over a last axis of three.
    answers = by_group[..., 0] + by_group[..., 1] + by_group[..., 2]
    lead = by_group[..., 0] - by_group[..., 1] - answers * (p[:, 0] - p[:, 1])
    scores = lead / 2 @ (np.eye(size)[low] - np.eye(size)[high])
    if scale.tie is not None:
        scores = np.column_stack([scores, by_group[..., 2].sum(axis=1) - answers @ p[:, 2]])
    steps = np.linalg.solve(scale.precision, scores.T)[:size]
    reach = steps.max(axis=0) - steps.min(axis=0)
    return np.sort(np.argsort(-reach, kind="stable")[:_MOST]).astype(np.int64)


def _counts_by(comparisons: Comparisons, label: Ints, groups: int) -> Floats:
    """(groups, pairs, 3)."""
    pair, counts = pair_numbers(comparisons)
    pairs = pair_indices(len(comparisons.names))[0].size
    place = label * pairs + pair
    by_group = np.empty((groups, pairs, 3))
    for n in range(3):
        by_group[..., n] = np.bincount(place, counts[:, n], groups * pairs).reshape(groups, pairs)
    return by_group


def _strengths(counts: Floats, size: int, with_ties: bool) -> Floats:
    batches = [
        fit_counts(counts[start : start + _AT_ONCE], size, with_ties)[0]
        for start in range(0, len(counts), _AT_ONCE)
    ]
    return np.concatenate(batches) / UNIT if batches else np.zeros((0, size))
