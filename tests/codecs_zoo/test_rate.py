"""Aiming at a bpp, on codecs whose curve is known exactly."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecs_zoo import registry
from codecs_zoo.contract import Codec, Knob, Pixels, Settings
from codecs_zoo.rate import RateError, encode_to_bpp, within_reach

PIXELS: Pixels = np.zeros((400, 400, 3), np.uint8)


class Curve(Codec):
    """Writes as many bytes as a formula says; the formula is its only property."""

    name = "curve"
    licence = "none"
    knob = Knob("q", 0, 100, step=0.01, rises=True)
    rate_curve = ((0, 0.05), (50, 0.5), (100, 5.0))

    def __init__(self, bpp_at: Callable[[float], float], knob: Knob | None = None) -> None:
        self.bpp_at = bpp_at
        if knob is not None:
            self.knob = knob  # type: ignore[misc]

    def libraries(self) -> dict[str, str]:
        return {"curve": "1"}

    def _encode(self, pixels: Pixels, settings: Settings) -> bytes:
        return bytes(round(self.bpp_at(float(settings["q"])) * pixels.shape[0] * pixels.shape[1] / 8))

    def _decode(self, bitstream: bytes) -> Pixels:
        return PIXELS

    def payload_bytes(self, bitstream: bytes) -> int:
        return len(bitstream) - 100


def test_a_right_prior_needs_one_encode() -> None:
    result = encode_to_bpp(Curve(lambda q: 0.05 * 10 ** (q / 50)), PIXELS, 0.3)
    assert (result.encodes, result.reached) == (1, True)
    assert result.bpp == pytest.approx(0.3, rel=0.02)
    assert result.bpp - result.payload_bpp == pytest.approx(100 * 8 / PIXELS[..., 0].size)
    assert result.operating_point == {"q": pytest.approx(38.9, abs=0.02)}
    assert len(result.bitstream) * 8 / PIXELS[..., 0].size == result.bpp


@given(
    scale=st.floats(0.3, 3), power=st.floats(0.6, 1.7), bend=st.floats(-0.4, 0.4), target=st.floats(0.2, 1.2)
)
def test_any_smooth_curve_is_hit_in_a_few_encodes(
    scale: float, power: float, bend: float, target: float
) -> None:
    def bpp_at(q: float) -> float:
        return scale * 0.5 * 10 ** (power * (q / 50 - 1) + bend * math.sin(q / 12) / 6)

    low, high = bpp_at(0), bpp_at(100)
    if not low * 1.02 < target < high / 1.02:
        return
    result = encode_to_bpp(Curve(bpp_at), PIXELS, target)
    assert result.reached
    assert result.encodes <= 8
    assert abs(result.bpp / target - 1) <= 0.02


@given(st.floats(0.1, 3))
def test_a_coarse_knob_ends_at_its_nearest_step_and_says_so(target: float) -> None:
    steps = Knob("q", 0, 20, step=1, rises=True)
    codec = Curve(lambda q: 0.09 * 1.2**q, steps)
    result = encode_to_bpp(codec, PIXELS, target)
    nearest = min((0.09 * 1.2**q for q in range(21)), key=lambda bpp: abs(bpp / target - 1))
    assert result.bpp == pytest.approx(nearest, rel=0.01)
    assert result.reached == (abs(result.bpp / target - 1) <= 0.02)
    assert isinstance(result.operating_point["q"], int)


def test_a_falling_knob_works_alike() -> None:
    class Falling(Curve):
        knob = Knob("q", 0, 100, step=0.01, rises=False)
        rate_curve = ((0, 5.0), (100, 0.05))

    result = encode_to_bpp(Falling(lambda q: 4 * math.exp(-q / 20)), PIXELS, 0.5)
    assert result.reached
    assert result.bpp == pytest.approx(0.5, rel=0.02)


def test_the_best_encode_is_kept_though_the_curve_has_a_dent() -> None:
    seen: list[float] = []

    def dented(q: float) -> float:
        bpp = 0.1 * 10 ** (q / 50) * (0.7 if 30 < q < 36 else 1)
        seen.append(bpp)
        return bpp

    result = encode_to_bpp(Curve(dented), PIXELS, 0.37, tolerance=0.0001)
    assert abs(result.bpp - 0.37) == pytest.approx(min(abs(bpp - 0.37) for bpp in seen), abs=1e-4)


def test_a_limit_on_encodes_is_kept_and_the_miss_is_told() -> None:
    result = encode_to_bpp(Curve(lambda q: 0.2 * 10 ** (q / 80)), PIXELS, 0.9, tolerance=1e-6, max_encodes=2)
    assert result.encodes == 2
    assert not result.reached


@pytest.mark.parametrize(("target", "words"), [(0.01, "less than 0.05 bpp"), (40, "more than 5 bpp")])
def test_out_of_reach_names_the_nearest_rate(target: float, words: str) -> None:
    with pytest.raises(RateError, match=f"cannot produce {words} for this 400 x 400 picture.*Choose a"):
        encode_to_bpp(Curve(lambda q: 0.05 * 10 ** (q / 50)), PIXELS, target)


def test_just_out_of_reach_is_a_near_miss() -> None:
    result = encode_to_bpp(Curve(lambda q: 0.05 * 10 ** (q / 50)), PIXELS, 0.047)
    assert not result.reached
    assert result.bpp == pytest.approx(0.05, rel=0.01)


@pytest.mark.parametrize("target", [0.044, 5.7])
def test_more_than_a_tenth_out_of_reach_is_an_error(target: float) -> None:
    with pytest.raises(RateError, match="cannot reach"):
        encode_to_bpp(Curve(lambda q: 0.05 * 10 ** (q / 50)), PIXELS, target)
    assert not within_reach(target, 0.05, 5.0)
    assert within_reach(0.046, 0.05, 5.0) and within_reach(5.5, 0.05, 5.0)


@pytest.mark.parametrize("target", [0, -1, math.nan, math.inf])
def test_a_target_that_is_no_rate_is_refused(target: float) -> None:
    with pytest.raises(RateError, match="use a number above 0"):
        encode_to_bpp(Curve(lambda q: 1), PIXELS, target)


@pytest.mark.parametrize("name", ["jpeg", "jpeg2000", "webp", "jpegxl", "avif"])
def test_real_codecs_come_close_and_can_do_it_again(name: str, picture: Pixels) -> None:
    result = encode_to_bpp(registry.get(name), picture, 0.6)
    assert abs(result.bpp / 0.6 - 1) <= 0.03
    assert result.encodes <= 8
    assert registry.get(name).encode(picture, **result.operating_point) == result.bitstream
