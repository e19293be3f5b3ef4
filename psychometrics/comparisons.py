"""Paired comparisons: which condition was preferred, by which annotator, on which source.

Every figure of this package is made from one shape: rows of counts, one row for each pair of conditions that an
annotator judged on a source. A million judgments are aggregated once; what is fitted afterwards are sums over rows.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FIRST, SECOND, TIE = 0, 1, 2
# Names and groups in a sentence.
MOST_NAMED = 6


class ScaleError(ValueError):
    """These comparisons make no single scale; the message says what is missing and what to add."""


@dataclass(frozen=True, slots=True)
class Comparisons:
    """m rows of counts. `first`, `second` (m,) index `names`; `counts` (m, 3): first won, second won, ties.

    `annotator` and `source` (m,) number who judged and what was shown, from 0; None where that was not recorded.
    Raises ValueError for columns that do not fit together.
    """

    names: tuple[Hashable, ...]
    first: Ints
    second: Ints
    counts: Floats
    annotator: Ints | None = None
    source: Ints | None = None

    def __post_init__(self) -> None:
        for column in (self.first, self.second, self.annotator, self.source):
            _check_column(column, len(self.counts))
        if self.counts.ndim != 2 or self.counts.shape[1] != 3 or self.counts.min(initial=0.0) < 0:
            raise ValueError("the counts of comparisons must have shape (m, 3) and not be negative")
        if self.first.size and max(self.first.max(), self.second.max()) >= len(self.names):
            raise ValueError("a comparison refers to an entry that is not in names")
        if (self.first == self.second).any():
            raise ValueError("a comparison is between two different names")

    @classmethod
    def of_choices(
        cls,
        names: Sequence[Hashable],
        first: ArrayLike,
        second: ArrayLike,
        outcome: ArrayLike,
        annotator: ArrayLike | None = None,
        source: ArrayLike | None = None,
    ) -> Self:
        """One row for each judgment: `outcome` (m,) is 0 where `first` won, 1 where `second` won, 2 for a tie."""
        one, other, chosen = (np.asarray(column, dtype=np.int64) for column in (first, second, outcome))
        if chosen.size and not 0 <= chosen.min() <= chosen.max() <= TIE:
            raise ValueError("the outcome of a comparison is 0, 1 or 2")
        counts = np.take(np.eye(3), chosen, axis=0)
        labels = (None if each is None else np.asarray(each, dtype=np.int64) for each in (annotator, source))
        return cls(tuple(names), one, other, counts, *labels)

    @property
    def judgments(self) -> int:
        """How many answers there are."""
        return round(float(self.counts.sum()))

    @property
    def annotators(self) -> int | None:
        """How many people judged; None where that was not recorded."""
        return None if self.annotator is None else distinct(self.annotator)

    @property
    def sources(self) -> int | None:
        """How many photographs were judged; None where that was not recorded."""
        return None if self.source is None else distinct(self.source)

    def where(self, chosen: NDArray[np.bool_]) -> Comparisons:
        """The rows for which `chosen` (m,) holds; names stay."""
        return self if chosen.all() else self.rows(np.flatnonzero(chosen))

    def rows(self, chosen: NDArray[np.intp]) -> Comparisons:
        """The rows of these numbers; names stay."""
        labels = (None if each is None else each[chosen] for each in (self.annotator, self.source))
        return Comparisons(self.names, self.first[chosen], self.second[chosen], self.counts[chosen], *labels)

    def renamed(self, names: Sequence[Hashable], number: Ints) -> Comparisons:
        """The same rows with name n called `names[number[n]]`; rows between equal names are dropped."""
        first, second = number[self.first], number[self.second]
        kept = first != second
        if kept.all():
            return replace(self, names=tuple(names), first=first, second=second)
        labels = (None if each is None else each[kept] for each in (self.annotator, self.source))
        return Comparisons(tuple(names), first[kept], second[kept], self.counts[kept], *labels)

    def only_seen(self) -> Comparisons:
        """The same rows; names that were never compared are dropped."""
        size = len(self.names)
        seen = np.flatnonzero(
            np.bincount(self.first, minlength=size) + np.bincount(self.second, minlength=size)
        )
        if seen.size == size:
            return self
        number = np.full(size, -1, dtype=np.int64)
        number[seen] = np.arange(seen.size)
        labels = (self.annotator, self.source)
        names = tuple(self.names[n] for n in seen)
        return Comparisons(names, number[self.first], number[self.second], self.counts, *labels)


def _check_column(column: Ints | None, rows: int) -> None:
    if column is None:
        return
    if column.ndim != 1 or column.size != rows:
        raise ValueError("the columns of comparisons differ in length")
    if column.size and column.min() < 0:
        raise ValueError("comparisons are numbered from 0")


# Labels up to so many times their number are numbered by counting, in one pass; others by sorting.
_COUNTABLE = 4


def renumbered(label: Ints) -> tuple[Ints, int]:
    """The labels (m,), whole numbers, as numbers from 0 without gaps in the same order, and how many there are.

    Labels that rise already, as those of rows by annotator do, take neither counting nor sorting.
    """
    if not label.size:
        return label, 0
    steps = np.diff(label)
    if steps.min(initial=0) >= 0:
        number = np.zeros(label.size, dtype=np.int64)
        np.cumsum(steps > 0, out=number[1:])
        return number, int(number[-1]) + 1
    if label.min() < 0 or int(label.max()) > _COUNTABLE * label.size:
        seen, number = np.unique(label, return_inverse=True)
        return number.astype(np.int64), seen.size
    known = np.bincount(label) > 0
    return (np.cumsum(known) - 1)[label], int(known.sum())


def distinct(label: Ints) -> int:
    """How many different labels (m,), whole numbers from 0, there are: `renumbered`, without the numbers."""
    if label.size and int(label.max()) > _COUNTABLE * label.size:
        return int(np.unique(label).size)
    return int(np.count_nonzero(np.bincount(label)))


def pair_indices(size: int) -> tuple[Ints, Ints]:
    """All unordered pairs of `size` names as (low, high), in the order of `numpy.triu_indices(size, 1)`."""
    low, high = np.triu_indices(size, 1)
    return low.astype(np.int64), high.astype(np.int64)


def pair_numbers(comparisons: Comparisons) -> tuple[Ints, Floats]:
    """Each row's pair (m,), numbered as in `pair_indices`, and its counts (m, 3) seen from the lower index."""
    size = len(comparisons.names)
    turned = comparisons.first > comparisons.second
    low, high, counts = comparisons.first, comparisons.second, comparisons.counts
    if turned.any():
        low, high = np.minimum(low, high), np.maximum(low, high)
        counts = counts.copy()
        counts[turned, :2] = counts[turned, 1::-1]
    # Where a row of the upper triangle begins, less the diagonal before it.
    before = np.arange(size, dtype=np.int64)
    before = before * size - before * (before + 1) // 2 - before - 1
    return before[low] + high, counts


