"""The tags of a TIFF file (TIFF 6.0) that say what its numbers are, some of which Pillow ignores."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from typing import Any

from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from imaging.errors import PhotographError

BITS_PER_SAMPLE, SAMPLES_PER_PIXEL, SAMPLE_FORMAT, IMAGE_DEPTH = 258, 277, 339, 32997
_WHOLE_NUMBERS = {1, 4}
"""Sample formats that hold pixels: unsigned integers, and undefined."""
_BIG = 43
"""The version of BigTIFF, whose header has 16 bytes instead of 8."""


def bits_per_sample(tags: Mapping[int, Any]) -> int:
    """Bits of the deepest channel, 8 where the tag is missing."""
    return max(_numbers(tags, BITS_PER_SAMPLE), default=8)


def refuse_other_numbers(tags: Mapping[int, Any]) -> None:
    """Raise PhotographError for a volume, and for signed numbers, which Pillow reads as if they were unsigned."""
    if max(_numbers(tags, IMAGE_DEPTH), default=1) > 1:
        raise PhotographError("This image has several frames (the layers of a volume). Export one of them.")
    if not {*_numbers(tags, SAMPLE_FORMAT)} <= _WHOLE_NUMBERS:
        raise PhotographError(
            "This image has signed or floating-point values, which have no agreed brightness. Convert it to 8-bit "
            "sRGB first."
        )


def more_channels(opened: Image.Image) -> int:
    """How many channels a file has beyond those that Pillow reads."""
    stored = max(_numbers(getattr(opened, "tag_v2", {}), SAMPLES_PER_PIXEL), default=1)
    return max(stored - len(opened.getbands()), 0)


def tags_of(content: bytes) -> Mapping[int, Any]:
    """The tags of the first picture of a file that Pillow does not open; none where they cannot be read."""
    try:
        big = struct.unpack_from("<H" if content[:2] == b"II" else ">H", content, 2)[0] == _BIG
        directory = ImageFileDirectory_v2(content[: 16 if big else 8])
        stream = io.BytesIO(content)
        stream.seek(directory.next)
        directory.load(stream)
        return dict(directory)
    except Exception:  # the reader of TIFF structures fails in as many ways as there are damages
        return {}


def _numbers(tags: Mapping[int, Any], tag: int) -> tuple[int, ...]:
    """The whole numbers of a tag; none where it is absent, or holds text, bytes or anything else."""
    value = tags.get(tag, ())
    return tuple(each for each in (value if isinstance(value, tuple) else (value,)) if isinstance(each, int))
