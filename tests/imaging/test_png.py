"""PNG files that tell nothing but their size, and PNG files that are refused."""

import struct
import zlib

import numpy as np
import pytest

from imaging.errors import PhotographError
from imaging.png import chunks, decode_png, plain_png
from tests.kit.claims import chunk

PIXELS = np.arange(70 * 80 * 3, dtype=np.uint8).reshape(70, 80, 3)


PICTURES = {
    "smooth": np.full_like(PIXELS, 127),
    "busy": np.random.default_rng(1).integers(0, 256, PIXELS.shape, dtype=np.uint8),
    "ramp": PIXELS,
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_plain_file_has_the_pixels_whatever_its_seed(name: str) -> None:
    files = [plain_png(PICTURES[name], seed=seed) for seed in range(20)]
    assert all(np.array_equal(decode_png(file), PICTURES[name]) for file in files)
    assert len(set(files)) == len(files)
    assert plain_png(PICTURES[name], seed=3) == files[3]


def test_the_parts_of_a_plain_file_are_as_long_for_any_picture_of_its_size() -> None:
    files = [plain_png(pixels, seed=seed) for seed, pixels in enumerate(PICTURES.values())]
    parts = {tuple((part.name, len(part.content), part.start) for part in chunks(file)) for file in files}
    assert len(parts) == 1
    # Blocks of a zlib stream have readable lengths: they are all stored, and alike.
    assert len({file.find(b"IDAT") for file in files}) == 1
    assert {file[43] & 0b110 for file in files} == {0}


def test_sixteen_bits_are_not_cut_in_silence() -> None:
    deep = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress((b"\0" + bytes(24)) * 4))
    with pytest.raises(PhotographError, match="16 bits, not 8-bit RGB"):
        decode_png(b"\x89PNG\r\n\x1a\n" + deep + rows + chunk(b"IEND", b""))
