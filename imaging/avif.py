"""The coded pictures of an AVIF file: whether they were cut and filled up with zeros."""

from __future__ import annotations

import struct

from imaging.boxes import coded_items, item_properties
from imaging.errors import PhotographError

_FEWEST_ZEROS = 32
"""Bytes. What is coded ends with a bit that is set (AV1 specification, 5.3.4 and 8.2.4), few zeros after it."""

_CROP = struct.Struct(">4I")
"""Width and height, each a fraction (ISO/IEC 14496-12, 12.1.4)."""


def refuse_zero_filled(content: bytes) -> None:
    """Raise PhotographError where a coded picture ends in zeros: decoders read them as pixels."""
    for coded in coded_items(content, b"av01"):
        if coded.endswith(bytes(_FEWEST_ZEROS)):
            raise PhotographError(
                "This AVIF file is truncated or damaged (part of its data is zeros). Save or copy it again "
                "from the original."
            )


def refuse_own_crop(content: bytes) -> None:
    """Raise PhotographError where only a part is to be shown (a `clap` property), which Pillow ignores."""
    # The picture's own properties count, not those of its tiles, which follow them.
    properties = dict(reversed(item_properties(content)))
    if (
        len(crop := properties.get(b"clap", b"")) < _CROP.size
        or len(size := properties.get(b"ispe", b"")) < 12
    ):
        return
    width, width_over, height, height_over = _CROP.unpack_from(crop)
    if (width, height) != tuple(
        side * over
        for side, over in zip(struct.unpack_from(">II", size, 4), (width_over, height_over), strict=True)
    ):
        raise PhotographError(
            "This AVIF file shows only a part of its picture (a clean aperture). Crop it and save it again."
        )
