"""The file that `python -m codecs_zoo encode` writes: a bitstream that knows its codec.

offset  bytes  what
0       4      "CLZ1"
4       4      length of the header, big-endian
8       4      length of the bitstream, big-endian
12      4      CRC-32 of header and bitstream, big-endian
16             header: UTF-8 JSON with codec, version, settings, height, width
then           the bitstream, as the codec made it
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import asdict, dataclass

from codecs_zoo.contract import Settings

MAGIC = b"CLZ1"
_NO_HEADER = (
    "This file's header does not describe a codec and a picture. It is damaged, or another program wrote it."
)
_FIXED = struct.Struct(">4sIII")


class ContainerError(ValueError):
    """A file that is not one of ours, or is damaged."""


@dataclass(frozen=True)
class Header:
    """Who made the bitstream, how, and the size of the picture in pixels."""

    codec: str
    version: str
    settings: Settings
    height: int
    width: int


def pack(header: Header, bitstream: bytes) -> bytes:
    """The whole file."""
    words = json.dumps(asdict(header), sort_keys=True).encode()
    return _FIXED.pack(MAGIC, len(words), len(bitstream), zlib.crc32(words + bitstream)) + words + bitstream


def unpack(content: bytes) -> tuple[Header, bytes]:
    """Header and bitstream. Raises ContainerError if a single bit is wrong."""
    if content[:4] != MAGIC or len(content) < _FIXED.size:
        raise ContainerError("This is not a file written by `python -m codecs_zoo encode`.")
    _, header_length, bitstream_length, crc = _FIXED.unpack_from(content)
    body = content[_FIXED.size :]
    if len(body) != header_length + bitstream_length:
        missing = header_length + bitstream_length - len(body)
        state = f"{missing} bytes are missing" if missing > 0 else f"there are {-missing} bytes too many"
        raise ContainerError(f"This file is damaged: {state}. Copy or encode it again.")
    if zlib.crc32(body) != crc:
        raise ContainerError("This file is damaged: its checksum does not match. Copy or encode it again.")
    return _header(body[:header_length]), body[header_length:]


def _header(words: bytes) -> Header:
    """Raises ContainerError for a header that `pack` never wrote: a checksum that fits is easily made."""
    try:
        header = Header(**json.loads(words.decode()))
    except (ValueError, TypeError, RecursionError) as error:
        raise ContainerError(_NO_HEADER) from error
    if not (isinstance(header.settings, dict) and _is_sound(header)):
        raise ContainerError(_NO_HEADER)
    return header


def _is_sound(header: Header) -> bool:
    """Whether the values are what a codec and a picture have; texts are printable, since messages show them."""
    values = header.settings.values()
    texts = [header.codec, header.version, *header.settings, *map(str, values)]
    return (
        all(isinstance(text, str) and text.isprintable() for text in texts)
        and all(isinstance(value, (str, int, float)) for value in values)
        and all(type(side) is int and side > 0 for side in (header.height, header.width))
    )
