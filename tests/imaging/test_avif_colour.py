"""AVIF files that name half of their colour, none in their boxes, or something that Pillow passes over."""

import struct
from typing import Any

import imagecodecs
import numpy as np
import pytest

from imaging.av1 import colour_of_sequence
from imaging.avif import refuse_own_crop
from imaging.boxes import boxes, item_properties
from imaging.errors import PhotographError
from imaging.pictures import load_photograph
from tests.kit import claims
from tests.kit.claims import COLOURS, patches

P3 = [(255, 0, 0), (0, 204, 0), (15, 61, 229), (128, 128, 128), (206, 158, 77), (49, 91, 45)]
LINEAR = [(253, 79, 96), (79, 229, 110), (96, 133, 239), (188, 188, 188), (229, 208, 160), (133, 160, 122)]


def in_its_sequence_alone(primaries: int, curve: int, **options: Any) -> bytes:
    """A file whose colour only the header of its AV1 data names: its `colr` box is free space."""
    content = imagecodecs.avif_encode(
        patches(), level=100, primaries=primaries, transfer=curve, matrix=1, pixelformat="444", **options
    )
    assert b"colrnclx" in content
    return bytes(content).replace(b"colrnclx", b"freenclx")


def colours(content: bytes) -> np.ndarray:
    photograph = load_photograph(content)
    return photograph.pixels[32, 8 : 16 * len(COLOURS) : 16].astype(int)


# As Chromium 156 shows these patches, by getImageData of a canvas in sRGB.
@pytest.mark.parametrize(
    ("content", "shown", "words"),
    [
        (claims.avif(12, 2), P3, "Display P3 primaries with the curve of sRGB, by its nclx property"),
        (claims.avif(2, 8), LINEAR, "sRGB primaries with linear light, by its nclx property"),
        (
            in_its_sequence_alone(12, 13),
            P3,
            "Display P3 primaries with the curve of sRGB, by its AV1 sequence",
        ),
        (in_its_sequence_alone(1, 8), LINEAR, "sRGB primaries with linear light, by its AV1 sequence header"),
    ],
)
def test_what_is_not_named_is_srgbs_and_a_header_counts_without_boxes(
    content: bytes, shown: list[tuple[int, int, int]], words: str
) -> None:
    assert np.abs(colours(content) - shown).max() <= 4  # the loss of the codec, in linear light
    (note,) = load_photograph(content).notes
    assert words in note


@pytest.mark.parametrize(("primaries", "curve"), [(1, 2), (2, 13), (2, 1), (2, 6)])
def test_halves_that_are_srgbs_pass_without_a_note(primaries: int, curve: int) -> None:
    assert load_photograph(claims.avif(primaries, curve)).notes == ()


@pytest.mark.parametrize("curve", [16, 18])
def test_high_dynamic_range_in_the_sequence_header_is_refused(curve: int) -> None:
    with pytest.raises(PhotographError, match="by its AV1 sequence header"):
        load_photograph(in_its_sequence_alone(9, curve))


def test_boxes_count_before_the_sequence_header() -> None:
    content = bytes(imagecodecs.avif_encode(patches(), level=100, primaries=12, transfer=13, matrix=1))
    place = content.find(b"nclx") + 4
    assert load_photograph(content[:place] + struct.pack(">HH", 1, 13) + content[place + 4 :]).notes == ()


def test_a_video_of_one_frame_has_a_longer_header() -> None:
    """Timing, operating points and tools of a video stand before its colour."""
    content = bytes(
        imagecodecs.avif_encode(patches()[None].repeat(2, 0), primaries=12, transfer=13, matrix=1)
    )
    assert colour_of_sequence(content) == (12, 13)


@pytest.mark.parametrize("kept", [0, 3, 5, 7])
def test_a_header_that_ends_early_names_nothing(kept: int) -> None:
    content = in_its_sequence_alone(12, 13)
    start = content.find(b"\x0a", content.find(b"mdat"))
    assert colour_of_sequence(content) == (12, 13)
    assert colour_of_sequence(content[: start + kept]) == (2, 2)


def test_ten_bits_are_seen_whatever_else_looks_like_their_property() -> None:
    content = bytes(imagecodecs.avif_encode(patches().astype(np.uint16) * 4, bitspersample=10, level=90))
    assert content[8:12] == b"avif"
    assert b"miaf" in content[:40]
    with pytest.raises(PhotographError, match="more than 8 bits"):
        load_photograph(content.replace(b"miaf", b"av1C", 1))


