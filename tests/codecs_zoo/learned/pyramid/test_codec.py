"""The codec as the zoo sees it: native rate, advice, costs told beforehand."""

from pathlib import Path

import pytest

from codecs_zoo.contract import CodecError, bits_per_pixel
from codecs_zoo.learned.pyramid.codec import PyramidCodec
from tests.codecs_zoo.learned.pyramid.conftest import smooth_picture


def test_the_rate_that_is_wished_for_is_met_in_one_encode(codec: PyramidCodec) -> None:
    picture = smooth_picture(192, 256)
    reach = [bits_per_pixel(len(codec.encode(picture, bpp=bpp)), picture) for bpp in (0.02, 2.5)]
    for share in (0.3, 0.6):
        target = round(reach[0] ** (1 - share) * reach[1] ** share, 4)
        result = bits_per_pixel(len(codec.encode(picture, bpp=target)), picture)
        assert result == pytest.approx(target, rel=0.02)


def test_small_pictures_are_advised_against(codec: PyramidCodec) -> None:
    assert "255 x 400" in codec.advice(smooth_picture(400, 255))
    assert codec.advice(smooth_picture(256, 256)) == ""


def test_more_effort_is_told_to_take_longer(codec: PyramidCodec) -> None:
    costs = [codec.seconds_at({"bpp": 1.0, "effort": effort}) for effort in range(5)]
    assert costs == sorted(costs)
    assert costs[0] == codec.seconds_per_megapixel


def test_without_weights_it_is_unavailable(tmp_path: Path) -> None:
    codec = PyramidCodec()
    codec.weights = tmp_path / "none.safetensors"
    assert not codec.availability().available
    with pytest.raises(CodecError, match="Install closer again"):
        codec.encode(smooth_picture(64, 64), bpp=1.0)
