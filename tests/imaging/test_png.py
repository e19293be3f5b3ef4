"""PNG files can be grown to one size without touching their pixels."""

import struct
import zlib

import numpy as np
import pytest

from imaging.errors import PhotographError
from imaging.png import PNG_CHUNK, decode_png, encode_png, pad_png
from tests.imaging.claims import chunk

PIXELS = np.arange(70 * 80 * 3, dtype=np.uint8).reshape(70, 80, 3)


@pytest.mark.parametrize("more", [0, PNG_CHUNK, PNG_CHUNK + 1, 70_000])
def test_a_padded_file_has_the_size_asked_for_and_the_same_pixels(more: int) -> None:
    content = encode_png(PIXELS)
    padded = pad_png(content, len(content) + more)
    assert len(padded) == len(content) + more
    assert np.array_equal(decode_png(padded), PIXELS)


@pytest.mark.parametrize("more", [-1, 1, PNG_CHUNK - 1])
def test_a_size_that_no_chunk_can_fill_is_refused(more: int) -> None:
    content = encode_png(PIXELS)
    with pytest.raises(ValueError, match="can't be grown"):
        pad_png(content, len(content) + more)


def test_sixteen_bits_are_not_cut_in_silence() -> None:
    deep = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress((b"\0" + bytes(24)) * 4))
    with pytest.raises(PhotographError, match="16 bits, not 8-bit RGB"):
        decode_png(b"\x89PNG\r\n\x1a\n" + deep + rows + chunk(b"IEND", b""))