def sums_by(labels: Ints, values: Floats, size: int) -> Floats:
    """Sum the rows of `values` (m, c) with the same label: (size, c)."""
    columns = [np.bincount(labels, values[:, n], minlength=size) for n in range(values.shape[1])]
    return np.stack(columns, axis=1)


def tally(comparisons: Comparisons) -> Floats:
    """Count per unordered pair: (k(k-1)/2, 3) of wins of the lower index, of the higher, and ties."""
    number, counts = pair_numbers(comparisons)
    return sums_by(number, counts, pair_indices(len(comparisons.names))[0].size)


def aggregated(comparisons: Comparisons) -> Comparisons:
    """The same counts with one row for each pair, annotator and source, lower index first."""
    number, counts = pair_numbers(comparisons)
    labels = [each for each in (comparisons.annotator, comparisons.source) if each is not None]
    key = number
    for label in labels:
        key = key * (int(label.max(initial=0)) + 1) + label
    _, at, where = np.unique(key, return_index=True, return_inverse=True)
    low, high = pair_indices(len(comparisons.names))
    kept = (None if each is None else each[at] for each in (comparisons.annotator, comparisons.source))
    return Comparisons(
        comparisons.names, low[number[at]], high[number[at]], sums_by(where, counts, at.size), *kept
    )


def by_pair(comparisons: Comparisons) -> Comparisons:
    """The same counts with one row for each pair that was compared, whoever judged it, whatever was shown."""
    low, high = pair_indices(len(comparisons.names))
    counts = tally(comparisons)
    met = counts.any(axis=1)
    return Comparisons(comparisons.names, low[met], high[met], counts[met])


def win_rates(comparisons: Comparisons) -> Floats:
    """Return (k, k): how often row was preferred to column, a tie half; NaN where they never met."""
    size = len(comparisons.names)
    low, high = pair_indices(size)
    counts = tally(comparisons)
    met = counts.sum(axis=1)
    share = np.divide(counts[:, 0] + counts[:, 2] / 2, met, out=np.full(met.shape, np.nan), where=met > 0)
    rates = np.full((size, size), np.nan)
    rates[low, high], rates[high, low] = share, 1 - share
    return rates


def meetings(comparisons: Comparisons) -> Ints:
    """Return (k, k): how often row and column were compared."""
    size = len(comparisons.names)
    low, high = pair_indices(size)
    met = np.zeros((size, size), dtype=np.int64)
    met[low, high] = met[high, low] = tally(comparisons).sum(axis=1).round().astype(np.int64)
    return met


def connected_groups(comparisons: Comparisons) -> list[tuple[Hashable, ...]]:
    """Return the names in groups that comparisons join; one group means that one scale holds all."""
    size = len(comparisons.names)
    judged = comparisons.counts.sum(axis=1) > 0
    ends = (comparisons.first[judged], comparisons.second[judged])
    links = csr_array((np.ones(ends[0].size), ends), (size, size))
    number, labels = connected_components(links, directed=False)
    return [
        tuple(name for name, label in zip(comparisons.names, labels, strict=True) if label == group)
        for group in range(number)
    ]


def listed(names: Sequence[Hashable]) -> str:
    """Names in a sentence: the first of them, and how many more there are."""
    rest = len(names) - MOST_NAMED
    return ", ".join(map(str, names[:MOST_NAMED])) + (f" and {rest} more" if rest > 0 else "")


def check_connected(comparisons: Comparisons) -> None:
    """Raise ScaleError, with what to add, unless comparisons join all names."""
    if len(comparisons.names) < 2 or not comparisons.counts.sum():
        raise ScaleError("a ranking needs at least two names and one comparison")
    groups = connected_groups(comparisons)
    if len(groups) > 1:
        shown = " | ".join(map(listed, groups[:MOST_NAMED]))
        shown += f" | and {len(groups) - MOST_NAMED} more" if len(groups) > MOST_NAMED else ""
        raise ScaleError(
            f"no comparison connects these groups, so they have no common scale: {shown}. "
            f"Compare pairs such as {groups[0][0]} and {groups[1][0]}."
        )


def number_labels(labels: Sequence[Hashable]) -> tuple[tuple[Hashable, ...], Ints]:
    """Return the distinct labels in order of first sight, and the number of each: a column for Comparisons."""
    numbers: dict[Hashable, int] = {}
    column = [numbers.setdefault(label, len(numbers)) for label in labels]
    return tuple(numbers), np.array(column, dtype=np.int64)
