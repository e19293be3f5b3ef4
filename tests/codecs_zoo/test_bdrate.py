"""Bjontegaard's delta rate against its published example, SciPy's interpolant and curves known exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from codecs_zoo.bdrate import bd_rate

# The example that goes with VCEG-M33's spreadsheet: kbit/s and dB of two encoders.
ANCHOR = ([686.76, 309.58, 157.11, 85.95], [40.28, 37.18, 34.24, 31.42])
OTHER = ([893.34, 407.8, 204.93, 112.75], [40.39, 37.21, 34.17, 31.24])


def by_one_polynomial() -> float:
    """VCEG-M33 as it was published: one cubic through four points, in per cent."""
    low, high = max(ANCHOR[1][-1], OTHER[1][-1]), min(ANCHOR[1][0], OTHER[1][0])
    areas = [np.polyint(np.polyfit(quality, np.log(rate), 3)) for rate, quality in (ANCHOR, OTHER)]
    anchor, other = (np.polyval(area, high) - np.polyval(area, low) for area in areas)
    return float(100 * np.expm1((other - anchor) / (high - low)))


def by_scipy() -> float:
    low, high = max(ANCHOR[1][-1], OTHER[1][-1]), min(ANCHOR[1][0], OTHER[1][0])
    anchor, other = (
        PchipInterpolator(quality[::-1], np.log(rate[::-1])).integrate(low, high)
        for rate, quality in (ANCHOR, OTHER)
    )
    return float(100 * np.expm1((other - anchor) / (high - low)))


def test_the_published_example() -> None:
    result = bd_rate(*ANCHOR, *OTHER)
    assert result is not None
    assert result.percent == pytest.approx(by_one_polynomial(), abs=0.3)
    assert result.percent == pytest.approx(by_scipy(), abs=1e-9)
    assert result.overlap == pytest.approx((40.28 - 31.42) / (40.39 - 31.24))


@given(st.floats(0.3, 3))
def test_a_constant_factor_is_found_exactly(factor: float) -> None:
    rates, quality = [0.2, 0.4, 0.7, 1.0], [27.0, 30.0, 33.5, 36.0]
    result = bd_rate(rates, quality, [rate * factor for rate in rates], quality)
    assert result is not None
    assert result.percent == pytest.approx(100 * (factor - 1))
    assert result.overlap == 1


def test_a_saving_is_below_zero_and_the_order_of_points_does_not_matter() -> None:
    forth = bd_rate([0.2, 0.5, 1.0], [25, 30, 35], [1.0, 0.5, 0.2], [37, 32, 27])
    assert forth is not None and forth.percent < 0


def test_a_point_that_costs_more_and_shows_less_is_left_out() -> None:
    dented = bd_rate([0.2, 0.4, 0.5, 0.8], [27, 30, 29, 33], [0.2, 0.4, 0.8], [27, 30, 33])
    assert dented is not None and dented.percent == pytest.approx(0)


@pytest.mark.parametrize("quality", [[40, 42, 44], [30, 30, 30]])
def test_curves_that_do_not_meet_have_none(quality: list[float]) -> None:
    assert bd_rate([0.2, 0.4, 0.8], [27, 30, 33], [0.2, 0.4, 0.8], quality) is None


def test_one_point_is_no_curve() -> None:
    assert bd_rate([0.2, 0.4], [27, 30], [0.3], [28]) is None


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="not above 0 bpp"):
        bd_rate([0, 0.4], [27, 30], [0.3, 0.4], [28, 29])
