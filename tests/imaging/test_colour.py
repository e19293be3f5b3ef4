"""What colour a file says that it has, in every format and way: converted, refused, or noted."""

import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from imaging import colour
from imaging.errors import PhotographError
from imaging.pictures import Photograph, load_photograph
from tests.kit import claims
from tests.kit.claims import ADOBE, COLOURS, P3, SRGB, chrm, cicp, gama, iccp, patches, png, profile

ICC_P3 = profile(P3, 2.2)


def colours(photograph: Photograph) -> list[tuple[int, ...]]:
    """The middle of each patch."""
    return [tuple(photograph.pixels[32, 8 + 16 * number].tolist()) for number in range(len(COLOURS))]


SRGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SRGB_LIKE = {
    "nothing": png(),
    "cICP": png(cicp(1, 13)),
    "cICP over a profile": png(cicp(1, 13), iccp(ICC_P3)),
    "sRGB chunk": png(claims.chunk(b"sRGB", b"\0")),
    "sRGB chunk over gAMA and cHRM": png(claims.chunk(b"sRGB", b"\1"), gama(1), chrm(P3)),
    "gAMA": png(gama(0.45455)),
    "gAMA and cHRM": png(gama(0.45455), chrm(SRGB)),
    "Exif": claims.saved("PNG", exif=claims.exif(1)),
    "Exif, white and primaries of sRGB": claims.saved(
        "PNG", exif=claims.exif_of({318: SRGB[:2], 319: SRGB[2:]})
    ),
    "Exif, gamma 2.2": claims.saved("PNG", exif=claims.exif_of({}, {0xA500: 2.2})),
    "a profile of sRGB": claims.saved("PNG", icc_profile=SRGB_PROFILE),
    "BMP": claims.bmp(b"BGRs"),
    "BMP without primaries": claims.bmp(bytes(4)),
}


@pytest.mark.parametrize("way", SRGB_LIKE)
def test_srgb_passes_untouched_without_a_note(way: str) -> None:
    photograph = load_photograph(SRGB_LIKE[way])
    assert np.array_equal(photograph.pixels, patches())
    assert photograph.notes == ()


@pytest.mark.parametrize(("primaries", "curve"), [(1, 13), (1, 1), (1, 6), (2, 2)])
def test_avif_of_a_videos_curve_passes(primaries: int, curve: int) -> None:
    assert load_photograph(claims.avif(primaries, curve)).notes == ()


