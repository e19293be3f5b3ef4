"""PNG files that tell nothing but their size, and PNG files that are refused."""

import struct
import zlib

import numpy as np
import pytest

from imaging.errors import PhotographError
from imaging.pictures import load_photograph
from imaging.png import chunks, decode_png, plain_png, unpacked_profile
from tests.kit.claims import P3, SRGB, chunk, iccp, png, profile

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


@pytest.mark.parametrize(
    ("place", "value", "words"), [(26, 1, "names methods"), (27, 1, "damaged"), (28, 2, "names methods")]
)
def test_methods_that_the_standard_does_not_know_are_refused(place: int, value: int, words: str) -> None:
    """Of compression, filters and interlacing: browsers show no such file, Pillow refuses the second alone."""
    content = plain_png(PIXELS, seed=1)
    header = content[16:place] + bytes([value]) + content[place + 1 : 29]
    with pytest.raises(PhotographError, match=words):
        load_photograph(content[:8] + chunk(b"IHDR", header) + content[33:])


def test_of_two_profiles_the_first_counts() -> None:
    """As in browsers; Pillow keeps the last."""
    profiles = [iccp(profile(P3, 2.2)), iccp(profile(SRGB, 1.0))]
    one, both = (load_photograph(png(*some)).pixels for some in (profiles[:1], profiles))
    assert np.array_equal(one, both)
    assert not np.array_equal(one, load_photograph(png()).pixels)


def test_a_profile_of_some_megabytes_is_unpacked() -> None:
    content = profile(P3, 2.2, (b"junk", bytes(2_000_000)))
    assert unpacked_profile(b"name\0\0" + zlib.compress(content)) == content
    assert unpacked_profile(b"name\0\1" + zlib.compress(content)) == b""
    assert unpacked_profile(b"name\0\0" + zlib.compress(content)[:-9]) == b""
    assert unpacked_profile(b"name") == b""
    assert "(Test)" in load_photograph(png(iccp(content))).notes[0]


def test_a_long_text_is_no_damage() -> None:
    """Photoshop's XMP can be some megabytes, of which Pillow takes one by itself."""
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 3_000_000))
    xmp = chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"x" * 3_000_000))
    assert np.array_equal(load_photograph(png(text, xmp)).pixels, load_photograph(png()).pixels)
