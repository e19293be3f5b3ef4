"""The one kind of pixels: uint8, height x width x 3, sRGB."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


def pixels_sha256(pixels: Pixels) -> str:
    """Hex sha256 by which a picture is known: of the line "HxWx3" and the pixels row by row."""
    height, width, channels = pixels.shape
    digest = hashlib.sha256(f"{height}x{width}x{channels}\n".encode())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    return digest.hexdigest()
