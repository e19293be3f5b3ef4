"""PNG out, always the same bytes, and the chunks of a PNG file (ISO/IEC 15948), which Pillow hides in part."""

from __future__ import annotations

import io
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, PngImagePlugin

from imaging.errors import PhotographError
from imaging.pixels import Pixels

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_CHUNK = 12
"""Bytes of an empty chunk: its length, name and checksum."""
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Channels of each colour type."""
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
"""Of each pass of an interlaced picture: first column, first row, steps to the next."""
AT_ONCE = 2**20
"""Bytes that are unpacked in one step."""
HIGHEST_FILTER = 4
"""Number of filter types: how a row is predicted from its neighbours, numbered from 0."""
CRITICAL = {b"IHDR": 1, b"PLTE": 1, b"IDAT": 2**31, b"IEND": 1}
"""The chunks that a reader must understand, and how often a file may have each."""
_METHODS = slice(26, 28)
"""Of compression and filters in the header, each 0; the byte behind says whether the picture is interlaced."""
LARGEST_EXTRA = 2**26
"""Bytes of an unpacked ICC profile or text. Pillow's own limit of a megabyte is that of no standard."""
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = LARGEST_EXTRA
COLOUR = frozenset({b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"})


def encode_png(pixels: Pixels) -> bytes:
    """Lossless PNG of uint8 HxWx3 pixels, without metadata; the same pixels give the same bytes."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def plain_png(pixels: Pixels, *, seed: int) -> bytes:
    """A PNG of uint8 HxWx3 pixels without compression: how long it is follows from height and width alone.

    Each row goes as it is, or as differences to its left or upper neighbours (filters 0, 1 and 2 of the standard), as
    `seed` decides: two files of the same pixels differ in every row or so, and are the same picture to every reader.
    """
    height, width, _ = pixels.shape
    plain = np.ascontiguousarray(pixels).reshape(height, 3 * width)
    filters = np.random.default_rng(seed).integers(0, 3, height, dtype=np.uint8)
    rows = np.empty((height, 1 + 3 * width), dtype=np.uint8)
    rows[:, 0], rows[:, 1:] = filters, plain
    left, up = filters == 1, np.flatnonzero(filters == 2)
    rows[left, 4:] -= plain[left, :-3]
    up = up[up > 0]  # above the first row stand zeros
    rows[up, 1:] -= plain[up - 1]
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 0)), (b"IEND", b"")
    return SIGNATURE + b"".join(_chunk(name, body) for name, body in parts)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(name)))


def decode_png(content: bytes) -> Pixels:
    """uint8 HxWx3 pixels of a PNG that `encode_png` made. Raises PhotographError for another file."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as opened:
            # Pillow calls 16-bit colour RGB as well, and would cut it to 8 bits in silence: so the header is read.
            if opened.mode != "RGB" or content[24] != 8:
                raise PhotographError(f"This PNG is {opened.mode} of {content[24]} bits, not 8-bit RGB.")
            return np.array(opened)
    except PhotographError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PhotographError("This is not a PNG file, or it is damaged.") from error


@dataclass(frozen=True)
class Chunk:
    """One chunk: its four-letter name, its content, and the bytes start:end of the file that it takes."""

    name: bytes
    content: bytes
    start: int
    end: int
    whole: bool

    @property
    def optional(self) -> bool:
        """Whether a reader may pass it over: ancillary, in the words of the standard."""
        return bool(self.name[0] & 0x20)


def chunks(content: bytes) -> Iterator[Chunk]:
    """The chunks of a PNG file as far as they go; `whole` is False where the checksum does not fit."""
    start = len(SIGNATURE)
    while start + PNG_CHUNK <= len(content):
        (length,) = struct.unpack_from(">I", content, start)
        name, end = content[start + 4 : start + 8], start + PNG_CHUNK + length
        if end > len(content):
            return
        body = content[start + 8 : end - 4]
        checksum = struct.unpack_from(">I", content, end - 4)[0]
        yield Chunk(name, body, start, end, zlib.crc32(name + body) == checksum)
        if name == b"IEND":
            return
        start = end


def without_damaged_extras(content: bytes) -> tuple[bytes, list[str]]:
    """The file without optional chunks whose checksum is wrong, as browsers read it, and the names of those."""
    damaged = [chunk for chunk in chunks(content) if chunk.optional and not chunk.whole]
    for chunk in reversed(damaged):
        content = content[: chunk.start] + content[chunk.end :]
    return content, [chunk.name.decode("latin-1") for chunk in damaged]


def refuse_damage(content: bytes) -> None:
    """Raise PhotographError where a checksum is wrong, or where chunks stand that no reader may pass over.

    Browsers show nothing of these: a second header or palette, and chunks of somebody's own (Apple's CgBI).
    """
    if len(content) > _METHODS.stop and (content[_METHODS] != b"\0\0" or content[_METHODS.stop] > 1):
        raise _refusal("its header names methods that the standard does not know")
    seen: Counter[bytes] = Counter()
    for chunk in chunks(content):
        seen[chunk.name] += 1
        name = chunk.name.decode("latin-1")
        if not chunk.whole:
            raise _refusal(f"wrong checksum of {name}")
        if not chunk.optional and seen[chunk.name] > CRITICAL.get(chunk.name, 0):
            reason = f"{name} twice" if chunk.name in CRITICAL else f"its {name} chunk is not of the standard"
            raise _refusal(reason)


def refuse_missing_rows(content: bytes) -> None:
    """Raise PhotographError where there are fewer pixels than the header says, or rows that no filter made.

    Decoders fill them with black.
    """
    rows = _row_starts(content)
    at = 0
    for part in _unpacked(content, rows[-1]):
        first, last = np.searchsorted(rows[:-1], (at, at + len(part)))
        filters = np.frombuffer(part, np.uint8)[rows[first:last] - at]
        if filters.size and filters.max() > HIGHEST_FILTER:
            raise _refusal("rows of pixels by an unknown filter")
        at += len(part)
    if at < rows[-1]:
        raise _refusal("rows of pixels are missing")


def _unpacked(content: bytes, needed: int) -> Iterator[bytes]:
    """The rows as they were packed, in parts, until there are as many bytes as needed."""
    unpacking = zlib.decompressobj()
    for chunk in chunks(content):
        packed = chunk.content if chunk.name == b"IDAT" else b""
        while packed and needed > 0:
            part = unpacking.decompress(packed, AT_ONCE)
            needed -= len(part)
            yield part
            packed = unpacking.unconsumed_tail


def _row_starts(content: bytes) -> npt.NDArray[np.int64]:
    """Where each row, or row of a pass, begins with its filter in what was packed; the last is where all ends."""
    width, height, depth, colour_type, _, _, interlaced = struct.unpack_from(">IIBBBBB", content, 16)
    bits = depth * CHANNELS.get(colour_type, 1)
    lengths = []
    for left, top, step_x, step_y in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        columns, rows = -(-(width - left) // step_x), -(-(height - top) // step_y)
        if columns > 0 and rows > 0:  # a pass without columns has no rows
            lengths.append(np.full(rows, 1 + (columns * bits + 7) // 8, np.int64))
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.concatenate(lengths))])


def _refusal(reason: str) -> PhotographError:
    return PhotographError(
        f"This PNG file is truncated or damaged ({reason}). Save or copy it again from the original."
    )


def unpacked_profile(iccp: bytes) -> bytes:
    """The profile in an iCCP chunk: after a name comes the method of compression, 0. Empty where it does not unpack."""
    _, _, packed = iccp.partition(b"\0")
    unpacking = zlib.decompressobj()
    try:
        profile = unpacking.decompress(packed[1:], LARGEST_EXTRA)
    except zlib.error:
        return b""
    return profile if packed[:1] == b"\0" and unpacking.eof else b""


def colour_chunks(content: bytes) -> dict[bytes, bytes]:
    """The chunks about colour that precede the pixels, the first of each name."""
    kept: dict[bytes, bytes] = {}
    for chunk in chunks(content):
        if chunk.name == b"IDAT":
            break
        if chunk.name in COLOUR:
            kept.setdefault(chunk.name, chunk.content)
    return kept
