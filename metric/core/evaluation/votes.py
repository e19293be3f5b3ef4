"""Votes, distances to hold against them, and the published score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from metric.core.config import ACROSS_LEVELS
from metric.core.distance.choice import ChoiceCurve
from metric.core.snapshot.answers import SingleAnswers, read_split_answers
from metric.core.snapshot.folder import Snapshot, SnapshotError, SnapshotTriplet
from psychometrics.comparisons import Floats

Kind = Literal["baseline", "people", "promoted", "new"]


@dataclass(frozen=True)
class Votes:
    """Votes on N triplets of one split; every array is (N,). `label`: what a triplet is called, if anything."""

    n_p0: Floats
    n_p1: Floats
    n_tie: Floats
    photograph: NDArray[np.str_]
    kind: NDArray[np.str_]
    target_bpp: NDArray[np.str_]
    label: NDArray[np.str_] | None = None

    @property
    def p1(self) -> Floats:
        """Votes for p1 with half of the ties."""
        return self.n_p1 + self.n_tie / 2

    @property
    def total(self) -> Floats:
        """All votes."""
        return self.n_p0 + self.n_p1 + self.n_tie


@dataclass(frozen=True)
class Candidate:
    """A row to be scored. `test` and `calibration` are distances (N, 2) to p0 and p1; None with a `reason`.

    `curve`: from distances to chances, where its own training gave one; else it is fitted on `calibration`, or, where
    there is none, on the other sources of the votes that are scored.
    """

    key: str
    label: str
    kind: Kind
    test: Floats | None
    calibration: Floats | None = None
    reason: str | None = None
    curve: ChoiceCurve | None = None


def votes_of(triplets: Sequence[SnapshotTriplet]) -> Votes:
    """The votes of a snapshot's triplets, in their order."""
    counts = np.array([(t.n_p0, t.n_p1, t.n_tie) for t in triplets], dtype=np.float64).reshape(-1, 3)
    texts = [(t.photograph, t.kind, t.target_bpp or ACROSS_LEVELS, t.place) for t in triplets]
    return Votes(*counts.T, *np.array(texts, dtype=np.str_).reshape(-1, 4).T)


def single_answers(snapshot: Snapshot, split: str) -> SingleAnswers | None:
    """The answers on a split's triplets one by one; None where the snapshot does not say who answered."""
    try:
        return read_split_answers(snapshot, split)[0]
    except SnapshotError:
        return None
