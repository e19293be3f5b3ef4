"""The boxes of an ISO base media file (ISO/IEC 14496-12), in which AVIF keeps what it says of its picture."""

from __future__ import annotations

import struct
from collections.abc import Iterator

FULL = 4
"""Bytes of version and flags at the start of a full box."""


def boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of the boxes side by side in `content`, as far as they go."""
    start = 0
    while start + 8 <= len(content):
        size, name = struct.unpack_from(">I4s", content, start)
        head = 8
        if size == 1 and start + 16 <= len(content):
            (size,), head = struct.unpack_from(">Q", content, start + 8), 16
        size = size or len(content) - start
        if size < head or start + size > len(content):
            return
        yield name, content[start + head : start + size]
        start += size


def colour_properties(content: bytes) -> list[bytes]:
    """The `colr` properties of a file's primary picture; all of the file's where it does not say which are its."""
    meta = dict(boxes(dict(boxes(content)).get(b"meta", b"")[FULL:]))
    iprp = dict(boxes(meta.get(b"iprp", b"")))
    properties = list(boxes(iprp.get(b"ipco", b"")))
    try:
        numbers = _associations(iprp[b"ipma"])[_primary(meta[b"pitm"])]
    except (KeyError, struct.error):
        numbers = list(range(1, len(properties) + 1))
    named = [properties[number - 1] for number in numbers if 0 < number <= len(properties)]
    return [body for name, body in named if name == b"colr"]


def _primary(pitm: bytes) -> int:
    return int(struct.unpack_from(">I" if pitm[0] else ">H", pitm, FULL)[0])


def _associations(ipma: bytes) -> dict[int, list[int]]:
    """Numbers of properties, from 1, by item."""
    wide_items, wide_numbers = ipma[0] >= 1, bool(ipma[3] & 1)
    (count,) = struct.unpack_from(">I", ipma, FULL)
    at, numbers = FULL + 4, {}
    for _ in range(count):
        (item,) = struct.unpack_from(">I" if wide_items else ">H", ipma, at)
        at += 4 if wide_items else 2
        (many,) = struct.unpack_from("B", ipma, at)
        form = f">{many}H" if wide_numbers else f"{many}B"
        # The highest bit says that a reader must know the property.
        mask = 0x7FFF if wide_numbers else 0x7F
        numbers[item] = [index & mask for index in struct.unpack_from(form, ipma, at + 1)]
        at += 1 + struct.calcsize(form)
    return numbers
