"""TIFF files by what their numbers are: read, or refused for what they hold, never read as something else."""

import io
import struct
from typing import Any

import numpy as np
import pytest
import tifffile

from imaging.errors import PhotographError
from imaging.pictures import load_photograph
from imaging.pixels import Pixels
from imaging.tiff import BITS_PER_SAMPLE, IMAGE_DEPTH
from tests.kit.claims import patches

RGB = patches()
GREY = np.ascontiguousarray(RGB[..., 0])


def tiff(values: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, **{"photometric": "rgb", **options})
    return buffer.getvalue()


def with_channels(more: int, value: int = 128) -> Pixels:
    return np.concatenate([RGB, np.full((*RGB.shape[:2], more), value, np.uint8)], axis=2)


READ = {
    "big endian": tiff(RGB, byteorder=">"),
    "BigTIFF": tiff(RGB, bigtiff=True),
    "planes": tiff(RGB.transpose(2, 0, 1).copy(), planarconfig="separate"),
    "tiles": tiff(RGB, tile=(16, 16)),
    "strips": tiff(RGB, rowsperstrip=7),
    "LZW": tiff(RGB, compression="lzw"),
    "deflate with differences": tiff(RGB, compression="zlib", predictor=True),
    "PackBits": tiff(RGB, compression="packbits"),
    "Zstandard": tiff(RGB, compression="zstd"),
}


@pytest.mark.parametrize("way", READ)
def test_every_way_to_store_the_same_numbers_gives_them(way: str) -> None:
    photograph = load_photograph(READ[way])
    assert np.array_equal(photograph.pixels, RGB)
    assert photograph.notes == ()


def test_where_white_is_zero_grey_is_turned_round() -> None:
    photograph = load_photograph(tiff(GREY, photometric="miniswhite"))
    assert np.array_equal(photograph.pixels[..., 1], 255 - GREY)


@pytest.mark.parametrize("more", [1, 2])
def test_channels_of_no_stated_meaning_are_dropped_with_a_note(more: int) -> None:
    photograph = load_photograph(tiff(with_channels(more), extrasamples=["unspecified"] * more))
    assert np.array_equal(photograph.pixels, RGB)
    assert photograph.notes == (f"Channels beyond its colours were dropped: {more}.",)


@pytest.mark.parametrize("kind", ["assocalpha", "unassalpha"])
def test_transparency_counts_whether_multiplied_in_or_not(kind: str) -> None:
    assert load_photograph(tiff(with_channels(1, 255), extrasamples=[kind])).notes == (
        "Its opaque alpha channel was dropped.",
    )
    with pytest.raises(PhotographError, match="partly transparent"):
        load_photograph(tiff(with_channels(1), extrasamples=[kind]))


REFUSED = {
    "numbers with a sign": (tiff(GREY.view(np.int8), photometric="minisblack"), "signed or floating-point"),
    "a volume": (tiff(np.stack([RGB, RGB]), volumetric=True, tile=(16, 16, 16)), "several frames"),
    "pages": (tiff(np.stack([RGB, RGB])), "several frames"),
    "16 bits": (tiff(RGB.astype(np.uint16) * 257), "more than 8 bits"),
    "half floats": (tiff((RGB / 255).astype(np.float16)), "more than 8 bits"),
    "floats": (tiff((RGB / 255).astype(np.float32)), "more than 8 bits"),
    "floats, BigTIFF": (tiff((RGB / 255).astype(np.float32), bigtiff=True), "more than 8 bits"),
    "32 bits of grey": (tiff(GREY.astype(np.uint32), photometric="minisblack"), "more than 8 bits"),
    "Lab": (tiff(RGB, photometric="cielab"), "colour mode is LAB"),
    "ICC Lab": (tiff(RGB, photometric="icclab"), "of a kind that cannot be read"),
    "inks": (tiff(with_channels(1), photometric="separated"), "CMYK"),
    "RGB with a sign": (tiff(RGB.view(np.int8)), "of a kind that cannot be read"),
    "JPEG 2000 inside": (tiff(RGB, compression="jpeg2000"), "of a kind that cannot be read"),
}


@pytest.mark.parametrize("way", REFUSED)
def test_what_would_be_a_guess_is_refused_by_its_name(way: str) -> None:
    content, words = REFUSED[way]
    with pytest.raises(PhotographError, match=words):
        load_photograph(content)


RESOLUTION_UNIT = 296


def with_text(tag: int, entry: int) -> bytes:
    """A file whose entry of one tag is another tag's and holds the text "x", where readers expect whole numbers."""
    content = bytearray(tiff(GREY, photometric="minisblack"))
    (start,) = struct.unpack_from("<I", content, 4)
    place = content.index(struct.pack("<H", entry), start + 2)
    content[place : place + 12] = struct.pack("<HHI4s", tag, 2, 2, b"x")
    return bytes(content)


def test_text_in_place_of_numbers_is_ignored_or_refused_in_words() -> None:
    ignored = load_photograph(with_text(IMAGE_DEPTH, RESOLUTION_UNIT))
    assert np.array_equal(ignored.pixels[..., 0], GREY)
    with pytest.raises(PhotographError, match="of a kind that cannot be read"):
        load_photograph(with_text(BITS_PER_SAMPLE, BITS_PER_SAMPLE))
