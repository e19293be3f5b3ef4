"""Exif data and XMP of a file: what they say of colour and of which side is up."""

from __future__ import annotations

import re
from typing import Final

from PIL import ExifTags, Image

UPRIGHT: Final = 1
TURNED: Final = range(2, 9)
"""Values of the orientation that turn or mirror a picture; any other says nothing."""
_XMP_KEYS = ("xmp", "XML:com.adobe.xmp")


def read_exif(opened: Image.Image) -> Image.Exif:
    """The Exif data of a file; empty where they are damaged, as browsers take it.

    Pillow adds an orientation that only XMP names, which browsers do not follow: that is kept out.
    """
    try:
        exif = _without_xmp(opened)
        for block in (ExifTags.IFD.Exif, ExifTags.IFD.Interop):
            exif.get_ifd(block)
    except Exception:  # the reader of TIFF structures fails in as many ways as there are damages
        return Image.Exif()
    return exif


def _without_xmp(opened: Image.Image) -> Image.Exif:
    xmp = {key: opened.info.pop(key) for key in _XMP_KEYS if key in opened.info}
    try:
        exif = opened.getexif()
    finally:
        opened.info.update(xmp)
    if not (stored := opened.info.get("exif")):
        return exif
    # Of a JPEG without a resolution Pillow has read Exif already when it was opened, and added to it.
    own = Image.Exif()
    own.load(stored)
    return own


def xmp_text(opened: Image.Image) -> str:
    """The XMP packet of a file, "" where there is none."""
    packet = next((opened.info[key] for key in _XMP_KEYS if opened.info.get(key)), b"")
    return packet.decode("utf-8", "replace") if isinstance(packet, bytes) else str(packet)


def is_turned(opened: Image.Image) -> bool:
    """Whether the Exif data say that the picture must be turned or mirrored to be upright."""
    return read_exif(opened).get(ExifTags.Base.Orientation, UPRIGHT) in TURNED


def doubt_of_orientation(opened: Image.Image) -> str:
    """A note where XMP alone says that the picture is turned; "" where it does not."""
    if ExifTags.Base.Orientation in read_exif(opened):
        return ""
    named = re.search(r"tiff:Orientation(?:=[\"']|>)([2-8])\b", xmp_text(opened))
    return (
        "Its XMP data names an orientation, its Exif data none: it was not rotated, as in browsers."
        if named
        else ""
    )
