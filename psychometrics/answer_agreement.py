"""How far the people of a file of answers agree, from nothing but the answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psychometrics.agreement import (
    ceiling,
    human_score,
    krippendorff_alpha,
    raw_agreement,
    self_agreement,
    share_over_people,
)
from psychometrics.answers import Answers
from psychometrics.comparisons import TIE, Ints, pair_numbers
from psychometrics.estimates import NOTHING, Estimate


@dataclass(frozen=True)
class Agreement:
    """Figures of one file. `again`: answers alike when the same person judged the same pair again; `first`: how often
    the first (left) of a pair was chosen. NOTHING where it cannot be computed.
    """

    triplets: int
    judged_twice: int
    human_score: Estimate
    ceiling: Estimate
    alpha: Estimate
    raw: float | None
    again: Estimate
    first: Estimate


def measure_agreement(answers: Answers) -> Agreement:
    """From the votes on each source's pairs of conditions; of several answers of a person to one pair, from the first:
    agreement is between people, and `again` is about the others.
    """
    rows = answers.comparisons
    pair, counts = pair_numbers(rows)
    key = answers.source * (int(pair.max()) + 1) + pair
    _, at, triplet = np.unique(key, return_index=True, return_inverse=True)
    voted = counts * _first_answers(answers, triplet.astype(np.int64))[:, None]
    votes = np.stack([np.bincount(triplet, voted[:, n]) for n in range(3)]).astype(np.int64)
    source = answers.source[at]
    return Agreement(
        triplets=at.size,
        judged_twice=int((votes.sum(axis=0) >= 2).sum()),
        human_score=human_score(*votes, source=source),
        ceiling=ceiling(*votes, source=source),
        alpha=krippendorff_alpha(*votes, source=source),
        raw=raw_agreement(*votes),
        again=_again(answers, triplet.astype(np.int64), counts.argmax(axis=1)),
        first=_first(answers),
    )


def _first_answers(answers: Answers, triplet: Ints) -> NDArray[np.bool_]:
    """(m,): whether an answer is its annotator's first to that pair of a source; all where annotators are not named."""
    first = np.ones(triplet.size, dtype=np.bool_)
    if answers.annotator is not None:
        first[:] = False
        key = answers.annotator * (int(triplet.max()) + 1) + triplet
        first[np.unique(key, return_index=True)[1]] = True
    return first


def _again(answers: Answers, triplet: Ints, outcome: Ints) -> Estimate:
    """Each answer against the same person's answer before to the same pair."""
    if answers.annotator is None:
        return NOTHING
    order = np.lexsort((np.arange(triplet.size), triplet, answers.annotator))
    annotator, judged, chose = answers.annotator[order], triplet[order], outcome[order]
    again = (annotator[1:] == annotator[:-1]) & (judged[1:] == judged[:-1])
    people = len(answers.annotators)
    alike = np.bincount(annotator[1:][again], chose[1:][again] == chose[:-1][again], people)
    repeats = np.bincount(annotator[1:][again], minlength=people)
    return self_agreement(alike[repeats > 0], repeats[repeats > 0])


def _first(answers: Answers) -> Estimate:
    decided = answers.outcome != TIE
    people = max(1, len(answers.annotators))
    annotator = np.zeros(decided.size, dtype=np.int64) if answers.annotator is None else answers.annotator
    chose = np.bincount(annotator[decided], answers.outcome[decided] == 0, people)
    of = np.bincount(annotator[decided], minlength=people)
    return share_over_people(chose[of > 0], of[of > 0])
