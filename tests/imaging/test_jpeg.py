"""JPEG files: an ICC profile in any order, doubled, or with a part that is away; kinds that no browser shows."""

import struct

import imagecodecs
import numpy as np
import pytest

from imaging.errors import PhotographError
from imaging.jpeg import icc_profile
from imaging.pictures import load_photograph
from tests.kit import claims
from tests.kit.claims import P3, patches, profile

ICC_P3 = profile(P3, 2.2)
HALF = len(ICC_P3) // 2


def part(number: int, of: int, content: bytes) -> bytes:
    return b"ICC_PROFILE\0" + bytes([number, of]) + content


def jpeg_with(*parts: bytes) -> bytes:
    """JPEG patches with these APP2 segments behind the JFIF header."""
    content = claims.saved("JPEG", quality=100, subsampling=0)
    segments = b"".join(b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body for body in parts)
    return content[:20] + segments + content[20:]


FIRST, SECOND = part(1, 2, ICC_P3[:HALF]), part(2, 2, ICC_P3[HALF:])
WHOLE = {
    "in order": (FIRST, SECOND),
    "the other way round": (SECOND, FIRST),
    "twice": (part(1, 1, ICC_P3), part(1, 1, ICC_P3)),
    "before another of the same number": (part(1, 1, ICC_P3), part(1, 1, claims.profile(claims.SRGB, 1.0))),
    "each half twice": (FIRST, SECOND, FIRST, SECOND),
    "with a part too many": (FIRST, SECOND, part(3, 2, b"more")),
}
MISSING = {
    "the second half": (FIRST,),
    "the second half, the first twice": (FIRST, FIRST),
    "all that was announced": (part(1, 1, b""),),
    "the first, counted from 0": (part(0, 1, ICC_P3),),
    "the second, counted from 0": (part(0, 2, ICC_P3[:HALF]), part(1, 2, ICC_P3[HALF:])),
}


@pytest.mark.parametrize("way", WHOLE)
def test_a_profile_whose_parts_are_there_is_applied(way: str) -> None:
    """Chromium 156 shows the first patch, (250, 20, 30), as (255, 0, 0)."""
    assert icc_profile(WHOLE[way]) == ICC_P3
    photograph = load_photograph(jpeg_with(*WHOLE[way]))
    assert np.abs(photograph.pixels[32, 8].astype(int) - (255, 0, 0)).max() <= 2
    assert photograph.notes == ("Converted to sRGB from its colour profile (Test).",)


@pytest.mark.parametrize("way", MISSING)
def test_a_profile_that_lacks_a_part_is_not_and_that_is_noted(way: str) -> None:
    photograph = load_photograph(jpeg_with(*MISSING[way]))
    assert np.abs(photograph.pixels[32, 8].astype(int) - (250, 20, 30)).max() <= 3
    (note,) = photograph.notes
    assert "part of its ICC profile is missing" in note


def test_a_file_without_such_segments_has_no_profile() -> None:
    assert icc_profile([]) is None
    assert icc_profile([b"MPF\0"]) is None


def test_twelve_bits_are_called_that_and_not_damage() -> None:
    deep = imagecodecs.jpeg8_encode(patches().astype(np.uint16) * 16, level=95, bitspersample=12)
    with pytest.raises(PhotographError, match="more than 8 bits"):
        load_photograph(bytes(deep))


def test_a_kind_that_no_browser_shows_is_not_only_called_damaged() -> None:
    with pytest.raises(PhotographError, match="damaged, or of a kind that cannot be read here"):
        load_photograph(bytes(imagecodecs.jpegls_encode(patches())))
