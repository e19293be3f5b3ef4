"""Means over votes with their intervals: over sources and, where it is known who answered, over annotators."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from metric.core.evaluation.votes import Votes
from metric.core.snapshot.answers import SingleAnswers
from psychometrics.comparisons import Floats, Ints
from psychometrics.estimates import Estimate, p_of_zero, ratio
from psychometrics.likelihood import losses
from psychometrics.metric_comparison import agreeing

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class VoteMeans:
    """Figures of metrics on `votes` (N triplets). Rows (M,) are the single `answers`, or, without them, the triplets.

    With `answers`, intervals are over sources and annotators; without, over sources alone.
    """

    votes: Votes
    answers: SingleAnswers | None = None

    def agreeing(self, distances: Floats) -> Floats:
        """Votes of each row that agree with the smaller of two distances of its triplet, (N, 2) to (M,)."""
        margin = (distances[:, 0] - distances[:, 1])[self._triplet]
        return agreeing(margin, *self._counts)

    def losses(self, log_odds: Floats) -> Floats:
        """Log-loss of each row in nats, (M,), from the log-odds of p1 of each triplet, (N,)."""
        return losses(log_odds[self._triplet], *self._counts)

    def mean(
        self, of_rows: Floats, within: tuple[float, float] = (-np.inf, np.inf), *, on: Mask | None = None
    ) -> Estimate:
        """A sum over rows for each vote, with its interval (`psychometrics.estimates.ratio`); of the triplets `on`."""
        rows = slice(None) if on is None else on[self._triplet]
        clusters = [None if each is None else each[rows] for each in self._clusters]
        return ratio(of_rows[rows], self._counts[1][rows], clusters=clusters, within=within)

    def share(self, distances: Floats, *, on: Mask | None = None) -> Estimate:
        """The share of votes, of the triplets `on`, that agree with a metric."""
        return self.mean(self.agreeing(distances), (0.0, 1.0), on=on)

    def p_of_zero(self, of_rows: Floats) -> float | None:
        """Two-sided p of the mean being zero, by the distribution of its interval; None without one."""
        return p_of_zero(of_rows, self._counts[1], clusters=self._clusters)

    @cached_property
    def _triplet(self) -> Ints:
        return np.arange(len(self.votes.total)) if self.answers is None else self.answers.triplet

    @cached_property
    def _counts(self) -> tuple[Floats, Floats]:
        """Votes for p1 with half of the ties, and all votes, of each row."""
        if self.answers is None:
            return self.votes.p1, self.votes.total
        return self.answers.p1, np.ones(len(self.answers.p1))

    @cached_property
    def _clusters(self) -> list[Ints | None]:
        source = np.unique(self.votes.photograph, return_inverse=True)[1].astype(np.int64)
        return [None if self.answers is None else self.answers.annotator, source[self._triplet]]
