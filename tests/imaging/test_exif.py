"""Which side is up: by Exif data that mean something, and by nothing else; notes say what was done."""

from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from imaging.pictures import load_photograph
from tests.kit import claims


@pytest.mark.parametrize("orientation", [0, 9, 77])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_an_orientation_that_means_nothing_turns_nothing(orientation: int, format: str) -> None:
    data = Image.Exif()
    data[0x0112] = orientation
    photograph = load_photograph(claims.saved(format, exif=data))
    assert (photograph.notes, photograph.pixels.shape) == ((), (64, 96, 3))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_damaged_exif_data_say_nothing(format: str) -> None:
    assert load_photograph(claims.saved(format, exif=b"Exif\0\0II*\0nothing")).notes == ()


XMP_TURNED = b'<rdf:Description tiff:Orientation="6"/>'


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_an_orientation_that_only_xmp_names_turns_nothing_and_is_noted(format: str) -> None:
    """Chromium shows these as they are; Pillow would turn them."""
    pnginfo = PngInfo()
    pnginfo.add_itxt("XML:com.adobe.xmp", XMP_TURNED.decode())
    options: dict[str, Any] = {"pnginfo": pnginfo} if format == "PNG" else {"xmp": XMP_TURNED}
    if format == "TIFF":
        options = {"tiffinfo": {700: XMP_TURNED}}
    photograph = load_photograph(claims.saved(format, **options))
    assert photograph.pixels.shape == (64, 96, 3)
    (note,) = photograph.notes
    assert "XMP data names an orientation" in note
    assert "not rotated" in note


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_exif_data_about_other_things_do_not_change_that(format: str) -> None:
    """Pillow reads Exif data of a JPEG without a resolution when it opens it, and adds XMP's orientation then."""
    pnginfo = PngInfo()
    pnginfo.add_itxt("XML:com.adobe.xmp", XMP_TURNED.decode())
    options: dict[str, Any] = {"pnginfo": pnginfo} if format == "PNG" else {"xmp": XMP_TURNED}
    photograph = load_photograph(claims.saved(format, exif=claims.exif_of({0x010F: "a camera"}), **options))
    assert photograph.pixels.shape == (64, 96, 3)
    assert "not rotated" in photograph.notes[0]


def test_exifs_orientation_counts_before_that_of_xmp() -> None:
    data = claims.exif_of({0x0112: 6})
    photograph = load_photograph(claims.saved("JPEG", exif=data, xmp=XMP_TURNED.replace(b"6", b"3")))
    assert photograph.pixels.shape == (96, 64, 3)
    assert photograph.notes == ("Rotated upright according to its EXIF orientation.",)
