"""Answers simulated from assumed strengths and spreads: for planning a study, and for testing its statistics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psychometrics.comparisons import Comparisons, Floats, Ints, pair_indices
from psychometrics.scaling import UNIT, fit_counts

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(41)


@dataclass(frozen=True)
class Truth:
    """The truth of the simulated world: `strengths` (k,) and the standard deviations of people's and sources' own
    strengths in JND; `tie`, Davidson's t, None where nobody ties.
    """

    strengths: Floats
    of_people: float = 0.0
    of_sources: float = 0.0
    tie: float | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of simulated conditions: c1, c2, ..."""
        return tuple(f"c{n + 1}" for n in range(len(self.strengths)))

    def average(self) -> Floats:
        """The strengths (k,), with mean 0 in JND, that a scale averaging over all people and sources tends to.

        A logistic curve averaged over people who differ is flatter than each of theirs, so these are nearer together
        than `strengths`.
        """
        low, high = pair_indices(len(self.strengths))
        spread = UNIT * np.sqrt(2 * (self.of_people**2 + self.of_sources**2))
        difference = UNIT * (self.strengths[low] - self.strengths[high])[:, None] + spread * _NODES
        p = _outcomes(difference, self.tie)
        counts = np.einsum("pno,n->po", p, _WEIGHTS / _WEIGHTS.sum()) * 1e7
        return np.asarray(fit_counts(counts[None], len(self.strengths), self.tie is not None)[0][0] / UNIT)


@dataclass(frozen=True)
class Design:
    """The design: rows (m,) of pairs, numbered as in `pair_indices`, annotators and sources."""

    pair: Ints
    annotator: Ints
    source: Ints


def balanced(size: int, *, sources: int, annotators: int, votes: int, draw: np.random.Generator) -> Design:
    """Every pair of every source gets `votes` answers, each by another person where there are enough; even loads."""
    pairs = size * (size - 1) // 2
    triplets = draw.permutation(sources * pairs)
    # Whole permutations one after the other: nobody comes twice within `annotators` rows.
    rows = triplets.size * votes
    people = np.concatenate([draw.permutation(annotators) for _ in range(-(-rows // annotators))])[:rows]
    shown = np.repeat(triplets, votes)
    return Design(shown % pairs, people.astype(np.int64), shown // pairs)


def answer(
    truth: Truth, design: Design, draw: np.random.Generator, own: tuple[Floats, Floats] | None = None
) -> Comparisons:
    """One answer to each row of `design`. `own`: strengths of people (a, k) and sources (s, k) around those of all, in
    JND, where several designs use the same ones; otherwise they are drawn.
    """
    size = len(truth.strengths)
    low, high = pair_indices(size)
    people, sources = own or own_strengths(
        truth, int(design.annotator.max()) + 1, int(design.source.max()) + 1, draw
    )
    first, second = low[design.pair], high[design.pair]
    difference = UNIT * (
        truth.strengths[first]
        - truth.strengths[second]
        + people[design.annotator, first]
        - people[design.annotator, second]
        + sources[design.source, first]
        - sources[design.source, second]
    )
    reached = np.cumsum(_outcomes(difference, truth.tie), axis=1)
    outcome = (draw.random((difference.size, 1)) > reached).sum(axis=1)
    return Comparisons.of_choices(
        truth.names, first, second, np.minimum(outcome, 2), design.annotator, design.source
    )


def own_strengths(
    truth: Truth, annotators: int, sources: int, draw: np.random.Generator
) -> tuple[Floats, Floats]:
    """How people (a, k) and sources (s, k) differ from all, in JND: normal, independent for each name."""
    size = len(truth.strengths)
    return (
        truth.of_people * draw.standard_normal((annotators, size)),
        truth.of_sources * draw.standard_normal((sources, size)),
    )


def _outcomes(difference: Floats, tie: float | None) -> Floats:
    """(..., 3) chances from differences in logits."""
    odds = np.stack(
        [
            np.exp(difference / 2),
            np.exp(-difference / 2),
            np.full(difference.shape, 0.0 if tie is None else np.exp(tie)),
        ],
        axis=-1,
    )
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True))
