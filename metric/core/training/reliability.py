"""How far each annotator can be trusted, estimated together with the weights.

The model of Crowd-BT (Chen, Bennett, Collins-Thompson and Horvitz, WSDM 2013): annotator k answers as the
metric's P(p1) says with chance η_k, and the other way round with chance 1 − η_k. Expectation maximisation:
given weights and η, the chance r that an answer was meant as given; given all r, the weights are the same
convex fit on counts in which an answer counts r for its side and 1 − r for the other, and η_k is the mean of
its r with those of a Beta prior.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from metric.core.snapshot.answers import SingleAnswers
from metric.core.training.problem import Floats, Problem, Solution
from psychometrics.comparisons import Ints
from psychometrics.reliability import CLOSE_ENOUGH, ROUNDS, chance_intended, estimated_trust


def fit_reliable(
    problem: Problem, answers: SingleAnswers, strength: float, near: Solution
) -> tuple[Solution, Floats]:
    """The solution for all votes, and the reliability of each annotator, (annotators,), in (0, 1)."""
    reliability = estimated_trust(np.zeros(answers.annotators), np.zeros(answers.annotators))
    solution = near
    for _ in range(ROUNDS):
        intended = _meant(problem, answers, reliability, solution)
        p1, total = _counts(problem, answers, intended)
        solution = problem.solve(p1, total, strength, solution)
        before, reliability = reliability, _shares(answers, intended)
        if np.abs(reliability - before).max() < CLOSE_ENOUGH:
            break
    return solution, reliability


def _meant(problem: Problem, answers: SingleAnswers, reliability: Floats, solution: Solution) -> Floats:
    """The chance that each answer was meant as given, (V,)."""
    odds = problem.log_odds(solution)[answers.triplet, _side(answers)]
    # A tie says nothing of whom to trust: at one half both cases are equally likely.
    agrees = answers.p1 * expit(odds) + (1 - answers.p1) * expit(-odds)
    return chance_intended(reliability[answers.annotator], agrees)


def _counts(problem: Problem, answers: SingleAnswers, intended: Floats) -> tuple[Floats, Floats]:
    shape = problem.votes.total.shape
    place = answers.triplet * shape[1] + _side(answers)
    for_p1 = intended * answers.p1 + (1 - intended) * (1 - answers.p1)
    size = shape[0] * shape[1]
    p1, total = (np.bincount(place, each, size) for each in (for_p1, np.ones(len(place))))
    return p1.reshape(shape).astype(np.float64), total.reshape(shape).astype(np.float64)


def _side(answers: SingleAnswers) -> Ints:
    """The column of the problem that an answer is counted in: it has a single one where sides are not kept apart."""
    return np.zeros_like(answers.triplet) if answers.side is None else answers.side


def _shares(answers: SingleAnswers, intended: Floats) -> Floats:
    decided = answers.p1 != 0.5
    annotator, intended = answers.annotator[decided], intended[decided]
    sums = np.bincount(annotator, intended, answers.annotators)
    counts = np.bincount(annotator, minlength=answers.annotators)
    return estimated_trust(sums.astype(np.float64), counts.astype(np.float64))
