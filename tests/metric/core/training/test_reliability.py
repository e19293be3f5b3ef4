"""Annotators who answer at random, or the wrong way round, are found out from their answers."""

import numpy as np
import pytest

from metric.core.snapshot.answers import SingleAnswers
from metric.core.training.fit import Fit, design, fit_heads

CHANNELS = 10
STOCK = np.ones(CHANNELS)
PLANTED = np.where(np.arange(CHANNELS) < 5, 12.0, 2.0)
# Three to trust, one who guesses, one who misread the question.
TRUTH = (0.97, 0.97, 0.97, 0.5, 0.05)


def make_study(truth: tuple[float, ...], triplets: int = 800) -> tuple[Fit, Fit]:
    """The fit that takes all alike, and the one that does not."""
    rng = np.random.default_rng(3)
    v0, v1 = rng.gamma(2.0, 0.1, size=(2, triplets, CHANNELS)).astype(np.float32)
    chance = 1 / (1 + np.exp(-((v0.astype(np.float64) - v1) @ PLANTED)))
    honest = rng.random((triplets, len(truth))) < chance[:, None]
    meant = rng.random((triplets, len(truth))) < truth
    p1 = np.where(meant, honest, ~honest).astype(np.float64)
    who = np.tile(np.arange(len(truth)), triplets)
    answers = SingleAnswers(np.repeat(np.arange(triplets), len(truth)), p1.ravel(), who)
    n_p1 = p1.sum(axis=1).astype(np.int64)
    votes = design(
        v0,
        v1,
        n_p0=len(truth) - n_p1,
        n_p1=n_p1,
        n_tie=0 * n_p1,
        groups=[f"photograph {number % 10}" for number in range(triplets)],
    )
    options = {"strengths": (1e-4,)}
    mean = np.full(CHANNELS, 0.2)
    alike = fit_heads(votes, STOCK, mean, **options)  # type: ignore[arg-type]
    return alike, fit_heads(votes, STOCK, mean, answers=answers, **options)  # type: ignore[arg-type]


def test_planted_reliabilities_and_weights_are_recovered() -> None:
    alike, result = make_study(TRUTH)
    assert result.reliability == pytest.approx(TRUTH, abs=0.05)
    assert result.weights[0] * result.slope == pytest.approx(12, rel=0.2)
    assert alike.weights[0] * alike.slope < 7
    assert alike.reliability == ()


def test_people_who_agree_are_all_trusted() -> None:
    _, result = make_study((0.97,) * 4)
    assert min(result.reliability) > 0.9


def test_an_annotator_who_answered_nothing_but_ties_stands_at_the_prior() -> None:
    from metric.core.training.reliability import _shares

    ties = SingleAnswers(np.array([0, 1, 0]), np.full(3, 0.5), np.array([0, 0, 1]))
    assert _shares(ties, np.ones(3)) == pytest.approx([0.9, 0.9])
