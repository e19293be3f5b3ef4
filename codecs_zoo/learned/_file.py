"""What the files of all learned codecs have in common: a limit on the picture, and a checksum before the rest."""

from __future__ import annotations

import struct
import zlib

from codecs_zoo.contract import CodecError, Pixels

CRC_BYTES = 4
MAX_PIXELS = 16_000_000
"""More would take several GB of memory: the networks hold whole pictures."""


def checked_size(pixels: Pixels) -> tuple[int, int]:
    """Height and width. Raises CodecError for a picture that is too large to be coded."""
    height, width = pixels.shape[:2]
    if height * width > MAX_PIXELS or max(height, width) > 1 << 16:
        raise CodecError(f"a picture of {width} x {height} is too large; use at most {MAX_PIXELS} pixels")
    return height, width


def sealed(content: bytes) -> bytes:
    """The CRC-32 of `content`, big-endian, and `content`."""
    return struct.pack(">I", zlib.crc32(content)) + content


def is_whole(bitstream: bytes) -> bool:
    """Whether a sealed file is as it was made."""
    return int.from_bytes(bitstream[:CRC_BYTES], "big") == zlib.crc32(bitstream[CRC_BYTES:])
