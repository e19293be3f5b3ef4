"""Tests of metrics against references, and by how often they are wrong."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from psychometrics.metric_comparison import (
    agreeing,
    area,
    distinguished,
    krasula,
    meng_rosenthal_rubin,
)


def test_agreement_halves_ties_of_either_side() -> None:
    assert agreeing(np.array([1.0, -1, 0, 2]), np.array([1.0, 1, 0, 0.5])).tolist() == [1, 0, 0.5, 0.5]
    votes, total = np.array([3.0, 3, 3]), np.array([4.0, 4, 4])
    assert agreeing(np.array([1.0, -1, 0]), votes, total).tolist() == [3, 1, 2]


def test_meng_rosenthal_rubin_of_an_example_worked_by_hand() -> None:
    """r1 = .63, r2 = -.03, r12 = -.19, n = 15: mean square .19890, f = .59500 / .80110 = .74273,
    h = (1 - .14773) / .80110 = 1.06387; z = (.74142 + .03001) sqrt(12 / (2 * 1.19 * 1.06387)) = 1.6794.
    """
    computed = meng_rosenthal_rubin(0.63, -0.03, -0.19, 15)
    assert computed.z == pytest.approx(1.6794, abs=2e-3)
    assert computed.p == pytest.approx(0.0931, abs=1e-3)


def test_meng_rosenthal_rubin_rejects_as_often_as_it_says() -> None:
    draw = np.random.default_rng(0)
    rejected = 0
    for _ in range(1_000):
        truth = draw.standard_normal(60)
        shared = draw.standard_normal(60)
        one, other = (truth + 0.7 * shared + 0.7 * draw.standard_normal(60) for _ in range(2))
        r = np.corrcoef([truth, one, other])
        rejected += meng_rosenthal_rubin(r[0, 1], r[0, 2], r[1, 2], 60).p < 0.05
    assert 0.03 < rejected / 1_000 < 0.07


def test_meng_rosenthal_rubin_refuses_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="correlations"):
        meng_rosenthal_rubin(1.0, 0.5, 0.5, 20)


def test_area_is_that_of_sklearn_with_ties() -> None:
    draw = np.random.default_rng(0)
    positive = draw.random(200) < 0.4
    score = np.round(draw.standard_normal(200) + positive, 1)
    computed = area(score, positive)
    assert computed.value == pytest.approx(roc_auc_score(positive, score))
    assert (
        computed.low is not None
        and computed.high is not None
        and computed.low < computed.value < computed.high
    )  # type: ignore[operator]


def test_krasula_of_a_good_metric_and_of_a_coin() -> None:
    draw = np.random.default_rng(0)
    truth = draw.standard_normal(400) * 1.5
    p1 = draw.binomial(30, 1 / (1 + np.exp(-truth)))
    good = krasula(truth + 0.2 * draw.standard_normal(400), 30 - p1, p1)
    coin = krasula(draw.standard_normal(400), 30 - p1, p1)
    assert good.different.value is not None and good.different.value > 0.9
    assert good.better.value is not None and good.better.value > 0.98 and good.correct is not None
    assert good.correct > 0.97
    assert coin.different.value == pytest.approx(0.5, abs=0.08)
    assert coin.better.value == pytest.approx(0.5, abs=0.08)
    assert good.pairs_different + good.pairs_similar == 400


def test_pairs_without_votes_or_with_few_are_not_distinguished() -> None:
    assert distinguished(np.array([0, 5, 6, 20]), np.array([0, 0, 0, 20])).tolist() == [
        False,
        False,
        True,
        False,
    ]
    nothing = krasula(np.array([1.0]), np.array([1]), np.array([1]))
    assert nothing.different.value is None and nothing.correct is None and nothing.pairs_similar == 1
