"""A file's own correction: it brings the picture nearer, in whole numbers, and is there only where it pays."""

from dataclasses import replace

import numpy as np
import torch

from codecs_zoo.contract import Pixels
from codecs_zoo.learned.pyramid.bitstream import CORRECTION, Bitstream
from codecs_zoo.learned.pyramid.codec import PyramidCodec
from codecs_zoo.learned.pyramid.correction import Correction, fitted, is_worth_it
from tests.codecs_zoo.learned.pyramid.conftest import smooth_picture

UNITS = 2**13


def noise(seed: int) -> torch.Tensor:
    """A picture of 3 x 40 x 50 whole numbers of 1 / UNITS."""
    return torch.from_numpy(np.random.default_rng(seed).integers(0, UNITS, (3, 40, 50))).double()


def error(a: Pixels, b: Pixels) -> float:
    return float(np.square(a.astype(float) - b).mean())


def test_it_is_in_the_file_and_brings_the_picture_nearer(codec: PyramidCodec) -> None:
    source = smooth_picture(192, 256)
    content = codec.encode(source, bpp=0.6)
    file = Bitstream.unpack(content, codec._weights_id)
    assert len(file.correction) == CORRECTION.size and codec.payload_bytes(content) == len(file.body)
    without = codec.decode(replace(file, correction=b"").pack(codec._weights_id))
    assert error(codec.decode(content), source) < 0.9 * error(without, source)


def test_a_small_file_has_none(codec: PyramidCodec) -> None:
    content = codec.encode(smooth_picture(64, 64), bpp=1.0)
    assert Bitstream.unpack(content, codec._weights_id).correction == b""


def test_what_was_done_to_a_picture_is_undone() -> None:
    source = noise(0)
    done = source.clone()
    done[0] = 0.9 * source[0] + 0.02 * source[1] + 300
    picture = done.round()
    correction = Correction.unpack(fitted(picture, source).pack())
    assert (correction.of(picture) - source).abs().max() < 4
    shifted = correction.of(picture)
    assert torch.equal(shifted, shifted.floor())


def test_its_neighbours_are_those_of_the_filter() -> None:
    coarse = torch.zeros(3, 6, dtype=torch.float64)
    coarse[1, 0], coarse[2, 5] = 64, 32  # green from red's four neighbours, blue from its own diagonal ones
    correction = Correction(torch.zeros(3, 4, dtype=torch.float64), coarse)
    picture = torch.full((3, 5, 5), UNITS / 2, dtype=torch.float64)
    picture[0, 2, 2] += 64
    picture[2, 2, 2] += 64
    added = correction.of(picture) - picture
    assert added[1, 1:4, 1:4].tolist() == [[0, 16, 0], [16, -64, 16], [0, 16, 0]]
    assert added[2, 1:4, 1:4].tolist() == [[8, 0, 8], [0, -32, 0], [8, 0, 8]]
    assert not added[0].any()


def test_any_bytes_are_a_correction_that_stays_exact() -> None:
    content = np.random.default_rng(1).bytes(CORRECTION.size)
    result = Correction.unpack(content).of(noise(2) * 50 - 20 * UNITS)
    assert torch.equal(result, result.floor()) and result.abs().max() < 2**31


def test_it_has_to_save_more_than_its_bytes() -> None:
    source = torch.zeros(3, 100, 100, dtype=torch.float64)
    before, after = source + 2 * UNITS / 255, source + UNITS / 255  # squared errors of 4 and 1 of 255 steps
    bits = 8 * CORRECTION.size / 10000
    assert is_worth_it(before, after, source, weight=1.01 * bits / 3)
    assert not is_worth_it(before, after, source, weight=0.99 * bits / 3)
