"""The markers of a JPEG file (ITU-T T.81, annex B): whether its picture ends, or the file was cut and filled up."""

from __future__ import annotations

import re
import struct

from imaging.errors import PhotographError

START = b"\xff\xd8"
_END = 0xD9
# Neither a byte FF of the scan itself (FF 00), nor a restart of its coding, nor a byte of filling.
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
# Markers without a length: the start, the end, and one for private use in arithmetic coding.
_BARE = {0x01, 0xD8, 0xD9}


def refuse_missing_end(content: bytes) -> None:
    """Raise PhotographError where no marker ends the picture; decoders fill what is missing with grey."""
    at = 0
    while marker := _MARKER.search(content, at):
        at, name = marker.end(), marker[1][0]
        if name == _END:
            return
        if name not in _BARE and at + 2 <= len(content):
            (length,) = struct.unpack_from(">H", content, at)
            at += length
    raise PhotographError(
        "This JPEG file is truncated or damaged (its end is missing). Save or copy it again from the original."
    )
