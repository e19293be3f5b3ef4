"""Answers counted by annotator, block, pair and outcome, as far as there are any."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psychometrics.comparisons import Comparisons, Floats, Ints, pair_numbers


@dataclass(frozen=True, slots=True)
class AnnotatorCounts:
    """Counts of shape `shape` = (annotators, blocks, pairs, 3), the lower index of a pair first, without their zeros.

    An annotator judges few of the pairs: of many annotators the zeros would fill hundreds of megabytes. `annotator`,
    `place` (n,): whose, rising, and where in (blocks, pairs, 3) as one number; `count` (n,): how many.
    """

    annotator: Ints
    place: Ints
    count: Floats
    shape: tuple[int, int, int, int]

    @classmethod
    def of(cls, votes: Comparisons, block: Ints, shape: tuple[int, int, int]) -> AnnotatorCounts:
        """Of votes whose rows are in `block` (m,); `shape`: (annotators, blocks, pairs).

        Raises ValueError where annotators were not recorded.
        """
        if votes.annotator is None:
            raise ValueError("measuring how well annotators follow a scale requires recorded annotators")
        number, counts = pair_numbers(votes)
        annotators, blocks, pairs = shape
        row, outcome = np.nonzero(counts)
        places = blocks * pairs * 3
        key = votes.annotator[row] * places + (block[row] * pairs + number[row]) * 3 + outcome
        given, where = np.unique(key, return_inverse=True)
        count = np.bincount(where, counts[row, outcome], given.size).astype(np.float64)
        return cls(given // places, given % places, count, (annotators, blocks, pairs, 3))

    @property
    def places(self) -> int:
        """How many places an annotator has."""
        return self.shape[1] * self.shape[2] * self.shape[3]

    def totals(self) -> Floats:
        """(blocks, pairs, 3): of all annotators."""
        summed = np.bincount(self.place, self.count, self.places).astype(np.float64)
        return summed.reshape(self.shape[1:])

    def of_some(self, start: int, stop: int) -> Floats:
        """(some, blocks, pairs, 3): with their zeros, of annotators from `start` to before `stop`."""
        stop = min(stop, self.shape[0])
        some = slice(*np.searchsorted(self.annotator, (start, stop)))
        at = (self.annotator[some] - start) * self.places + self.place[some]
        table = np.zeros((stop - start) * self.places)
        table[at] = self.count[some]
        return table.reshape(stop - start, *self.shape[1:])
