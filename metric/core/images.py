"""Images as the metric reads them: uint8 RGB arrays, known by the sha256 of their pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from metric.core.cache import VectorCache, content_key

Pixels = NDArray[np.uint8]


def read_pixels(path: Path) -> Pixels:
    """H×W×3 uint8 of an image file. Raises ValueError for what cannot be read or is not 8-bit RGB."""
    try:
        with Image.open(path) as image:
            if image.mode != "RGB":
                raise ValueError(f"{path} is {image.mode}, not 8-bit RGB. Export it as an RGB PNG.")
            return np.asarray(image, dtype=np.uint8)
    except OSError as error:
        raise ValueError(f"{path} cannot be read as an image: {error}") from error


def pixels_sha256(pixels: Pixels) -> str:
    """Hash of the line `HEIGHTxWIDTHx3`, a line feed and the RGB bytes: the hash that snapshots use as well.
    """
    digest = hashlib.sha256(f"{pixels.shape[0]}x{pixels.shape[1]}x3\n".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


@dataclass(frozen=True)
class Picture:
    """An image whose pixels are read only when needed. `height` and `width` in pixels; `sha256` of the
    pixels.
    """

    sha256: str
    height: int
    width: int
    read: Callable[[], Pixels] = field(repr=False, compare=False)


def picture_of(pixels: Pixels) -> Picture:
    """A picture from an array at hand, H×W×3 uint8."""
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise ValueError(f"An image must be H×W×3 uint8, found {pixels.shape} {pixels.dtype}.")
    return Picture(pixels_sha256(pixels), pixels.shape[0], pixels.shape[1], lambda: pixels)


def open_picture(path: Path, file_sha256: str, cache: VectorCache | None = None) -> Picture:
    """A picture from a file whose own sha256 has been verified already.

    With a cache the pixels of a file seen before are not decoded again to know their hash.
    """
    key = content_key("pixels of file", file_sha256)
    known = cache.get(key) if cache else None
    if known is not None and len(known) == 34:
        # A vector of floats holds the 32 bytes of a hash exactly, as whole numbers below 256.
        digest = bytes(int(value) for value in known[2:]).hex()
        return Picture(digest, int(known[0]), int(known[1]), lambda: read_pixels(path))
    pixels = read_pixels(path)
    height, width = pixels.shape[:2]
    sha256 = pixels_sha256(pixels)
    if cache:
        cache.put(key, np.array([height, width, *bytes.fromhex(sha256)], dtype=np.float32))
    return Picture(sha256, height, width, lambda: read_pixels(path))
