"""The markers of a JPEG file (ITU-T T.81, annex B): whether its picture ends, and all its pixels came before."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from imaging.errors import PhotographError

_END, _SCAN = 0xD9, 0xDA
# Frames with Huffman coding. An arithmetic coder leaves out zeros at its end, so a decoder may read on behind it.
_HUFFMAN = {0xC0, 0xC1, 0xC2}
# Neither a byte FF of the scan itself (FF 00), nor a restart of its coding, nor a byte of filling.
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
# Those of every coding, between which stand the tables C4, C8 and CC; F7 is JPEG-LS.
_FRAMES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
# Markers without a length: the start, the end, and one for private use in arithmetic coding.
_BARE = {0x01, 0xD8, 0xD9}
# What follows a scan in `_continued`: eight times, so that each restart of the coding finds the one it expects.
_NOISE_BYTES = 256
_ICC = b"ICC_PROFILE\0"


@dataclass
class Picture:
    """Where the picture of a file ends (None: nowhere), its scans as start:end, and whether they are Huffman-coded.

    `bits`: of each channel, as the frame's header says.
    """

    end: int | None = None
    bits: int = 8
    scans: list[tuple[int, int]] = field(default_factory=list)
    huffman: bool = False


def first_picture(content: bytes) -> Picture:
    """The first picture of a file by its markers; those of thumbnails are inside segments, which have lengths."""
    picture, at, name = Picture(), 0, 0
    while marker := _MARKER.search(content, at):
        if name == _SCAN:
            picture.scans.append((at, marker.start()))
        at, name = marker.end(), marker[1][0]
        picture.huffman = picture.huffman or name in _HUFFMAN
        if name == _END:
            picture.end = marker.start()
            break
        if name in _FRAMES and at + 3 <= len(content):
            picture.bits = content[at + 2]
        if name not in _BARE and at + 2 <= len(content):
            (length,) = struct.unpack_from(">H", content, at)
            at += length
    return picture


def refuse_missing_pixels(content: bytes) -> None:
    """Raise PhotographError where no marker ends the picture, where it ends before its last row, or lacks a part.

    Decoders fill with grey what is missing, and say nothing. A picture that is whole does not change when noise
    follows its scans: one that is not is filled with it.
    """
    picture = first_picture(content)
    if picture.end is None:
        raise _refusal("its end is missing")
    if not all(_in_order(content[start:end]) for start, end in picture.scans):
        raise _refusal("a part in the middle is missing")
    if picture.huffman and not np.array_equal(_small(content), _small(_continued(content, picture))):
        raise _refusal("rows of pixels are missing")


def _in_order(scan: bytes) -> bool:
    """Whether the restarts of the coding go round from 0 to 7: one that is away took pixels with it."""
    return all(marker[0][1] - 0xD0 == place % 8 for place, marker in enumerate(_RESTART.finditer(scan)))


def _continued(content: bytes, picture: Picture) -> bytes:
    """The file with noise behind each scan, of every restart interval that might still be expected."""
    noise = np.random.default_rng(0).integers(1, 255, (8, _NOISE_BYTES), np.uint8)
    parts, copied = [], 0
    for start, end in picture.scans:
        while content[end - 1] == 0xFF:  # bytes of filling, which belong to the marker that follows
            end -= 1
        next_restart = sum(1 for _ in _RESTART.finditer(content, start, end))
        parts.append(content[copied:end])
        for n, one in enumerate(noise):
            parts.append(one.tobytes() + bytes([0xFF, 0xD0 + (next_restart + n) % 8]))
        copied = end
    return b"".join([*parts, content[copied:]])


def _small(content: bytes) -> np.ndarray:
    """The picture at an eighth of its size, by the mean of each block alone: the fastest way to decode it."""
    with Image.open(io.BytesIO(content), formats=("JPEG", "MPO")) as opened:
        opened.draft(None, (max(opened.width // 8, 1), max(opened.height // 8, 1)))
        return np.array(opened)


def icc_profile(segments: Sequence[bytes]) -> bytes | None:
    """The profile in APP2 segments, None where there is none, b"" where a part is missing (ICC.1:2022, B.4).

    Each part states its number, from 1, and how many there are. Of two with one number the first counts, as in
    browsers.
    """
    parts = [body[len(_ICC) :] for body in segments if body.startswith(_ICC) and len(body) >= len(_ICC) + 2]
    if not parts:
        return None
    of_number = {part[0]: part[2:] for part in reversed(parts)}
    numbers = range(1, parts[0][1] + 1)
    return b"".join(of_number[number] for number in numbers) if {*numbers} <= {*of_number} else b""


def _refusal(reason: str) -> PhotographError:
    return PhotographError(
        f"This JPEG file is truncated or damaged ({reason}). Save or copy it again from the original."
    )
