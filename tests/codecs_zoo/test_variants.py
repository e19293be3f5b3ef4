"""A codec with options has a name of its own, and its files are the codec's own."""

import numpy as np
import pytest

from codecs_zoo import registry
from codecs_zoo.contract import CodecError
from codecs_zoo.rate import encode_to_bpp
from codecs_zoo.variants import with_options


@pytest.fixture
def pixels() -> np.ndarray:
    rng = np.random.default_rng(4)
    smooth = np.add.outer(np.arange(96), np.arange(128))[:, :, None] % 200
    return (smooth + rng.integers(0, 40, (96, 128, 3))).astype(np.uint8)


def test_a_name_with_options_is_a_codec_with_those_options(pixels: np.ndarray) -> None:
    grain = registry.get("avif@grain=fixed")
    assert grain.name == "avif@grain=fixed" and grain.family == "avif"
    assert grain.complete_settings({"quantizer": 30})["grain"] == "fixed"
    result = encode_to_bpp(grain, pixels, 1.5)
    assert result.operating_point["grain"] == "fixed"
    assert np.array_equal(registry.get("avif").decode(result.bitstream), grain.decode(result.bitstream))


def test_one_setting_has_one_name() -> None:
    assert registry.get("avif@speed=4.0").name == "avif@speed=4"
    assert registry.get("avif@speed=6.0").complete_settings({"quantizer": 30})["speed"] == 6
    assert registry.get("avif@grain=fixed,tune=ssim").name == "avif@tune=ssim,grain=fixed"
    assert registry.get("avif@tune=iq").name == "avif"
    assert registry.get("avif@speed=6,sharpness=3").name == "avif@sharpness=3"


def test_options_beside_those_of_a_name_are_one_list() -> None:
    """`--codec avif@tune=ssim` was called avif@tune=ssim@tune=ssim, with --option and without."""
    named = registry.get("avif@grain=fixed")
    assert with_options(named, {}).name == "avif@grain=fixed"
    assert with_options(named, {"tune": "ssim"}).name == "avif@tune=ssim,grain=fixed"
    chosen = with_options(registry.get("avif@choose-by=psnr,choose=tune"), {"grain": "fixed"})
    assert chosen.name == "avif@grain=fixed,choose-by=psnr,choose=tune"


def test_a_truth_value_is_no_number_of_an_option() -> None:
    with pytest.raises(CodecError, match="effort is True; use one of 0, 1, 2, 3"):
        registry.get("checkerboard").complete_settings({"quality": 3, "effort": True})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("avif@", "is not of the form NAME@OPTION=VALUE"),
        ("avif@grain", "is not of the form NAME@OPTION=VALUE"),
        ("avif@grain=fixed,grain=none", "each option once"),
        ("avif@colour=red", "no option colour; it has tune, speed, sharpness, grain"),
        ("avif@grain=much", "use one of none, estimated, fixed"),
        ("jpeg@effort=2", "no option effort; it has none"),
    ],
)
def test_what_is_no_such_name_is_refused_with_what_is(name: str, text: str) -> None:
    with pytest.raises(CodecError, match=text):
        registry.get(name)


def test_an_option_that_is_fixed_can_not_be_changed() -> None:
    with pytest.raises(CodecError, match="has grain fixed"):
        registry.get("avif@grain=fixed").complete_settings({"quantizer": 30, "grain": "none"})


def test_grain_and_sharpness_change_the_file_and_the_default_does_not(pixels: np.ndarray) -> None:
    avif = registry.get("avif")
    plain = avif.encode(pixels, quantizer=40)
    assert avif.encode(pixels, quantizer=40, grain="none", sharpness="auto") == plain
    options: list[dict[str, str | int]] = [{}, {"grain": "estimated"}, {"grain": "fixed"}, {"sharpness": 5}]
    others = [avif.encode(pixels, quantizer=40, tune="ssim", **option) for option in options]
    assert len(set(others)) == 4


def test_tables_of_mozjpeg_change_the_file(pixels: np.ndarray) -> None:
    mozjpeg = registry.get("mozjpeg")
    if not mozjpeg.availability().available:
        pytest.skip(mozjpeg.availability().reason)
    made = {mozjpeg.encode(pixels, quality=40, quant_table=table) for table in range(9)}
    assert len(made) > 5 and mozjpeg.encode(pixels, quality=40) in made
