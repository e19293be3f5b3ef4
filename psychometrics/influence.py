"""What a ranking hangs on: how it would change without a person, a photograph, or everybody whom a rule excludes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from psychometrics.comparisons import Comparisons, Floats, Ints, pair_numbers, pairs_of
from psychometrics.scaling import UNIT, Scale, fit_counts, halved

_AT_ONCE = 64


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

    `label` (m,): the number of each row's group in `names`. A group without which the rest makes no single scale is
    held together by the weak prior, and so has a large influence.
    """
    size = len(comparisons.names)
    low, high = pairs_of(size)
    by_group = _counts_by(comparisons, label, len(names))
    if scale.tie is None:
        by_group = halved(by_group)
    without = _strengths(scale.counts - by_group, size, scale.tie is not None)
    before = scale.logits / UNIT
    moved = (without[:, low] - without[:, high]) - (before[low] - before[high])
    order = np.argsort(-before, kind="stable")
    found = []
    for n, name in enumerate(names):
        most = int(np.abs(moved[n]).argmax())
        found.append(
            Influence(
                name,
                round(float(by_group[n].sum())),
                scale.names[low[most]],
                scale.names[high[most]],
                float(moved[n, most]),
                bool((np.diff(without[n][order]) > 0).any()),
            )
        )
    return sorted(found, key=lambda one: -abs(one.change))


def _counts_by(comparisons: Comparisons, label: Ints, groups: int) -> Floats:
    """(groups, pairs, 3)."""
    pair, counts = pair_numbers(comparisons)
    pairs = pairs_of(len(comparisons.names))[0].size
    place = label * pairs + pair
    columns = [np.bincount(place, counts[:, n], groups * pairs) for n in range(3)]
    return np.stack(columns, axis=-1).reshape(groups, pairs, 3).astype(np.float64)


def _strengths(counts: Floats, size: int, with_ties: bool) -> Floats:
    batches = [
        fit_counts(counts[start : start + _AT_ONCE], size, with_ties)[0]
        for start in range(0, len(counts), _AT_ONCE)
    ]
    return np.concatenate(batches) / UNIT if batches else np.zeros((0, size))
