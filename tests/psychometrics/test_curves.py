"""Quality over bits: monotone, with a band, and the bits that two methods need for equal quality."""

import numpy as np
import pytest

from psychometrics.conditions import THE_ORIGINAL, ComparedMethod
from psychometrics.curves import (
    Curve,
    CurveError,
    _interval,
    equal_quality,
    monotone,
    rate_quality_curves,
)
from psychometrics.ranking import Ranking, rank
from tests.psychometrics.studies import study

LEVELS = (0.125, 0.25, 0.5, 1.0)
SAVING = 0.25  # b needs a quarter fewer bits than a
NAMES = (THE_ORIGINAL, *(ComparedMethod(method, level) for method in "ab" for level in LEVELS))
BITS = {name: (name.method, name.level or 0.0) for name in NAMES[1:]}


def quality(method: str, bits: float) -> float:
    """In JND below the original."""
    return 1.2 * np.log2(bits / (1 - SAVING if method == "b" else 1.0)) - 1.0


def ranked(seed: int = 0, judgments: int = 6_000) -> Ranking:
    strengths = np.array([0.5, *(quality(name.method, name.level or 1.0) for name in NAMES[1:])])
    return rank(
        study(judgments, seed=seed, strengths=strengths, names=NAMES, of_people=0.1, of_sources=0.1),
        reference=THE_ORIGINAL,
    )


def test_curves_rise_and_stand_within_their_bands() -> None:
    a, b = rate_quality_curves(ranked(), BITS)
    for curve in (a, b):
        assert (np.diff(curve.line) >= -1e-9).all()
        assert (curve.band_low <= curve.line + 0.05).all() and (curve.line <= curve.band_high + 0.05).all()
        assert curve.bits.tolist() == list(LEVELS)
        assert curve.line[[0, -1]] == pytest.approx(curve.quality[[0, -1]], abs=0.15)
    assert (b.line > a.line).mean() > 0.9


def test_bits_at_equal_quality_are_found_and_their_interval_covers() -> None:
    covered, actual = [], []
    for seed in range(40):
        result = equal_quality(*rate_quality_curves(ranked(seed, 4_000), BITS, draws=150))
        assert result.more.value is not None and result.more.low is not None and result.more.high is not None
        actual.append(result.more.value)
        covered.append(result.more.low <= -SAVING <= result.more.high)
    assert np.mean(actual) == pytest.approx(-SAVING, abs=0.04)
    assert 0.85 <= np.mean(covered) <= 1.0


def test_turning_the_two_round_turns_the_ratio_round() -> None:
    a, b = rate_quality_curves(ranked(), BITS)
    there, back = equal_quality(a, b).more.value, equal_quality(b, a).more.value
    assert there is not None and back is not None
    assert (1 + there) * (1 + back) == pytest.approx(1.0, rel=1e-6)


def test_methods_that_share_no_quality_cannot_be_compared() -> None:
    def at(method: str, quality: float) -> Curve:
        bits, points = np.array([0.5, 1.0]), np.array([quality, quality + 1])
        return Curve(
            method, bits, points, points, points, bits, points, points, points, np.tile(points, (20, 1))
        )

    result = equal_quality(at("a", 0.0), at("b", 5.0))
    assert result.more.value is None and "have no quality in common" in result.why


def test_a_dip_is_levelled_and_not_drawn() -> None:
    bits = np.array([0.1, 0.2, 0.4, 0.8])
    line = monotone(bits, np.array([0.0, 2.0, 1.0, 3.0]), np.array([0.1, 0.2, 0.3, 0.4, 0.8]))
    assert line == pytest.approx([0.0, 1.5, 1.5, 1.5, 3.0])


def test_bits_must_be_above_zero_and_each_its_own() -> None:
    ranking = ranked()
    with pytest.raises(CurveError, match="above 0"):
        rate_quality_curves(ranking, BITS | {NAMES[1]: ("a", 0.0)})
    with pytest.raises(CurveError, match="same bits"):
        rate_quality_curves(ranking, BITS | {NAMES[1]: ("a", 0.25)})
    assert rate_quality_curves(ranking, {NAMES[1]: ("a", 0.125)}) == []


def test_as_many_draws_as_it_takes_for_two_seeds_to_agree() -> None:
    ranking = ranked()
    result = [equal_quality(*rate_quality_curves(ranking, BITS, seed=seed)).more for seed in (1, 2)]
    widths = [one.high - one.low for one in result if one.high is not None and one.low is not None]
    assert widths[0] == pytest.approx(widths[1], rel=0.2)
    assert rate_quality_curves(ranking, BITS)[0].band_low == pytest.approx(
        rate_quality_curves(ranking, BITS, seed=2)[0].band_low, abs=0.08
    )


@pytest.mark.parametrize(("apart", "has_interval"), [(50, True), (51, False)])
def test_no_interval_where_more_than_a_tenth_of_the_draws_share_no_quality(
    apart: int, has_interval: bool
) -> None:
    drawn = np.linspace(1, 2, 500)
    drawn[:apart] = np.nan
    assert (_interval(1.5, drawn).low is not None) is has_interval
