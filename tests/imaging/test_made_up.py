"""Files in which a decoder makes up pixels where browsers show none, or others: each is refused."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from imaging.errors import PhotographError
from imaging.pictures import load_photograph
from imaging.pixels import Pixels
from imaging.png import SIGNATURE
from tests.imaging.test_cut_short import HEIGHT, WIDTH, chunk, interlaced_rows, png_of, saved

PALETTE_ENTRIES = 10
AFTER_HEADER = len(SIGNATURE) + 25


@pytest.fixture
def noise() -> Pixels:
    return np.random.default_rng(4).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def filtered(pixels: Pixels, method: int, *, interlaced: int) -> bytes:
    """The last row is by another filter than the others."""
    rows = interlaced_rows(pixels) if interlaced else b"".join(b"\0" + row.tobytes() for row in pixels)
    last = len(rows) - 1 - 3 * WIDTH
    return png_of(zlib.compress(rows[:last] + bytes([method]) + rows[last + 1 :]), interlaced=interlaced)


@pytest.mark.parametrize("interlaced", [0, 1])
def test_a_row_by_a_filter_that_is_none(noise: Pixels, interlaced: int) -> None:
    assert load_photograph(filtered(noise, 4, interlaced=interlaced)).width == WIDTH
    with pytest.raises(PhotographError, match="unknown filter"):
        load_photograph(filtered(noise, 5, interlaced=interlaced))


def palette_png(highest: int) -> bytes:
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    row = bytes([0]) + bytes(n % (highest + 1) for n in range(WIDTH))
    parts = (b"IHDR", header), (b"PLTE", bytes(3 * PALETTE_ENTRIES)), (b"IDAT", zlib.compress(row * HEIGHT))
    return SIGNATURE + b"".join(chunk(*part) for part in parts) + chunk(b"IEND", b"")


def test_a_colour_that_the_palette_lacks() -> None:
    assert load_photograph(palette_png(PALETTE_ENTRIES - 1)).width == WIDTH
    with pytest.raises(PhotographError, match="palette lacks"):
        load_photograph(palette_png(PALETTE_ENTRIES))


@pytest.mark.parametrize("format", ["PNG", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("colours", [2, 7, 256])
def test_palettes_of_every_size_are_read(noise: Pixels, format: str, colours: int) -> None:
    buffer, few = io.BytesIO(), Image.fromarray(noise).quantize(colours)
    few.save(buffer, format)
    assert np.array_equal(load_photograph(buffer.getvalue()).pixels, np.array(few.convert("RGB")))


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        (b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0), "IHDR twice"),
        (b"CgBI", b"\x50\0\x20\2", "CgBI chunk is not of the standard"),
    ],
)
def test_a_chunk_that_no_reader_may_pass_over(noise: Pixels, name: bytes, body: bytes, words: str) -> None:
    whole = saved(noise, "PNG")
    with pytest.raises(PhotographError, match=words):
        load_photograph(whole[:AFTER_HEADER] + chunk(name, body) + whole[AFTER_HEADER:])
    passed_over = whole[:AFTER_HEADER] + chunk(name.lower(), body) + whole[AFTER_HEADER:]
    assert np.array_equal(load_photograph(passed_over).pixels, noise)


def larger_screen(gif: bytes) -> bytes:
    return gif[:6] + struct.pack("<HH", WIDTH + 30, HEIGHT + 30) + gif[10:]


def frame_aside(gif: bytes) -> bytes:
    at = gif.index(b"\x2c" + bytes(4) + struct.pack("<HH", WIDTH, HEIGHT)) + 1
    return larger_screen(gif)[:at] + struct.pack("<HH", 30, 30) + gif[at + 4 :]


@pytest.mark.parametrize("change", [larger_screen, frame_aside])
def test_a_frame_that_does_not_fill_its_screen(noise: Pixels, change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(PhotographError, match="does not fill"):
        load_photograph(change(saved(noise, "GIF", "P")))


def test_a_jpeg_that_lacks_a_part_between_two_restarts(noise: Pixels) -> None:
    whole = saved(noise, "JPEG", quality=80, restart_marker_rows=1)
    assert load_photograph(whole).width == WIDTH
    first, second = whole.index(b"\xff\xd1"), whole.index(b"\xff\xd2")
    with pytest.raises(PhotographError, match="a part in the middle is missing"):
        load_photograph(whole[:first] + whole[second:])
