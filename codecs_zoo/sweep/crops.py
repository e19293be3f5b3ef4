"""Crops of a photograph's reconstructions, where the codecs differ most, as they stand in the report."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from codecs_zoo import container, registry
from codecs_zoo.contract import Pixels
from codecs_zoo.sweep.plan import Photo, Row, Task, bitstream_path
from imaging.pictures import load_photograph

SIDE = 208
"""Pixels a side of a crop. It is shown at one image pixel for one of the page's."""


@dataclass(frozen=True)
class Crop:
    """The same window of one reconstruction: a lossless image as a data URI, and its row."""

    row: Row
    uri: str


@dataclass(frozen=True)
class Strip:
    """One photograph's window: the original, and at each target the codecs' reconstructions."""

    photo: Photo
    window: tuple[int, int, int, int]
    """left, top, width, height in pixels"""
    original: str
    by_target: dict[float, list[Crop]]


def strips(
    out: Path, photos: Sequence[Photo], rows: Sequence[Row], order: Sequence[str], count: int
) -> list[Strip]:
    """Strips of `count` photographs, spread over the folder; codecs in the given order."""
    chosen = [photos[round(n)] for n in np.linspace(0, len(photos) - 1, min(count, len(photos)))]
    return [
        _strip(out, photo, [row for row in rows if row.sha256 == photo.sha256], order) for photo in chosen
    ]


def _strip(out: Path, photo: Photo, rows: Sequence[Row], order: Sequence[str]) -> Strip:
    original = load_photograph(photo.path).pixels
    made = sorted((row for row in rows if not row.failed), key=lambda row: order.index(row.codec))
    pictures = [(row, _reconstruction(out, photo, row)) for row in made]
    lowest = min((row.target_bpp for row in made), default=0.0)
    window = window_of_difference(original, [x_hat for row, x_hat in pictures if row.target_bpp == lowest])
    by_target: dict[float, list[Crop]] = {}
    for row, x_hat in sorted(pictures, key=lambda pair: pair[0].target_bpp):
        by_target.setdefault(row.target_bpp, []).append(Crop(row, _uri(x_hat, window)))
    return Strip(photo, window, _uri(original, window), by_target)


def _reconstruction(out: Path, photo: Photo, row: Row) -> Pixels:
    task = Task(photo, row.codec, row.version, row.target_bpp)
    bitstream = container.unpack(bitstream_path(out, task).read_bytes())[1]
    return registry.get(row.codec).decode(bitstream)


def window_of_difference(original: Pixels, x_hats: Sequence[Pixels]) -> tuple[int, int, int, int]:
    """(left, top, width, height) where the squared errors of the reconstructions differ most from each other.

    The middle of the picture where there are fewer than two.
    """
    height, width = original.shape[:2]
    tall, wide = min(SIDE, height), min(SIDE, width)
    if len(x_hats) < 2:
        return (width - wide) // 2, (height - tall) // 2, wide, tall
    errors = [
        _box_sums(((original.astype(np.float64) - x_hat) ** 2).sum(axis=2), tall, wide) for x_hat in x_hats
    ]
    top, left = np.unravel_index(np.argmax(np.std(errors, axis=0)), errors[0].shape)
    return int(left), int(top), wide, tall


def _box_sums(values: npt.NDArray[np.float64], tall: int, wide: int) -> npt.NDArray[np.float64]:
    """Sum over every tall x wide window, by an integral image."""
    total = np.pad(values.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    sums: npt.NDArray[np.float64] = (
        total[tall:, wide:] - total[:-tall, wide:] - total[tall:, :-wide] + total[:-tall, :-wide]
    )
    return sums


def _uri(pixels: Pixels, window: tuple[int, int, int, int]) -> str:
    left, top, wide, tall = window
    crop = np.ascontiguousarray(pixels[top : top + tall, left : left + wide])
    buffer = io.BytesIO()
    Image.fromarray(crop).save(buffer, "WEBP", lossless=True, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