# As Chromium 156 shows these patches, by getImageData of a canvas in sRGB.
CHROMIUM: dict[str, tuple[bytes, list[tuple[int, int, int]], str]] = {
    "cICP, Display P3": (
        png(cicp(12, 13)),
        [(255, 0, 0), (0, 204, 0), (17, 61, 229), (128, 128, 128), (208, 158, 77), (50, 91, 45)],
        "Display P3",
    ),
    "cICP, BT.2020": (
        png(cicp(9, 13)),
        [(255, 0, 0), (0, 211, 0), (0, 59, 231), (128, 128, 128), (224, 155, 74), (29, 93, 43)],
        "BT.2020",
    ),
    "cICP, BT.2020 as a video": (
        png(cicp(9, 14)),
        [(255, 0, 0), (0, 208, 0), (0, 47, 229), (121, 121, 121), (222, 149, 62), (6, 84, 31)],
        "BT.1886",
    ),
    "cICP, linear": (
        png(cicp(1, 8)),
        [(253, 79, 96), (79, 229, 110), (96, 133, 239), (188, 188, 188), (229, 208, 160), (133, 160, 122)],
        "linear",
    ),
    "cICP, another white": (
        png(cicp(11, 17)),
        [(255, 0, 0), (0, 204, 0), (0, 42, 233), (118, 118, 118), (207, 152, 59), (36, 77, 27)],
        "DCI-P3",
    ),
    "cICP over the sRGB chunk": (
        png(cicp(12, 13), claims.chunk(b"sRGB", b"\0")),
        [(255, 0, 0), (0, 204, 0), (17, 61, 229), (128, 128, 128), (208, 158, 77), (50, 91, 45)],
        "cICP",
    ),
    "gAMA, linear": (
        png(gama(1)),
        [(253, 79, 96), (79, 229, 110), (96, 133, 239), (188, 188, 188), (229, 208, 160), (133, 160, 122)],
        "gamma 1,",
    ),
    "gAMA, 1.8": (
        png(gama(1 / 1.8)),
        [(251, 26, 40), (26, 210, 53), (40, 77, 227), (146, 146, 146), (210, 176, 109), (77, 109, 65)],
        "gamma 1.8",
    ),
    "gAMA and cHRM, P3": (
        png(gama(0.45455), chrm(P3)),
        [(255, 0, 0), (0, 205, 0), (6, 58, 230), (129, 129, 129), (209, 160, 76), (47, 91, 41)],
        "Display P3",
    ),
    "gAMA and cHRM, Adobe RGB": (
        png(gama(1 / 2.2), chrm(ADOBE)),
        [(255, 12, 24), (0, 201, 0), (0, 57, 225), (129, 129, 129), (215, 161, 85), (36, 90, 43)],
        "custom primaries",
    ),
    "sRGB chunk that is damaged": (
        png(claims.chunk(b"sRGB", b"\x09"), gama(1)),
        [(253, 79, 96), (79, 229, 110), (96, 133, 239), (188, 188, 188), (229, 208, 160), (133, 160, 122)],
        "gAMA",
    ),
    "PNG profile": (
        png(iccp(ICC_P3)),
        [(255, 0, 0), (0, 205, 0), (6, 58, 230), (129, 129, 129), (209, 160, 76), (47, 91, 41)],
        "(Test)",
    ),
    "PNG profile beside an sRGB chunk": (
        png(claims.chunk(b"sRGB", b"\0"), iccp(ICC_P3)),
        [(255, 0, 0), (0, 205, 0), (6, 58, 230), (129, 129, 129), (209, 160, 76), (47, 91, 41)],
        "(Test)",
    ),
    "JPEG profile": (
        claims.saved("JPEG", quality=100, subsampling=0, icc_profile=ICC_P3),
        [(255, 0, 0), (0, 205, 0), (6, 58, 230), (129, 129, 129), (209, 160, 76), (45, 91, 39)],
        "(Test)",
    ),
    "WebP profile": (
        claims.saved("WEBP", lossless=True, icc_profile=ICC_P3),
        [(255, 0, 0), (0, 205, 0), (6, 58, 230), (129, 129, 129), (209, 160, 76), (47, 91, 41)],
        "(Test)",
    ),
    "AVIF profile": (
        claims.saved("AVIF", quality=100, subsampling="4:4:4", icc_profile=ICC_P3),
        [(255, 0, 0), (0, 206, 0), (0, 60, 229), (129, 129, 129), (208, 160, 76), (45, 91, 41)],
        "(Test)",
    ),
    "AVIF, Display P3": (
        claims.avif(12, 13),
        [(255, 0, 0), (0, 205, 0), (12, 62, 228), (128, 128, 128), (206, 158, 77), (49, 91, 45)],
        "Display P3",
    ),
    "AVIF, BT.2020 as a video": (
        claims.avif(9, 14),
        [(255, 0, 0), (0, 212, 0), (0, 60, 230), (128, 128, 128), (222, 155, 74), (26, 93, 43)],
        "BT.2020",
    ),
    "BMP profile": (
        claims.bmp(b"DEBM", ICC_P3),
        [(255, 0, 0), (0, 205, 0), (6, 58, 230), (129, 129, 129), (209, 160, 76), (47, 91, 41)],
        "(Test)",
    ),
}


def test_unchanged_colours_would_be_found() -> None:
    assert all(shown != list(COLOURS) for _, shown, _ in CHROMIUM.values())


@pytest.mark.parametrize("way", CHROMIUM)
def test_other_spaces_are_converted_as_a_browser_shows_them(way: str) -> None:
    content, shown, words = CHROMIUM[way]
    photograph = load_photograph(content)
    assert np.abs(np.array(colours(photograph)) - shown).max() <= 2
    assert len(photograph.notes) == 1 + (photograph.notes[0] == "Its palette was expanded to RGB.")
    assert photograph.notes[-1].startswith("Converted to sRGB from ")
    assert words in photograph.notes[-1]


PQ_PROFILE = profile(P3, 2.2, (b"cicp", b"cicp\0\0\0\0" + bytes([9, 16, 0, 1])))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (png(cicp(9, 16)), r"\(PQ, by its cICP chunk\)"),
        (png(cicp(9, 18)), r"\(HLG, by its cICP chunk\)"),
        (png(cicp(2, 18)), "HLG"),
        (png(iccp(PQ_PROFILE)), r"\(PQ, by its ICC profile\)"),
        (claims.saved("JPEG", icc_profile=PQ_PROFILE), "PQ"),
        (claims.avif(9, 16), r"\(PQ, by its nclx property\)"),
        (claims.avif(12, 18), "HLG"),
        (png(cicp(12, 13, matrix=1)), "cICP chunk is damaged"),
        (png(iccp(ICC_P3[:200])), "profile is damaged"),
        (png(claims.chunk(b"iCCP", b"x\0\0nothing")), "profile is damaged"),
        (claims.saved("JPEG", icc_profile=ICC_P3[:300]), "profile is damaged"),
        (claims.saved("WEBP", icc_profile=b"none" * 50), "profile is damaged"),
        (claims.gif(ICC_P3[:200]), "profile is damaged"),
        (png(gama(0.0001)), "gamma of 1e\\+04"),
        (png(gama(21474)), "gamma of 4.66e-05"),
    ],
)
def test_high_dynamic_range_and_damaged_profiles_are_refused(content: bytes, words: str) -> None:
    with pytest.raises(PhotographError, match=words) as caught:
        load_photograph(content)
    assert "Convert it to sRGB" in str(caught.value)