def with_clean_aperture(width: int, height: int) -> bytes:
    """A file whose `colr` box is a `clap` box of this size about the middle."""
    content = claims.saved("AVIF", quality=100)
    clap = struct.pack(">8I", width, 1, height, 1, 0, 1, 0, 1)
    old = next(body for name, body in item_properties(content) if name == b"colr")
    place = content.find(b"colr" + old) - 4
    grown = (
        content[:place] + struct.pack(">I4s", 8 + len(clap), b"clap") + clap + content[place + 8 + len(old) :]
    )
    # Readers must know the property: the highest bit of its number says so.
    number = 1 + [name for name, _ in item_properties(content)].index(b"colr")
    associations = grown.find(b"ipma")
    at = grown.find(bytes([number]), associations + 4 + 4 + 4 + 2 + 1)
    grown = grown[:at] + bytes([0x80 | number]) + grown[at + 1 :]
    more = len(clap) - len(old)
    for name in (b"meta", b"iprp", b"ipco"):
        at = grown.find(name) - 4
        grown = (
            grown[:at] + struct.pack(">I", struct.unpack_from(">I", grown, at)[0] + more) + grown[at + 4 :]
        )
    data = content.find(b"mdat") + 4
    assert grown.count(struct.pack(">I", data)) == 1
    return grown.replace(struct.pack(">I", data), struct.pack(">I", data + more))


def test_a_clean_aperture_is_refused_unless_it_is_the_whole() -> None:
    height, width = patches().shape[:2]
    assert dict(boxes(with_clean_aperture(width, height)))[b"mdat"]
    assert load_photograph(with_clean_aperture(width, height)).pixels.shape == patches().shape
    with pytest.raises(PhotographError, match="a clean aperture"):
        load_photograph(with_clean_aperture(width - 8, height))


def box(name: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), name) + content


def full(name: bytes, *parts: bytes) -> bytes:
    return box(name, bytes(4), *parts)


def test_a_picture_made_of_tiles_has_their_properties_too() -> None:
    """Item 1 is the primary one, made of 2 and 3; 4 is another picture."""
    properties = box(
        b"ipco", box(b"ispe", b"size"), box(b"av1C", b"tile"), box(b"colr", b"nclx"), box(b"av1C", b"else")
    )
    of_item = {1: [1, 3], 2: [2], 3: [2], 4: [4]}
    associated = [
        struct.pack(f">HB{len(numbers)}B", item, len(numbers), *numbers) for item, numbers in of_item.items()
    ]
    tiles = box(b"dimg", struct.pack(">HHHH", 1, 2, 2, 3))
    other = box(b"thmb", struct.pack(">HHH", 4, 1, 1))
    meta = full(
        b"meta",
        full(b"pitm", struct.pack(">H", 1)),
        full(b"iref", other, tiles),
        box(b"iprp", properties, full(b"ipma", struct.pack(">I", 4), *associated)),
    )
    assert item_properties(box(b"ftyp", b"avif") + meta) == [
        (b"ispe", b"size"),
        (b"colr", b"nclx"),
        (b"av1C", b"tile"),
        (b"av1C", b"tile"),
    ]


def test_of_a_picture_made_of_tiles_its_own_size_decides_about_its_crop() -> None:
    def made_of_tiles(width: int) -> bytes:
        """Item 1 is 64 x 32, shown `width` wide, and made of item 2 twice, 32 x 32."""
        sizes = [full(b"ispe", struct.pack(">II", side, 32)) for side in (64, 32)]
        clap = box(b"clap", struct.pack(">8I", width, 1, 32, 1, 0, 1, 0, 1))
        numbers = struct.pack(">HBBBHBB", 1, 2, 1, 2, 2, 1, 3)
        meta = full(
            b"meta",
            full(b"pitm", struct.pack(">H", 1)),
            full(b"iref", box(b"dimg", struct.pack(">HHHH", 1, 2, 2, 2))),
            box(
                b"iprp", box(b"ipco", sizes[0], clap, sizes[1]), full(b"ipma", struct.pack(">I", 2), numbers)
            ),
        )
        return box(b"ftyp", b"avif") + meta

    refuse_own_crop(made_of_tiles(64))
    with pytest.raises(PhotographError, match="a clean aperture"):
        refuse_own_crop(made_of_tiles(32))


@pytest.mark.parametrize(("zeros", "named"), [(40, (12, 13)), (8 * 600, (2, 2))])
def test_a_sequence_header_longer_than_any_is_not_read_on(zeros: int, named: tuple[int, int]) -> None:
    """Bits are taken one by one from a number as long as the header: megabytes of zeros would take hours."""
    timing = "1" + 64 * "0" + "1" + zeros * "0" + "1" + "0"
    sides, tools, colour = "0000" + "0000" + "00" + "0" + "000", "0000" + "0" + "1" + "1" + "000", "001"
    bits = "00000" + timing + "0" + "00000" + 17 * "0" + sides + tools + colour + f"{12:08b}{13:08b}"
    header = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    size = bytes([len(header) & 0x7F | 0x80, len(header) >> 7])
    av1c = box(b"av1C", bytes(4), b"\x0a", size, header)
    content = box(b"ftyp", b"avif") + full(b"meta", box(b"iprp", box(b"ipco", av1c)))
    assert colour_of_sequence(content) == named


def test_exif_is_asked_only_where_the_file_itself_names_nothing() -> None:
    uncalibrated = claims.saved("AVIF", quality=100, exif=claims.exif(0xFFFF))
    place = uncalibrated.find(b"nclx") + 4
    assert load_photograph(uncalibrated).notes == ()
    unnamed = uncalibrated[:place] + struct.pack(">HH", 2, 2) + uncalibrated[place + 4 :]
    (note,) = load_photograph(unnamed).notes
    assert "Exif data names a space other than sRGB" in note
