"""The choice curve: a planted slope, lapse rate and bend are recovered, and every reader gets the same chances."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.optimize import check_grad

from metric.core.distance.choice import (
    LEAST_LAPSE,
    ChoiceCurve,
    _loss,
    curve_from,
    fit_curve,
    with_lapses,
)
from metric.core.distance.columns import Parts
from metric.core.distance.features import to_tensor
from tests.kit.snapshots import coded, photograph

Floats = NDArray[np.float64]


def votes_by(curve: ChoiceCurve, count: int = 6000, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(seed)
    distances = rng.gamma(1.5, 1.0, size=(count, 2))
    total = np.full(count, 8.0)
    return distances, rng.binomial(8, curve.chance(distances)).astype(float), total


@pytest.mark.parametrize("lapse", [LEAST_LAPSE, 0.1, 0.3])
@pytest.mark.parametrize("slope", [0.5, 3.0])
def test_a_planted_curve_is_recovered(slope: float, lapse: float) -> None:
    result = fit_curve(*votes_by(ChoiceCurve(slope, lapse)))
    assert result.bend is None
    assert result.slope == pytest.approx(slope, rel=0.08)
    assert result.lapse == pytest.approx(lapse, abs=0.03)


def test_close_pairs_alone_do_not_make_half_of_the_answers_random() -> None:
    """Where no pair is clear, a flat curve and a steep one with lapses are nearly as likely."""
    planted = ChoiceCurve(1.0, 0.16)
    rng = np.random.default_rng(0)
    rates, errors = [], []
    for _ in range(8):
        margin = rng.normal(size=200)
        close = np.stack([2 + margin / 2, 2 - margin / 2], axis=1)
        p1 = rng.binomial(4, planted.chance(close)).astype(float)
        result = fit_curve(close, p1, np.full(200, 4.0))
        rates.append(result.lapse)
        errors.append(np.abs(result.chance(close) - planted.chance(close)).mean())
    assert max(rates) < 0.25
    assert np.mean(rates) == pytest.approx(planted.lapse, abs=0.08)
    assert np.mean(errors) < 0.02


def test_a_bend_is_found_where_there_is_one() -> None:
    planted = ChoiceCurve(3.0, 0.05, bend=1.5)
    distances, p1, total = votes_by(planted)
    result = fit_curve(distances, p1, total)
    assert result.bend is not None
    assert result.chance(distances) == pytest.approx(planted.chance(distances), abs=0.02)


def test_a_known_side_is_no_part_of_the_slope() -> None:
    distances, _, total = votes_by(ChoiceCurve(1.0))
    offset = np.where(np.arange(len(total)) % 2, 1.5, -1.5)
    odds = distances[:, 0] - distances[:, 1] + offset
    p1 = np.random.default_rng(5).binomial(8, 1 / (1 + np.exp(-odds))).astype(float)
    assert fit_curve(distances, p1, total, offset=offset).slope == pytest.approx(1.0, rel=0.05)


def test_a_distance_that_points_the_wrong_way_or_nowhere_gets_no_slope() -> None:
    distances, p1, total = votes_by(ChoiceCurve(2.0))
    assert fit_curve(distances[:, ::-1], p1, total).slope == pytest.approx(0, abs=1e-6)
    flat = fit_curve(np.ones_like(distances), p1, total)
    assert flat.slope == 0
    assert flat.chance(distances) == pytest.approx(0.5)


def test_a_measure_below_zero_is_not_bent() -> None:
    distances, p1, total = votes_by(ChoiceCurve(3.0, 0.05, bend=1.5))
    assert fit_curve(distances - 100, p1, total).bend is None


@pytest.mark.parametrize("lapse", [0.0, 0.05])
def test_the_slope_of_the_loss_is_right(lapse: float) -> None:
    rng = np.random.default_rng(0)
    p1, total, odds = rng.integers(0, 4, 9).astype(float), np.full(9, 4.0), rng.normal(0, 3, 9)
    assert check_grad(
        lambda x: _loss(x, p1, total, lapse)[0], lambda x: _loss(x, p1, total, lapse)[1], odds
    ) == pytest.approx(0, abs=1e-4)


def test_log_odds_are_those_of_the_chance() -> None:
    odds = np.array([-800.0, -3.0, 0.0, 3.0, 800.0])
    chance = 0.05 + 0.9 / (1 + np.exp(-np.clip(odds, -700, 700)))
    assert with_lapses(odds, 0.1) == pytest.approx(np.log(chance / (1 - chance)))
    assert np.isfinite(ChoiceCurve(1.0).log_odds(np.array([[0.0, 1e6]]))).all()


def test_settings_of_before_are_not_calibrated() -> None:
    assert curve_from({}) is None
    old = curve_from({"slope": 2.0, "lapse": None})
    assert old == ChoiceCurve(2.0)
    assert curve_from(ChoiceCurve(2.0, 0.1, 3.0, "val").as_json()) == ChoiceCurve(2.0, 0.1, 3.0, "val")


def test_a_metric_states_what_share_of_people_prefers_a_picture() -> None:
    metric = Parts.of((), ("psnr",)).build(np.ones(1, dtype=np.float32))
    picture = photograph(1, (64, 64))
    reference, good, bad = (
        to_tensor([x]) for x in (picture, coded(picture, "JPEG", 80), coded(picture, "JPEG", 5))
    )
    with pytest.raises(ValueError, match="not calibrated"):
        metric.preference(reference, good, bad)
    assert metric.calibrated_on == "not calibrated"
    curve = ChoiceCurve(0.2, 0.04, calibrated_on="val")
    metric.settings = curve.as_json()
    d_good, d_bad = float(metric(reference, good)), float(metric(reference, bad))
    expected = 0.02 + 0.96 / (1 + np.exp(-0.2 * (d_bad - d_good)))
    assert float(metric.preference(reference, good, bad)) == pytest.approx(expected)
    assert float(metric.preference(reference, bad, good)) == pytest.approx(1 - expected)
    several = metric.preference(reference, good, torch.cat([bad, good]))
    assert several.tolist() == pytest.approx([expected, 0.5])
    assert float(metric.jnd(reference, bad)) == pytest.approx(0.2 * d_bad / np.log(3))
    metric.settings = {"slope": 0.2}
    with pytest.warns(UserWarning, match="not calibrated"):
        metric.preference(reference, good, bad)