def lost_part() -> bytes:
    """A JPEG whose profile came in two segments, of which the second is gone."""
    content = claims.saved("JPEG")
    body = b"ICC_PROFILE\0\1\2" + ICC_P3[:200]
    return content[:20] + b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body + content[20:]


def tagged_tiff(**tags: Any) -> bytes:
    return claims.saved("TIFF", tiffinfo={int(name[1:]): value for name, value in tags.items()})


XMP = b'<x:xmpmeta><rdf:Description photoshop:ICCProfile="ProPhoto RGB"/></x:xmpmeta>'
ASSUMED = {
    "Exif, Adobe RGB": (claims.saved("JPEG", exif=claims.exif(0xFFFF, "R03")), "Exif data names Adobe RGB"),
    "Exif, Adobe RGB by Windows": (claims.saved("JPEG", exif=claims.exif(2)), "Adobe RGB"),
    "Exif, uncalibrated": (claims.saved("JPEG", exif=claims.exif(0xFFFF)), "uncalibrated"),
    "Exif, wide gamut": (claims.saved("WEBP", exif=claims.exif(0xFFFD)), "65533"),
    "Exif in PNG": (claims.saved("PNG", exif=claims.exif(0xFFFF)), "uncalibrated"),
    "Exif in TIFF": (claims.saved("TIFF", exif=claims.exif(0xFFFF)), "uncalibrated"),
    "Exif, primaries": (claims.saved("PNG", exif=claims.exif_of({319: P3[2:]})), "custom primaries"),
    "Exif, a table of a curve": (
        claims.saved("PNG", exif=claims.exif_of({301: (0, 1, 2)})),
        "a custom curve",
    ),
    "Exif, gamma 1": (claims.saved("PNG", exif=claims.exif_of({}, {0xA500: 1.0})), "a custom curve"),
    "Exif, a gamma that is no number": (
        claims.saved("PNG", exif=claims.exif_of({}, {0xA500: "abc"})),
        "a custom curve",
    ),
    "gAMA of zero": (png(gama(0)), "impossible gamma"),
    "half a profile": (lost_part(), "part of its ICC profile is missing"),
    "XMP": (claims.saved("JPEG", xmp=XMP), "ProPhoto RGB"),
    "cHRM without gAMA": (png(chrm(P3)), "primaries without a curve"),
    "cHRM of nothing": (png(gama(0.5), chrm([0.3, 0.3, *[0.0] * 6])), "impossible primaries"),
    "cICP, unspecified": (png(cicp(2, 2)), "does not define its colours"),
    "cICP, a curve that is not known": (png(cicp(1, 10)), "primaries 1, curve 10"),
    "cICP, narrow range": (png(cicp(12, 13, full=0)), "narrow range"),
    "nclx, unknown": (claims.avif(3, 13), "primaries 3"),
    "BMP, primaries": (claims.bmp(bytes(4), primaries=2**29), "primaries without a profile"),
    "BMP, linked profile": (claims.bmp(b"KNIL"), "separate file"),
    "TIFF, primaries": (tagged_tiff(_319=(0.68, 0.32, 0.265, 0.69, 0.15, 0.06)), "tags name primaries"),
}


@pytest.mark.parametrize("way", ASSUMED)
def test_a_claim_that_browsers_pass_over_is_noted(way: str) -> None:
    content, words = ASSUMED[way]
    photograph = load_photograph(content)
    (note,) = photograph.notes
    assert words in note
    assert note.endswith("read as sRGB, as browsers do.")
    assert np.abs(np.array(colours(photograph)) - COLOURS).max() <= 12  # JPEG's and WebP's own loss


def test_an_unusable_cicp_chunk_gives_way_to_the_next_claim() -> None:
    (note,) = load_photograph(png(cicp(2, 2), gama(1), chrm(SRGB))).notes
    assert "gAMA" in note


def test_a_damaged_colour_chunk_is_passed_over_with_a_note() -> None:
    photograph = load_photograph(png(claims.chunk(b"cICP", bytes([12, 13, 0, 1]), whole=False)))
    assert photograph.notes == ("Its damaged cICP chunk was ignored.",)
    assert np.array_equal(photograph.pixels, patches())


def test_grey_with_a_gamma_is_converted_as_grey() -> None:
    grey = Image.new("L", (64, 64), 128)
    content = claims.saved("PNG", np.asarray(grey))
    photograph = load_photograph(content[:33] + gama(1) + content[33:])
    assert np.unique(photograph.pixels).tolist() == [188]
    assert len(photograph.notes) == 2


def test_a_conversion_that_changes_the_last_rows_alone_is_noted() -> None:
    pixels = np.zeros((600, 64, 3), np.uint8)
    linear = {"icc_profile": claims.profile(colour.SRGB, 1.0)}
    assert load_photograph(claims.saved("PNG", pixels, **linear)).notes == ()
    pixels[-1] = 100
    (note,) = load_photograph(claims.saved("PNG", pixels, **linear)).notes
    assert "Converted to sRGB from its colour profile" in note
