"""What a figure with an interval is summed over: single answers with who gave them, or the votes of each triplet."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from metric.core.evaluation.votes import SingleAnswers, Votes
from psychometrics.comparisons import Floats, Ints
from psychometrics.estimates import Estimate, p_of_zero, ratio
from psychometrics.likelihood import losses
from psychometrics.metric_comparison import agreeing


@dataclass(frozen=True)
class Answered:
    """M rows: `p1` of `total` votes on the triplet `triplet` by `annotator`, each (M,); `source` of the triplet.

    `annotator`: None where it is not known who answered; then a row is all votes of a triplet, and intervals are over
    sources alone. With it, they are over sources and annotators.
    """

    triplet: Ints
    p1: Floats
    total: Floats
    source: Ints
    annotator: Ints | None = None

    @classmethod
    def of(cls, votes: Votes, answers: SingleAnswers | None = None) -> Answered:
        """The single answers, or, without them, the votes of each triplet."""
        source = np.unique(votes.photograph, return_inverse=True)[1].astype(np.int64)
        if answers is None:
            return cls(np.arange(len(votes.total)), votes.p1, votes.total, source)
        ones = np.ones(len(answers.p1))
        return cls(answers.triplet, answers.p1, ones, source[answers.triplet], answers.annotator)

    def on(self, chosen: NDArray[np.bool_]) -> Answered:
        """The rows on the triplets `chosen`, (N,)."""
        rows = chosen[self.triplet]
        return replace(
            self,
            **{name: getattr(self, name)[rows] for name in ("triplet", "p1", "total", "source")},
            annotator=None if self.annotator is None else self.annotator[rows],
        )

    def agreeing(self, distances: Floats) -> Floats:
        """Votes of each row that agree with the smaller of two distances of its triplet, (N, 2) to (M,)."""
        margin = (distances[:, 0] - distances[:, 1])[self.triplet]
        return agreeing(margin, self.p1, self.total)

    def losses(self, log_odds: Floats) -> Floats:
        """Log-loss of each row in nats, (M,), from the log-odds of p1 of each triplet, (N,)."""
        return losses(log_odds[self.triplet], self.p1, self.total)

    def mean(self, of_rows: Floats, within: tuple[float, float] = (-np.inf, np.inf)) -> Estimate:
        """A sum over rows for each vote, with its interval (`psychometrics.estimates.ratio`)."""
        return ratio(of_rows, self.total, clusters=self._clusters, within=within)

    def share(self, distances: Floats) -> Estimate:
        """The share of votes that agree with a metric."""
        return self.mean(self.agreeing(distances), (0.0, 1.0))

    def p_of_zero(self, of_rows: Floats) -> float | None:
        """Two-sided p of the mean being zero, by the distribution of its interval; None without one."""
        return p_of_zero(of_rows, self.total, clusters=self._clusters)

    @property
    def _clusters(self) -> list[Ints | None]:
        return [self.annotator, self.source]
