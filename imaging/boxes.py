"""The boxes of an ISO base media file (ISO/IEC 14496-12), in which AVIF keeps what it says of its picture."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator

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


def item_properties(content: bytes) -> list[tuple[bytes, bytes]]:
    """Name and content of the properties of a file's primary picture; all of the file's where it does not say which.

    Those of the tiles that a picture is made of follow its own.
    """
    meta = dict(boxes(dict(boxes(content)).get(b"meta", b"")[FULL:]))
    iprp = dict(boxes(meta.get(b"iprp", b"")))
    properties = list(boxes(iprp.get(b"ipco", b"")))
    try:
        associations, primary = _associations(iprp[b"ipma"]), _primary(meta[b"pitm"])
        numbers = [
            number
            for item in (primary, *_tiles(meta.get(b"iref", b""), primary))
            for number in associations[item]
        ]
    except (KeyError, IndexError, struct.error):
        numbers = list(range(1, len(properties) + 1))
    return [properties[number - 1] for number in numbers if 0 < number <= len(properties)]


def colour_properties(content: bytes) -> list[bytes]:
    """The `colr` properties of a file's primary picture."""
    return [body for name, body in item_properties(content) if name == b"colr"]


def _tiles(iref: bytes, primary: int) -> list[int]:
    """The items that a derived picture is made of (ISO/IEC 14496-12, 8.11.12)."""
    wide = bool(iref and iref[0])
    for name, body in boxes(iref[FULL:]):
        item, count = struct.unpack_from(">IH" if wide else ">HH", body)
        if name == b"dimg" and item == primary:
            return list(struct.unpack_from(f">{count}{'I' if wide else 'H'}", body, 6 if wide else 4))
    return []


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


def coded_items(content: bytes, kind: bytes) -> list[bytes]:
    """The content of a file's items of one kind (four letters), as far as it lies in the file itself."""
    meta = dict(boxes(dict(boxes(content)).get(b"meta", b"")[FULL:]))
    try:
        numbers = _items(meta[b"iinf"], kind)
        places = _places(meta[b"iloc"])
    except (KeyError, IndexError, struct.error):
        return []
    extents = (places.get(number, []) for number in numbers)
    return [b"".join(content[start : start + size] for start, size in each) for each in extents if each]


def _items(iinf: bytes, kind: bytes) -> list[int]:
    """The numbers of the items of one kind (ISO/IEC 14496-12, 8.11.6)."""
    numbers = []
    for name, infe in boxes(iinf[FULL + (4 if iinf[0] else 2) :]):
        form = ">I2x4s" if infe[0] >= 3 else ">H2x4s"
        if name == b"infe" and infe[0] >= 2:
            number, its = struct.unpack_from(form, infe, FULL)
            if its == kind:
                numbers.append(number)
    return numbers


def _places(iloc: bytes) -> dict[int, list[tuple[int, int]]]:
    """Start and size of an item's extents in the file (8.11.3); not of items that are kept elsewhere."""
    version = iloc[0]
    take = _reader(iloc, FULL + 2)
    offset_size, length_size, base_size = iloc[FULL] >> 4, iloc[FULL] & 15, iloc[FULL + 1] >> 4
    index_size = iloc[FULL + 1] & 15 if version else 0
    wide = 4 if version >= 2 else 2
    places: dict[int, list[tuple[int, int]]] = {}
    for _ in range(take(wide)):
        item = take(wide)
        elsewhere = bool(take(2) & 15 if version else 0) or bool(take(2))
        base = take(base_size)
        extents = []
        for _ in range(take(2)):
            take(index_size)
            extents.append((base + take(offset_size), take(length_size)))
        if not elsewhere:
            places[item] = extents
    return places


def _reader(content: bytes, start: int) -> Callable[[int], int]:
    """Takes whole numbers of so many bytes, one after the other. Raises IndexError at the end."""
    stream = io.BytesIO(content[start:])

    def take(size: int) -> int:
        taken = stream.read(size)
        if len(taken) < size:
            raise IndexError("the box ends early")
        return int.from_bytes(taken, "big")

    return take
