"""RGB to the planes that video encoders take, and back: BT.601, full range, in NumPy.

Own arithmetic rather than the encoder's scaler: the same on every machine, and any size can be padded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from codecs_zoo.contract import Pixels

Plane = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Chroma = Literal["420", "444"]

# ITU-R BT.601: the luma weights of red and blue.
RED, BLUE = 0.299, 0.114


def to_planes(pixels: Pixels, *, depth: int, chroma: Chroma, multiple: int, smallest: int) -> list[Plane]:
    """Y, Cb and Cr of `depth` bits each, Cb and Cr of half the size for "420".

    Sides are padded by the last row and column to a multiple of `multiple`, and at least to `smallest`.
    """
    height, width = (padded_side(side, multiple, smallest) for side in pixels.shape[:2])
    rows, columns = height - pixels.shape[0], width - pixels.shape[1]
    red, green, blue = np.moveaxis(
        np.pad(pixels, ((0, rows), (0, columns), (0, 0)), mode="edge") / 255.0, 2, 0
    )
    luma = RED * red + (1 - RED - BLUE) * green + BLUE * blue
    differences = [(blue - luma) / (2 - 2 * BLUE), (red - luma) / (2 - 2 * RED)]
    if chroma == "420":
        differences = [d.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)) for d in differences]
    top = 2**depth - 1
    planes = [luma * top, *(d * top + 2 ** (depth - 1) for d in differences)]
    kind = np.uint8 if depth == 8 else np.uint16
    return [np.rint(plane).clip(0, top).astype(kind) for plane in planes]


def to_pixels(planes: Sequence[Plane], height: int, width: int, *, depth: int) -> Pixels:
    """uint8 HxWx3 of the planes' top left height x width; small chroma planes are enlarged linearly."""
    top = 2**depth - 1
    luma = planes[0] / top
    cb, cr = ((plane - 2.0 ** (depth - 1)) / top for plane in planes[1:])
    if cb.shape != luma.shape:
        cb, cr = (_doubled(_doubled(plane, 0), 1) for plane in (cb, cr))
    red, blue = luma + (2 - 2 * RED) * cr, luma + (2 - 2 * BLUE) * cb
    green = (luma - RED * red - BLUE * blue) / (1 - RED - BLUE)
    stacked = np.stack([red, green, blue], axis=-1)[:height, :width]
    pixels: Pixels = np.rint(stacked * 255).clip(0, 255).astype(np.uint8)
    return pixels


def padded_side(side: int, multiple: int, smallest: int) -> int:
    """`side` rounded up to a multiple, at least `smallest`."""
    return max(-(-side // multiple) * multiple, smallest)


def _doubled(plane: npt.NDArray[np.float64], axis: int) -> npt.NDArray[np.float64]:
    """Twice as long along `axis`: each new sample is 3/4 the nearest old one and 1/4 the next."""
    plane = np.moveaxis(plane, axis, 0)
    before = np.concatenate([plane[:1], plane[:-1]])
    after = np.concatenate([plane[1:], plane[-1:]])
    doubled = np.stack([0.75 * plane + 0.25 * before, 0.75 * plane + 0.25 * after], axis=1)
    return np.moveaxis(doubled.reshape(2 * len(plane), *plane.shape[1:]), 0, axis)
