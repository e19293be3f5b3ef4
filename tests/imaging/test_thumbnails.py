"""Small copies of pictures: a piece at its own scale, or the whole made smaller."""

import io

import numpy as np
import pytest
from PIL import Image

from imaging.png import encode_png
from imaging.thumbnails import LONGEST, SIDE, thumbnail


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def png(width: int, height: int) -> bytes:
    """Black, with a white square of SIDE in the middle."""
    pixels = np.zeros((height, width, 3), np.uint8)
    top, left = (height - SIDE) // 2, (width - SIDE) // 2
    pixels[top : top + SIDE, left : left + SIDE] = 255
    return encode_png(pixels)


def test_a_piece_is_from_the_middle_at_its_own_scale() -> None:
    piece = opened(thumbnail(png(700, 500), "crop"))
    assert piece.size == (SIDE, SIDE)
    assert np.asarray(piece).min() > 200


def test_the_whole_is_made_smaller_in_its_own_shape() -> None:
    small = opened(thumbnail(png(800, 400), "small"))
    assert small.size == (LONGEST, LONGEST // 2)
    assert np.asarray(small)[0, 0].max() < 50


def test_a_picture_that_is_small_already_stays_as_large() -> None:
    content = encode_png(np.full((40, 60, 3), 128, np.uint8))
    assert opened(thumbnail(content, "crop")).size == opened(thumbnail(content, "small")).size == (60, 40)


def test_it_takes_a_few_kilobytes() -> None:
    noise = np.random.default_rng(1).normal(128, 20, (400, 400, 3)).clip(0, 255).astype(np.uint8)
    assert len(thumbnail(encode_png(noise), "crop")) < 16_000


def test_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="crop, small"):
        thumbnail(png(200, 200), "large")
