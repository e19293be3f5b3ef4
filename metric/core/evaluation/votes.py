"""Votes, distances to hold against them, and the published score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from metric.core.snapshot.folder import SnapshotTriplet
from psychometrics.comparisons import Floats
from psychometrics.likelihood import log_loss

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

    `slope`: from differences of distances to log-odds, where its own training gave one; else `calibration` fits it.
    """

    key: str
    label: str
    kind: Kind
    test: Floats | None
    calibration: Floats | None = None
    reason: str | None = None
    slope: float | None = None


def votes_of(triplets: Sequence[SnapshotTriplet]) -> Votes:
    """The votes of a snapshot's triplets, in their order."""
    counts = np.array([(t.n_p0, t.n_p1, t.n_tie) for t in triplets], dtype=np.float64).reshape(-1, 3)
    texts = [(t.photograph, t.kind, t.target_bpp, f"{t.split}/{t.index}") for t in triplets]
    return Votes(*counts.T, *np.array(texts, dtype=np.str_).reshape(-1, 4).T)


def agreeing_votes(distances: Floats, votes: Votes) -> Floats:
    """Votes that agree with the smaller of two distances, per triplet: (N, 2) and N votes to (N,)."""
    margin = distances[:, 0] - distances[:, 1]
    p1 = votes.p1
    return np.where(margin > 0, p1, np.where(margin < 0, votes.total - p1, votes.total / 2))


def two_afc_score(distances: Floats, votes: Votes) -> float:
    """Share of votes that agree with the metric; a tie of either side counts one half. NaN without votes."""
    total = float(votes.total.sum())
    return float(agreeing_votes(distances, votes).sum()) / total if total else float("nan")


def fit_slope(distances: Floats, votes: Votes) -> float:
    """The a ≥ 0 for which σ(a·(d0 − d1)) gives these votes the smallest log-loss."""
    return slope_of(distances[:, 0] - distances[:, 1], votes.p1, votes.total)


def slope_of(margin: Floats, p1: Floats, total: Floats) -> float:
    """The a ≥ 0 for which σ(a·margin) gives these votes, all (N,), the smallest log-loss."""
    spread = float(np.sqrt(np.average(margin**2, weights=total)))
    if spread == 0:
        return 0.0
    found = minimize_scalar(
        lambda a: log_loss(a * margin / spread, p1, total), bounds=(0.0, 50.0), method="bounded"
    )
    return float(found.x) / spread
