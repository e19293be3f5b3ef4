"""Shares and ratios with intervals that cover as often as they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from psychometrics.estimates import NOTHING, proportion, ratio


def test_the_wilson_interval_of_a_known_case() -> None:
    """8 of 10 at 95 %: 0.490 to 0.943."""
    result = proportion(8, 10)
    assert (result.value, result.n) == (0.8, 10)
    assert (result.low, result.high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))


@given(st.integers(0, 500), st.integers(0, 500))
def test_an_interval_holds_its_share_and_stays_in_bounds(won: int, lost: int) -> None:
    result = proportion(won, won + lost)
    if won + lost == 0:
        assert result == NOTHING
        return
    assert result.value is not None and result.low is not None and result.high is not None
    assert 0 <= result.low <= result.value + 1e-12 and result.value <= result.high + 1e-12 <= 1 + 1e-9


@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_the_wilson_interval_is_scipys(confidence: float) -> None:
    for successes, trials in ((0, 7), (7, 7), (3, 8), (412, 1000), (1, 100_000)):
        result = proportion(successes, trials, confidence=confidence)
        theirs = binomtest(successes, trials).proportion_ci(confidence, method="wilson")
        assert (result.low, result.high) == pytest.approx((theirs.low, theirs.high), rel=1e-12)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        proportion(3, 2)


@pytest.mark.parametrize("clusters", [7, 12, 29])
def test_a_ratio_over_few_clusters_covers_as_often_as_it_says(clusters: int) -> None:
    covered, repeats = 0, 1_500
    draw = np.random.default_rng(0)
    for _ in range(repeats):
        size = draw.integers(20, 60, clusters).astype(float)
        result = ratio(draw.beta(14, 6, clusters) * size, size, clusters=[np.arange(clusters)])
        assert result.low is not None and result.high is not None
        covered += result.low <= 0.7 <= result.high
    assert 0.925 < covered / repeats < 0.975


def test_a_ratio_over_people_and_photographs_covers_where_one_way_alone_is_too_sure() -> None:
    draw = np.random.default_rng(0)
    both = alone = 0
    repeats, side = 400, 15
    person, photograph = (each.ravel() for each in np.indices((side, side)))
    for _ in range(repeats):
        values = 0.5 + 0.1 * (
            draw.standard_normal(side)[person]
            + draw.standard_normal(side)[photograph]
            + draw.standard_normal(side * side)
        )
        weight = np.ones(values.size)
        for count, ways in ((1, [person, photograph]), (0, [person])):
            result = ratio(values, weight, clusters=ways)
            assert result.low is not None and result.high is not None
            inside = result.low <= 0.5 <= result.high
            both, alone = both + inside * count, alone + inside * (1 - count)
    assert 0.92 < both / repeats < 0.985
    assert alone / repeats < 0.88


def test_one_cluster_gives_a_value_without_an_interval() -> None:
    one = ratio(np.array([1.0, 2.0]), np.array([2.0, 2.0]), clusters=[np.array([0, 0])])
    assert (one.value, one.low, one.high, one.n) == (0.75, None, None, 4)
    assert ratio(np.array([]), np.array([]), clusters=[None]) == NOTHING
