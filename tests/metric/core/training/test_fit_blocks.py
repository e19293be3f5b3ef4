"""Columns of several kinds in one fit: each block is drawn to its own multiple of stock."""

import numpy as np
import pytest

from metric.core.distance.choice import LEAST_LAPSE
from metric.core.training.fit import Fit, design, fit_heads
from metric.core.training.problem import Design, Floats

FIRST, SECOND = 12, 8
BLOCK = np.array([0] * FIRST + [1] * SECOND + [2])
STOCK = np.concatenate([np.linspace(0.1, 1, FIRST), np.full(SECOND, 0.5), [1.0]])


def planted(first: float, second: float, term: float) -> Floats:
    return STOCK * np.array([first, second, term])[BLOCK]


def make_votes(weights: Floats, *, count: int = 1500, seed: int = 0, lapse: float = 0.0) -> Design:
    rng = np.random.default_rng(seed)
    v0, v1 = rng.gamma(2.0, 0.1, size=(2, count, len(weights))).astype(np.float32)
    chance = 1 / (1 + np.exp(-((v0.astype(np.float64) - v1) @ weights)))
    p1 = rng.binomial(10, lapse / 2 + (1 - lapse) * chance)
    groups = [f"photograph {number % 15}" for number in range(count)]
    return design(v0, v1, n_p0=10 - p1, n_p1=p1, n_tie=np.zeros_like(p1), groups=groups)


def fit(votes: Design, **options: object) -> Fit:
    mean = np.full(len(STOCK), 0.2)
    return fit_heads(votes, STOCK, mean, **({"strengths": (300.0, 10.0)} | options))  # type: ignore[arg-type]


def test_a_strong_penalty_still_finds_the_multiple_of_each_block() -> None:
    result = fit(make_votes(planted(2, 0, 5)), blocks=BLOCK, strengths=(1e5,))
    in_odds = result.weights * result.slope / STOCK
    assert in_odds[0] == pytest.approx(2, rel=0.15)
    assert in_odds[FIRST] == pytest.approx(0, abs=0.3)
    assert in_odds[-1] == pytest.approx(5, rel=0.1)


def test_one_block_for_all_cannot() -> None:
    votes = make_votes(planted(2, 0, 5))
    apart, together = (fit(votes, blocks=way, strengths=(1e5,)) for way in (BLOCK, 0 * BLOCK))
    assert apart.log_loss_held_out < together.log_loss_held_out - 0.01


def test_cross_validation_chooses_the_way_of_blocks() -> None:
    layers = np.array([0] * 6 + [3] * 6 + [1] * SECOND + [2])
    uneven = planted(2, 1, 1) * np.where(np.arange(len(STOCK)) < 6, 4.0, 1.0)
    assert fit(make_votes(uneven), blocks=np.stack([BLOCK, layers]), strengths=(1e5,)).blocks == 1


def test_the_mean_distance_is_that_of_the_heads_asked_for() -> None:
    first = STOCK * (BLOCK == 0)
    result = fit(make_votes(planted(2, 1, 1)), blocks=BLOCK, scale=first)
    assert result.weights.sum() == pytest.approx(first.sum())


def test_a_block_without_weight_in_stock_stays_free() -> None:
    stock = STOCK * (BLOCK != 1)
    votes = make_votes(planted(2, 2, 1), count=3000)
    result = fit_heads(votes, stock, np.full(len(STOCK), 0.2), blocks=BLOCK, strengths=(1e-4,))
    assert result.weights[FIRST] * result.slope == pytest.approx(1.0, rel=0.3)


def test_a_planted_rate_of_random_answers_is_recovered_on_held_out_folds() -> None:
    votes = make_votes(planted(8, 8, 8), count=3000, lapse=0.2)
    result = fit(votes, blocks=BLOCK)
    assert result.curve.lapse == pytest.approx(0.2, abs=0.03)
    assert "held-out folds" in result.curve.calibrated_on
    odds = result.curve.margin(votes.distances(result.weights))
    assert np.polyfit(votes.difference @ planted(8, 8, 8), odds, 1)[0] == pytest.approx(1, abs=0.2)
    assert fit(votes, blocks=BLOCK, lapse=False).curve.lapse == 0


def test_no_more_lapses_than_the_least_are_found_where_there_are_none() -> None:
    assert fit(make_votes(planted(8, 8, 8)), blocks=BLOCK).curve.lapse == pytest.approx(LEAST_LAPSE, abs=0.01)


def test_the_curve_is_modest_where_the_weights_were_fitted_to_noise() -> None:
    rng = np.random.default_rng(1)
    v0, v1 = rng.gamma(2.0, 0.1, size=(2, 60, 300)).astype(np.float32)
    p1 = rng.binomial(1, 1 / (1 + np.exp(-10 * (v0[:, 0] - v1[:, 0]))))
    groups = [f"photograph {number % 6}" for number in range(60)]
    votes = design(v0, v1, n_p0=1 - p1, n_p1=p1, n_tie=0 * p1, groups=groups)
    result = fit_heads(votes, np.ones(300), np.full(300, 0.2), strengths=(1e-3,))
    assert result.curve.slope < result.slope / 2
