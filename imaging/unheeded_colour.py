"""What Exif data, XMP and tags of TIFF say of colour, which browsers do not heed: a note for each."""

from __future__ import annotations

from typing import Any

from PIL import ExifTags, Image

from imaging import colour
from imaging.exif import read_exif, xmp_text

AS_SRGB = "it was read as sRGB, as browsers do"
_ADOBE = "Adobe RGB"
_EXIF_SPACES = {2: _ADOBE, 0xFFFF: "a space other than sRGB (uncalibrated)"}


def doubt_of_exif(opened: Image.Image) -> str:
    """A note where Exif data or XMP name a space other than sRGB; "" where they do not."""
    exif = read_exif(opened)
    more = exif.get_ifd(ExifTags.IFD.Exif)
    space = more.get(ExifTags.Base.ColorSpace)
    interoperability = exif.get_ifd(ExifTags.IFD.Interop).get(1, "")
    if space == 1:
        return ""
    if str(interoperability).startswith("R03"):
        name = _ADOBE
    elif space is not None:
        name = _EXIF_SPACES.get(space, f"a space other than sRGB ({space})")
    elif has_other_primaries(exif):
        name = "custom primaries"
    elif ExifTags.Base.TransferFunction in exif or not _is_gamma_of_srgb(more.get(ExifTags.Base.Gamma)):
        name = "a custom curve"
    else:
        return _doubt_of_xmp(opened)
    return f"Its Exif data names {name}, and it has no ICC profile: {AS_SRGB}."


def has_other_primaries(tags: Any) -> bool:
    """Whether the tags of Exif and TIFF for white and primaries are there and are not sRGB's."""
    given = {
        tag: tags[tag]
        for tag in (ExifTags.Base.WhitePoint, ExifTags.Base.PrimaryChromaticities)
        if tag in tags
    }
    for tag, expected in (
        (ExifTags.Base.WhitePoint, colour.SRGB[:2]),
        (ExifTags.Base.PrimaryChromaticities, colour.SRGB[2:]),
    ):
        try:
            numbers = [float(value) for value in given.get(tag, expected)]
        except (TypeError, ValueError, ZeroDivisionError):
            return True
        if len(numbers) != len(expected) or not colour.alike(numbers, expected):
            return True
    return False


def _is_gamma_of_srgb(value: Any) -> bool:
    """Whether Exif's Gamma is absent or 2.2, as sRGB files state it; False where it is no number."""
    try:
        return value is None or abs(float(value) - 2.2) < 0.05
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return False


def _doubt_of_xmp(opened: Image.Image) -> str:
    """Photoshop writes the name of the profile there, also where the profile itself is not embedded."""
    _, _, rest = xmp_text(opened).partition("photoshop:ICCProfile")
    name = rest.lstrip("=>\"'").split("<")[0].split('"')[0].split("'")[0].strip()[:60]
    if not name or "srgb" in name.lower():
        return ""
    return f"Its XMP data names the profile {name}, which it does not hold: {AS_SRGB}."
