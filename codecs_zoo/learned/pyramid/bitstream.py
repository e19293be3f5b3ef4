"""Pyramid's file, big-endian. It is frozen: what is written today is read for ever, with the same weights.

offset  bytes  what
0       4      CRC-32 of all that follows
4       4      the first bytes of the weights' sha256: other weights can't read the file
8       2, 2   width and height less one
12      2      level index, 0 to 350
14      1      kind of body: 0, or 1 with a correction
15      0, 42  the correction of kind 1: 12 numbers of 16 bits, 18 of 8 bits (`correction.py`)
               body: words of a range coder, little-endian, 32 bits each

The body holds the symbols of all groups of channels, one group after the other. A group's latents come in
five nested grids or in two halves of a checkerboard (`entropy.py`), and within these channel by channel, row by row.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from codecs_zoo.contract import CodecError
from codecs_zoo.learned._file import CRC_BYTES, MAX_PIXELS, is_whole, sealed
from codecs_zoo.learned.levels import LEVEL_INDICES

HEAD = struct.Struct(">I4sHHHB")
CORRECTION = struct.Struct(">12h18b")
LATENTS, CORRECTED = 0, 1


@dataclass(frozen=True)
class Bitstream:
    """A file's parts; `index` is that of the level, `correction` is empty or CORRECTION.size bytes."""

    height: int
    width: int
    index: int
    body: bytes
    correction: bytes = b""

    def pack(self, weights_id: bytes) -> bytes:
        """The whole file."""
        kind = CORRECTED if self.correction else LATENTS
        head = HEAD.pack(0, weights_id, self.width - 1, self.height - 1, self.index, kind)
        return sealed(head[CRC_BYTES:] + self.correction + self.body)

    @classmethod
    def unpack(cls, content: bytes, weights_id: bytes) -> Bitstream:
        """Raises CodecError for a damaged file, and for one of other weights or a later format."""
        if len(content) < HEAD.size:
            raise CodecError(
                f"{len(content)} bytes are too few for a pyramid file; encode the picture again."
            )
        _, made_with, width, height, index, kind = HEAD.unpack_from(content)
        if not is_whole(content):
            raise CodecError("the checksum does not match; encode the picture again.")
        if made_with != weights_id:
            raise CodecError(f"it was made with weights {made_with.hex()}, these are {weights_id.hex()}")
        if kind not in (LATENTS, CORRECTED):
            raise CodecError(f"its body is of kind {kind}, this version reads {LATENTS} and {CORRECTED}")
        start = HEAD.size + (CORRECTION.size if kind == CORRECTED else 0)
        width, height, body = width + 1, height + 1, content[start:]
        if len(content) < start or width * height > MAX_PIXELS or index >= LEVEL_INDICES or len(body) % 4:
            raise CodecError(
                f"its header is inconsistent: {width} x {height} pixels, level {index}, {len(body)} bytes"
            )
        return cls(height, width, index, body, content[HEAD.size : start])
