"""All pairs at once: Holm, simultaneous ranks, who may be the best."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from psychometrics.differences import holm
from psychometrics.ranking import rank
from tests.psychometrics.studies import STRENGTHS, study


def test_holm_is_that_of_statsmodels() -> None:
    for seed in range(8):
        p = np.random.default_rng(seed).random(1 + 3 * seed) ** 3
        assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert holm([0.01, 0.01, 0.04]) == pytest.approx([0.03, 0.03, 0.04])


def test_a_difference_has_its_own_interval() -> None:
    """The interval of a difference is not that of two strengths laid on one another."""
    result = rank(study(3_000, of_people=0.3))
    one = result.difference("jpegxl", "jpeg")
    assert one.estimate == pytest.approx(result.values[3] - result.values[0])
    assert one.low < STRENGTHS[3] - STRENGTHS[0] < one.high
    turned = result.difference("jpeg", "jpegxl")
    assert (turned.low, turned.high, turned.p) == (-one.high, -one.low, one.p)
    with pytest.raises(KeyError):
        result.difference("jpeg", "png")


def test_all_ranks_hold_together_as_often_as_they_say() -> None:
    """Two names are truly equal, so no rank may be claimed between them."""
    strengths = np.array([0.5, 0.0, 0.0, -0.5])
    wrong = sharp = 0
    for seed in range(200):
        result = rank(study(1_000, seed=seed, strengths=strengths, of_people=0.2, of_sources=0.2))
        first, last = result.first_rank, result.last_rank
        sharp += int(last[0] == 1)
        wrong += not (first[0] == 1 and first[1] <= 2 and last[1] >= 3 and first[2] <= 2 and last[2] >= 3)
    assert wrong / 200 < 0.07
    assert sharp > 100


def test_the_chance_to_be_best_is_calibrated_between_equals_and_sure_when_clear() -> None:
    clear = rank(study(5_000, strengths=np.array([2.0, 0.0, 0.0, 0.0])))
    assert clear.best[0] > 0.999 and clear.best.sum() == pytest.approx(1.0)
    equal = [rank(study(600, seed=seed, strengths=np.zeros(4))).best[0] for seed in range(60)]
    assert np.mean(equal) == pytest.approx(0.25, abs=0.08)


def test_the_chance_to_be_best_does_not_hang_on_its_draws() -> None:
    rows = study(400, strengths=np.array([0.1, 0.05, 0.0, 0.0]))
    one, other = (rank(rows, seed=seed).best for seed in (1, 2))
    assert one == pytest.approx(other, abs=0.04)
