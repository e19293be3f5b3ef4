"""The chunks of a WebP file (RFC 9649): whether its picture takes up the data that the file has for it."""

from __future__ import annotations

import io
import struct

from PIL import Image

from imaging.errors import PhotographError

_HEAD = 12
"""Bytes of "RIFF", the file's size and "WEBP"."""
_CODED = {b"VP8 ", b"VP8L"}
_SURPLUS = 32
"""Bytes of zeros that no coder leaves at the end: it fills up the last byte or two."""


def refuse_zero_filled(content: bytes) -> None:
    """Raise PhotographError where the picture was cut and filled up with zeros.

    Zeros are codes like others, and the shortest ones: a decoder that is given them has its last pixel before the data
    end. So a picture that is still read without the zeros at its end was not coded with them.
    """
    start = _HEAD
    while start + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, start)
        body = content[start + 8 : start + 8 + size]
        if name in _CODED:
            if body.endswith(bytes(_SURPLUS)) and _is_read(name, body[:-_SURPLUS]):
                raise PhotographError(
                    "This WebP file is truncated or damaged (part of its data is zeros). Save or copy it "
                    "again from the original."
                )
            return
        start += 8 + size + size % 2


def _is_read(name: bytes, coded: bytes) -> bool:
    body = name + struct.pack("<I", len(coded)) + coded + bytes(len(coded) % 2)
    try:
        with Image.open(io.BytesIO(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body)) as opened:
            opened.load()
    except (OSError, ValueError):
        return False
    return True
