"""Standardised preference: what a balanced design would have shown, however the pairs were sampled."""

import numpy as np
import pytest

from psychometrics.comparisons import win_rates
from psychometrics.ranking import rank
from psychometrics.scaling import chances, fit
from tests.psychometrics.studies import STRENGTHS, answers, study


def truth() -> np.ndarray:  # type: ignore[type-arg]
    """Expected share of each against the average other name."""
    odds = 3.0**STRENGTHS
    wins = odds[:, None] / (odds[:, None] + odds[None, :])
    return np.asarray((wins.sum(axis=1) - 0.5) / 3)


def test_active_sampling_moves_the_raw_share_and_not_this_one() -> None:
    """Close pairs asked ten times as often make the best look worse in raw shares."""
    rows = study(60_000)
    close = np.abs(STRENGTHS[rows.first] - STRENGTHS[rows.second]) < 0.8
    kept = close | (np.arange(close.size) % 10 == 0)
    sampled = rows.where(kept)
    best = rank(sampled).preference[3]
    took_part = (sampled.first == 3) | (sampled.second == 3)
    won = np.where(sampled.first == 3, sampled.counts[:, 0], sampled.counts[:, 1])[took_part].mean()
    assert best.value == pytest.approx(truth()[3], abs=0.015)
    assert won < truth()[3] - 0.05
    assert best.n == took_part.sum()


def test_the_interval_covers_the_truth() -> None:
    covered = []
    for seed in range(150):
        for one, true in zip(rank(study(600, seed=seed)).preference, truth(), strict=True):
            assert one.low is not None and one.high is not None and one.value is not None
            assert 0 <= one.low <= one.value <= one.high <= 1
            covered.append(one.low <= true <= one.high)
    assert 0.92 < np.mean(covered) < 0.985


def test_a_few_answers_that_agree_prove_little() -> None:

    winner, loser = rank(answers([(0, 1, 0)] * 6, ("winner", "loser"))).preference
    assert winner.low is not None and loser.high is not None
    assert winner.low < 0.62 and loser.high > 0.38


def test_shares_are_the_mean_of_predicted_wins_with_ties_half() -> None:
    rows = study(5_000, tie=0.3)
    scale = fit(rows)
    p = chances(scale.logits, scale.tie, 4)
    first = np.mean([p[n, 0] + p[n, 2] / 2 for n in range(3)])
    assert rank(rows).preference[0].value == pytest.approx(first)
    assert win_rates(rows).shape == (4, 4)
