"""Tests of metrics against references, and by how often they are wrong."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from psychometrics.metric_comparison import (
    agreeing,
    area,
    compare_areas,
    krasula,
    meng_rosenthal_rubin,
    paired_difference,
    told_apart,
)


def test_agreement_halves_ties_of_either_side() -> None:
    assert agreeing(np.array([1.0, -1, 0, 2]), np.array([1.0, 1, 0, 0.5])).tolist() == [1, 0, 0.5, 0.5]


def test_paired_difference_of_two_metrics_covers_over_people_and_photographs() -> None:
    """Photographs differ in how much the metrics differ on them, and people in whom they side with."""
    covered = alone = 0
    repeats, side = 500, 20
    who, what = (each.ravel() for each in np.indices((side, side)))
    for seed in range(repeats):
        draw = np.random.default_rng(seed)
        lean = 0.1 * draw.standard_normal(side)[who] + 0.1 * draw.standard_normal(side)[what]
        right = draw.random(who.size) < np.clip(0.55 + lean, 0, 1)
        first = np.ones(who.size)
        found = paired_difference(first, -first, right.astype(float), annotator=who, source=what)
        naive = paired_difference(first, -first, right.astype(float), source=np.arange(who.size))
        assert found.low is not None and found.high is not None
        assert naive.low is not None and naive.high is not None
        covered += found.low <= 0.1 <= found.high
        alone += naive.low <= 0.1 <= naive.high
    assert 0.92 < covered / repeats < 0.98
    assert alone / repeats < 0.85


def test_meng_rosenthal_rubin_of_an_example_worked_by_hand() -> None:
    """r1 = .63, r2 = -.03, r12 = -.19, n = 15: mean square .19890, f = .59500 / .80110 = .74273,
    h = (1 - .14773) / .80110 = 1.06387; z = (.74142 + .03001) sqrt(12 / (2 * 1.19 * 1.06387)) = 1.6794.
    """
    found = meng_rosenthal_rubin(0.63, -0.03, -0.19, 15)
    assert found.z == pytest.approx(1.6794, abs=2e-3)
    assert found.p == pytest.approx(0.0931, abs=1e-3)


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
    found = area(score, positive)
    assert found.value == pytest.approx(roc_auc_score(positive, score))
    assert found.low is not None and found.high is not None and found.low < found.value < found.high  # type: ignore[operator]


def test_areas_are_compared_as_often_wrongly_as_said_and_rightly_when_they_differ() -> None:
    wrong = right = 0
    for seed in range(400):
        draw = np.random.default_rng(seed)
        positive = draw.random(120) < 0.5
        base = draw.standard_normal(120)
        same = [positive + base + draw.standard_normal(120) for _ in range(2)]
        wrong += compare_areas(*same, positive).p < 0.05
        right += compare_areas(positive * 2.5 + base, same[0] - positive, positive).p < 0.05
    assert 0.02 < wrong / 400 < 0.08
    assert right / 400 > 0.95


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


def test_pairs_without_votes_or_with_few_are_not_told_apart() -> None:
    assert told_apart(np.array([0, 5, 6, 20]), np.array([0, 0, 0, 20])).tolist() == [
        False,
        False,
        True,
        False,
    ]
    nothing = krasula(np.array([1.0]), np.array([1]), np.array([1]))
    assert nothing.different.value is None and nothing.correct is None and nothing.pairs_similar == 1
