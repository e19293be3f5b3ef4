"""Scales against known strengths and reference implementations."""

import choix
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize

from psychometrics.comparisons import Comparisons, pair_indices, tally
from psychometrics.scaling import PRIOR_SD, chances, fit, fit_counts
from tests.psychometrics.studies import STRENGTHS, answers, study
from tests.psychometrics.thurstone import fit_thurstone

TRUTH = STRENGTHS - STRENGTHS.mean()


@pytest.mark.parametrize("tie", [None, -0.5])
def test_known_strengths_are_recovered(tie: float | None) -> None:
    result = fit(study(40_000, tie=tie))
    assert result.values == pytest.approx(TRUTH, abs=0.05)
    assert result.tie == (None if tie is None else pytest.approx(tie, abs=0.05))


def test_the_scale_is_that_of_choix() -> None:
    """Bradley-Terry with the same prior, by another package; the prior of choix is on each strength too."""
    rows = study(300)
    winners = [
        (a, b) if outcome[0] else (b, a)
        for a, b, outcome in zip(rows.first.tolist(), rows.second.tolist(), rows.counts, strict=True)
    ]
    theirs = choix.opt_pairwise(4, winners, alpha=1 / (2 * PRIOR_SD**2))
    assert fit(rows).logits == pytest.approx(theirs - theirs.mean(), abs=1e-4)


def negative_posterior(x: NDArray[np.float64], rows: Comparisons) -> float:
    """The penalised likelihood with Davidson's ties, written down judgment by judgment."""
    one, other = x[rows.first], x[rows.second]
    logits = np.stack([one, other, x[4] + (one + other) / 2])
    chosen = np.take_along_axis(logits, rows.counts.argmax(axis=1)[None], axis=0)[0]
    likelihood = chosen - np.log(np.exp(logits).sum(axis=0))
    return float(-likelihood.sum() + (x**2).sum() / (2 * PRIOR_SD**2))


def test_with_ties_the_fit_is_the_top_that_a_general_optimiser_finds() -> None:
    rows = study(300, tie=-0.5)
    best = minimize(negative_posterior, np.zeros(5), args=(rows,), tol=1e-10).x
    result = fit(rows)
    assert result.logits == pytest.approx(best[:4] - best[:4].mean(), abs=1e-4)
    assert result.tie == pytest.approx(best[4], abs=1e-4)


def test_the_precision_is_the_curvature_of_the_likelihood() -> None:
    rows = study(300, tie=-0.5)
    result = fit(rows)
    at = np.array([*result.logits, result.tie])
    step = 1e-3 * np.eye(5)
    curvature = [
        [
            (
                negative_posterior(at + a + b, rows)
                - negative_posterior(at + a - b, rows)
                - negative_posterior(at - a + b, rows)
                + negative_posterior(at - a - b, rows)
            )
            / 4e-6
            for b in step
        ]
        for a in step
    ]
    assert result.precision == pytest.approx(np.array(curvature), abs=0.02)


def test_one_unit_is_three_in_four() -> None:
    result = fit(answers([(0, 1, 0)] * 7500 + [(0, 1, 1)] * 2500, ("better", "worse")))
    assert result.values[0] - result.values[1] == pytest.approx(1.0, abs=0.01)
    assert chances(result.logits, None, 2)[0, 0] == pytest.approx(0.75, abs=0.001)


def test_a_reference_stands_at_zero() -> None:
    result = fit(study(), reference="webp")
    assert result.values[1] == 0.0
    assert result.values == pytest.approx(fit(study()).values - fit(study()).values[1])
    with pytest.raises(ValueError, match="original is not among"):
        fit(study(), reference="original")


def test_ties_as_half_pull_the_scale_together_and_need_no_parameter() -> None:
    rows = study(4_000, tie=0.5)
    half = fit(rows, ties="half")
    assert half.tie is None
    assert np.ptp(half.values) < np.ptp(fit(rows).values)
    assert half.counts[:, :2].sum() == pytest.approx(tally(rows).sum())


def test_only_ties_make_all_equal() -> None:
    assert fit(answers([(0, 1, 2), (1, 2, 2), (2, 3, 2)])).values == pytest.approx(np.zeros(4), abs=1e-9)


def test_a_name_that_always_wins_has_a_finite_scale() -> None:
    result = fit(answers([(0, 1, 0)] * 50, ("winner", "loser")))
    assert np.isfinite(result.values).all() and result.values[0] > result.values[1] + 1


def test_lopsided_counts_still_settle() -> None:
    """Full Newton steps run away here: a equals b and c by its ties, yet b beats c every time."""
    result = fit(answers([(0, 1, 2)] * 10 + [(0, 2, 2)] * 1_000 + [(1, 2, 0)] * 10_000, ("a", "b", "c")))
    assert np.isfinite(result.values).all()
    assert result.values[1] > result.values[0] > result.values[2]


def test_many_sets_are_fitted_together_as_each_alone() -> None:
    counts = np.stack([tally(study(200, seed=seed)) for seed in range(3)])
    together = fit_counts(counts, 4, with_ties=False)[0]
    for n in range(3):
        assert together[n] == pytest.approx(fit(study(200, seed=n)).logits, abs=1e-8)


def test_thurstone_agrees_with_bradley_terry() -> None:
    """Case V, whose unit is the same: three in four."""
    rows = study(20_000)
    assert fit_thurstone(rows) == pytest.approx(fit(rows).values, abs=0.06)
    two = answers([(0, 1, 0)] * 7500 + [(0, 1, 1)] * 2500, ("better", "worse"))
    assert np.ptp(fit_thurstone(two)) == pytest.approx(1.0, abs=0.01)


def test_thurstone_is_the_probit_fit_of_statsmodels() -> None:
    import statsmodels.api as sm

    rows = study(3_000)
    low, high = pair_indices(4)
    counts = tally(rows)
    design = (np.eye(4)[low] - np.eye(4)[high])[:, 1:]
    model = sm.GLM(counts[:, :2], design, family=sm.families.Binomial(link=sm.families.links.Probit()))
    theirs = np.array([0.0, *model.fit().params])
    unit = 0.6744897501960817
    assert fit_thurstone(rows) == pytest.approx((theirs - theirs.mean()) / unit, abs=0.01)


def test_how_far_ahead_a_name_that_always_wins_is_follows_from_a_prior_of_three_logits() -> None:
    """Two names, 50 wins of 50, each strength with a standard deviation of 3: the top of 50 log p(d) - d^2 / 36."""
    ahead = brentq(lambda d: 50 / (1 + np.exp(d)) - d / 18, 0, 20)
    logits = fit(answers([(0, 1, 0)] * 50, ("winner", "loser"))).logits
    assert logits[0] - logits[1] == pytest.approx(ahead, abs=1e-4)
