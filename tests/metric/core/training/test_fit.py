"""The convex fit finds what was planted, invents nothing, and is always the same."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from metric.core.evaluation.folds import FoldError, group_folds
from metric.core.training.fit import Design, Fit, FitError, agreement, design, fit_heads
from psychometrics.likelihood import log_loss

CHANNELS = 40
STOCK = np.linspace(0.1, 1.0, CHANNELS)
SOME = (100.0, 10.0, 1.0, 0.1, 0.01, 0.001)


def make_vectors(count: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    v0, v1 = rng.gamma(2.0, 0.01, size=(2, count, CHANNELS)).astype(np.float32)
    return v0, v1


def make_design(
    weights: NDArray[np.float64], *, count: int = 400, votes: int = 4, seed: int = 0, bias: float = 0.0
) -> tuple[Design, NDArray[np.float64]]:
    """Votes by the rule σ(weights·(v0 − v1) ± bias); weights of zero are coin flips."""
    rng = np.random.default_rng(seed + 1)
    v0, v1 = make_vectors(count, seed)
    odds = (v0.astype(np.float64) - v1) @ weights
    p1 = np.stack([rng.binomial(votes, 1 / (1 + np.exp(-(odds + b)))) for b in (bias, -bias)], axis=1)
    groups = [f"photograph {number % 20}" for number in range(count)]
    result = design(
        v0, v1, n_p0=votes - p1, n_p1=p1, n_tie=np.zeros_like(p1), groups=groups, side=(1.0, -1.0)
    )
    return result, np.concatenate([v0, v1]).mean(axis=0, dtype=np.float64)


def fit(votes: Design, mean: NDArray[np.float64], **options: object) -> Fit:
    return fit_heads(votes, STOCK, mean, **({"strengths": SOME} | options))  # type: ignore[arg-type]


PLANTED = np.where(np.arange(CHANNELS) % 4 == 0, 60.0, 0.0)


def test_planted_heads_are_recovered() -> None:
    result = fit(*make_design(PLANTED, count=2000, votes=10))
    assert np.corrcoef(result.weights, PLANTED)[0, 1] > 0.98
    assert result.slope * result.weights[PLANTED > 0].mean() == pytest.approx(60, rel=0.1)
    assert np.all(result.weights >= 0)
    assert result.converged


def test_they_agree_with_new_votes_better_than_stock() -> None:
    result = fit(*make_design(PLANTED))
    new, _ = make_design(PLANTED, seed=50)
    score, stock = (
        agreement((new.difference @ w)[:, None] * np.ones(2), new.p1, new.total)
        for w in (result.weights, STOCK)
    )
    assert score > stock + 0.05


def test_coin_flips_teach_nothing() -> None:
    votes, mean = make_design(np.zeros(CHANNELS), count=600)
    try:
        weights = fit(votes, mean).weights
    except FitError as error:
        assert "Every weight came out as zero" in str(error)
        weights = STOCK
    new, _ = make_design(np.zeros(CHANNELS), count=2000, seed=70)
    score = agreement((new.difference @ weights)[:, None] * np.ones(2), new.p1, new.total)
    assert score == pytest.approx(0.5, abs=0.02)


def test_answers_that_name_the_worse_picture_are_refused_with_that_reason() -> None:
    votes, mean = make_design(60 * np.ones(CHANNELS))
    with pytest.raises(FitError, match="the answers name the closer picture"):
        fit(replace(votes, p1=votes.total - votes.p1), mean)


def test_a_strong_penalty_leaves_the_stock_heads() -> None:
    result = fit(*make_design(20 * STOCK), strengths=(1e7,))
    assert result.weights == pytest.approx(STOCK, rel=1e-3)
    assert result.slope == pytest.approx(20, rel=0.15)


def test_a_habit_of_one_side_is_told_apart() -> None:
    result = fit(*make_design(PLANTED, count=1500, bias=0.6))
    assert result.side_bias == pytest.approx(0.6, abs=0.1)


def test_the_mean_distance_is_that_of_stock() -> None:
    votes, mean = make_design(PLANTED)
    assert mean @ fit(votes, mean).weights == pytest.approx(mean @ STOCK)


def test_two_fits_are_equal_bit_for_bit() -> None:
    votes, mean = make_design(PLANTED)
    first, second = fit(votes, mean), fit(votes, mean)
    assert first.weights.tobytes() == second.weights.tobytes()
    assert first.folds == second.folds


def test_a_tie_is_half_a_vote_for_each() -> None:
    v0, v1 = make_vectors(3, 0)
    zeros, ones = np.zeros(3, np.int64), np.ones(3, np.int64)
    ties = design(v0, v1, n_p0=zeros, n_p1=zeros, n_tie=2 * ones, groups=list("abc"))
    split = design(v0, v1, n_p0=ones, n_p1=ones, n_tie=zeros, groups=list("abc"))
    assert np.array_equal(ties.p1, split.p1)
    assert np.array_equal(ties.total, split.total)


def test_a_photograph_stays_in_one_fold() -> None:
    groups = np.array([f"g{number}" for number in np.random.default_rng(0).integers(0, 13, size=300)])
    parts = group_folds(groups, 5, seed=3)
    assert set(parts) == set(range(5))
    assert all(len(set(parts[groups == name])) == 1 for name in set(groups))
    assert np.bincount(parts).max() < 2 * np.bincount(parts).min()
    assert set(group_folds(groups[:2], 5, seed=0)) == {0, 1}


def test_one_photograph_cannot_be_cross_validated() -> None:
    with pytest.raises(FoldError, match="two photographs"):
        group_folds(np.array(["a", "a"]), 5, seed=0)


def test_the_gradient_is_that_of_the_loss() -> None:
    # The loss of a fit is lowest where it says it is: any small step from there is worse.
    votes, mean = make_design(PLANTED, count=100)
    result = fit(votes, mean, strengths=(1e-9,))
    odds = votes.difference @ (result.slope * result.weights)

    def loss(scale: float) -> float:
        return log_loss(scale * odds[:, None] + result.side_bias * votes.side, votes.p1, votes.total)

    assert loss(1.0) < min(loss(0.97), loss(1.03))


def test_no_votes_and_wrong_shapes_are_refused() -> None:
    v0, v1 = make_vectors(4, 0)
    zeros = np.zeros(4, np.int64)
    with pytest.raises(FitError, match="no votes"):
        design(v0, v1, n_p0=zeros, n_p1=zeros, n_tie=zeros, groups=list("abcd"))
    with pytest.raises(ValueError, match="Shapes disagree"):
        design(v0, v1[:3], n_p0=zeros, n_p1=zeros, n_tie=zeros, groups=list("abcd"))
    votes, mean = make_design(PLANTED, count=50)
    with pytest.raises(ValueError, match="Stock heads"):
        fit_heads(votes, -STOCK, mean)
    with pytest.raises(FitError, match="equally far"):
        flat = design(v0, v0, n_p0=zeros + 1, n_p1=zeros, n_tie=zeros, groups=list("abcd"))
        fit_heads(flat, STOCK, mean)
