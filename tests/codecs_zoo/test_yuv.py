"""RGB to planes and back, by hand and by Pillow's JPEG colour conversion."""

import numpy as np
import pytest
from PIL import Image

from codecs_zoo.contract import Pixels
from codecs_zoo.measure import psnr
from codecs_zoo.yuv import Chroma, padded_side, to_pixels, to_planes


def test_eight_bit_planes_are_those_of_jpeg(picture: Pixels) -> None:
    planes = to_planes(picture, depth=8, chroma="444", multiple=8, smallest=64)
    reference = Image.fromarray(picture).convert("YCbCr").split()
    for plane, theirs in zip(planes, reference, strict=True):
        assert np.abs(plane.astype(int) - np.asarray(theirs)).max() <= 1


@pytest.mark.parametrize(("chroma", "depth", "least"), [("444", 8, 50), ("444", 10, 58), ("420", 10, 30)])
def test_there_and_back_changes_little(picture: Pixels, chroma: Chroma, depth: int, least: float) -> None:
    planes = to_planes(picture, depth=depth, chroma=chroma, multiple=8, smallest=64)
    assert psnr(picture, to_pixels(planes, *picture.shape[:2], depth=depth)) > least


def test_grey_stays_exactly_grey_through_small_chroma() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 64, axis=0).repeat(3, axis=2)
    planes = to_planes(ramp, depth=10, chroma="420", multiple=8, smallest=64)
    assert np.array_equal(to_pixels(planes, 64, 256, depth=10), ramp)


def test_padding_repeats_the_border_and_is_cut_off_again() -> None:
    tiny = np.array([[[250, 10, 60], [0, 0, 0]]], dtype=np.uint8)
    planes = to_planes(tiny, depth=10, chroma="444", multiple=8, smallest=64)
    assert [plane.shape for plane in planes] == [(64, 64)] * 3
    assert np.all(planes[0] == planes[0][0])
    assert np.array_equal(to_pixels(planes, 1, 2, depth=10), tiny)


@pytest.mark.parametrize(("side", "padded"), [(1, 64), (64, 64), (65, 72), (72, 72), (4001, 4008)])
def test_padded_sides(side: int, padded: int) -> None:
    assert padded_side(side, 8, 64) == padded
