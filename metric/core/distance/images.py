"""Images as the metric reads them: uint8 RGB arrays, known by the sha256 of their pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from imaging.errors import PhotographError
from imaging.pixels import Pixels, pixels_sha256
from imaging.png import colour_chunks, decode_png
from metric.core.distance.cache import Vector, VectorCache, content_key
from metric.core.errors import InputError

CACHED_BYTES = 256_000_000
STORED_TOGETHER = 256


def read_pixels(path: Path) -> Pixels:
    """H×W×3 uint8 of a PNG of a snapshot. Raises ValueError for what cannot be read or is not 8-bit RGB.

    A PNG that claims a colour space other than sRGB is refused too: its numbers would be taken for sRGB's.
    """
    try:
        content = path.read_bytes()
        chunks = colour_chunks(content)
        # Beside a chunk sRGB, gAMA and cHRM do not count (PNG, third edition, 11.3.2.5).
        harmless = {b"sRGB", b"gAMA", b"cHRM"} if b"sRGB" in chunks else set()
        if claims := sorted(name.decode() for name in set(chunks) - harmless):
            raise PhotographError(f"It claims a colour space ({', '.join(claims)}).")
        return decode_png(content)
    except (OSError, PhotographError) as error:
        raise InputError(f"{path} cannot be read: {error} Export it as an RGB PNG.") from error


@dataclass(frozen=True)
class Picture:
    """An image whose pixels are read only when needed. `height` and `width` in pixels; `sha256` of the pixels."""

    sha256: str
    height: int
    width: int
    read: Callable[[], Pixels] = field(repr=False, compare=False)


def as_picture(pixels: Pixels) -> Picture:
    """A picture from an array at hand, H×W×3 uint8."""
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise ValueError(f"An image must be H×W×3 uint8, found {pixels.shape} {pixels.dtype}.")
    return Picture(pixels_sha256(pixels), pixels.shape[0], pixels.shape[1], lambda: pixels)


def open_pictures(
    files: Mapping[str, Path],
    cache: VectorCache | None = None,
    count: Callable[[int, int], None] | None = None,
) -> dict[str, Picture]:
    """Pictures of files by the sha256 of the file, which the caller has verified.

    With a cache, a file seen before is not decoded again to know the hash of its pixels. The pixels of others
    stay in memory, up to a limit: they are wanted again soon. Raises ValueError for a file that is no RGB image.
    """
    pictures: dict[str, Picture] = {}
    new: dict[str, Vector] = {}
    room = CACHED_BYTES
    for file_sha256, path in files.items():
        key = content_key("pixels of file", file_sha256)
        picture = _known(cache.get(key), path) if cache else None
        if picture is None:
            picture = _decoded(path, keep=room > 0)
            room -= 3 * picture.height * picture.width
            new[key] = np.array(
                [picture.height, picture.width, *bytes.fromhex(picture.sha256)], dtype=np.float32
            )
        pictures[file_sha256] = picture
        if cache and (len(new) >= STORED_TOGETHER or len(pictures) == len(files)):
            cache.put(new)
            new = {}
        if count:
            count(len(pictures), len(files))
    return pictures


def _known(stored: Vector | None, path: Path) -> Picture | None:
    if stored is None or stored.size != 2 + hashlib.sha256().digest_size:
        return None
    # A vector of floats holds the 32 bytes of a hash exactly, as whole numbers below 256.
    sha256 = bytes(int(value) for value in stored[2:]).hex()
    return Picture(sha256, int(stored[0]), int(stored[1]), lambda: read_pixels(path))


def _decoded(path: Path, keep: bool) -> Picture:
    pixels = read_pixels(path)
    read = (lambda: pixels) if keep else (lambda: read_pixels(path))
    return Picture(pixels_sha256(pixels), pixels.shape[0], pixels.shape[1], read)
