"""PNG out, always the same bytes, and the chunks of a PNG file (ISO/IEC 15948), which Pillow hides in part."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

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
        raise PhotographError("This is no PNG file, or a damaged one.") from error


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
    """Raise PhotographError where a checksum is wrong."""
    for chunk in chunks(content):
        if not chunk.whole:
            name = chunk.name.decode("latin-1")
            raise PhotographError(
                f"This PNG file is damaged (wrong checksum of {name}). Save or copy it again from the original."
            )


def refuse_missing_rows(content: bytes) -> None:
    """Raise PhotographError where there are fewer pixels than the header says; decoders fill them with black."""
    width, height, depth, colour_type, _, _, interlaced = struct.unpack_from(">IIBBBBB", content, 16)
    bits = depth * CHANNELS.get(colour_type, 1)
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    missing = sum(_bytes_of_pass(width, height, bits, one) for one in passes)
    unpacking = zlib.decompressobj()
    for chunk in chunks(content):
        packed = chunk.content if chunk.name == b"IDAT" else b""
        while packed and missing > 0:
            missing -= len(unpacking.decompress(packed, AT_ONCE))
            packed = unpacking.unconsumed_tail
    if missing > 0:
        raise PhotographError(
            "This PNG file is truncated or damaged (rows of pixels are missing). Save or copy it again from the "
            "original."
        )


def _bytes_of_pass(width: int, height: int, bits: int, one: tuple[int, int, int, int]) -> int:
    """Bytes of the rows of one pass, each with its filter in front; a pass without columns has no rows."""
    left, top, step_x, step_y = one
    columns, rows = -(-(width - left) // step_x), -(-(height - top) // step_y)
    return rows * (1 + (columns * bits + 7) // 8) if columns > 0 and rows > 0 else 0


def colour_chunks(content: bytes) -> dict[bytes, bytes]:
    """The chunks about colour that precede the pixels, the first of each name."""
    kept: dict[bytes, bytes] = {}
    for chunk in chunks(content):
        if chunk.name == b"IDAT":
            break
        if chunk.name in COLOUR:
            kept.setdefault(chunk.name, chunk.content)
    return kept
