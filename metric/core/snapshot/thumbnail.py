"""Small grey copies of photographs, by which one is known again: made, kept in a cache, written and read.

A version's folder carries those of the photographs that it learned from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from imaging.pixels import Pixels
from metric.core.distance.cache import Vector, VectorCache, content_key
from metric.core.distance.code import code_key
from metric.core.distance.images import Picture
from metric.core.errors import InputError

# The file of a version's folder with the photographs that it learned from.
LEARNED_SOURCES = "sources.safetensors"
# The longer side of a thumbnail, in pixels.
LONG_SIDE = 96
# What varies more slowly, in thumbnail pixels, is lighting.
LIGHTING = 6.0
# Grey levels by which the rows and columns of a plain frame differ, at most: JPEG changes it a little.
PLAIN = 8
# Of a picture that is all frame but for less than this, a side, nothing is taken away.
LEAST_INSIDE = 20
# Mean contrast in grey levels, below which there are no edges to know a picture by.
FAINT = 1.5


@dataclass(frozen=True)
class Thumbnail:
    """A picture of `height`×`width` pixels, reduced to `grey` (h, w), uint8."""

    height: int
    width: int
    grey: NDArray[np.uint8]


def thumbnail(pixels: Pixels) -> Thumbnail:
    """The thumbnail of H×W×3 uint8."""
    height, width = pixels.shape[:2]
    scale = min(1.0, LONG_SIDE / max(height, width))
    grey = Image.fromarray(pixels).convert("L").resize(scaled(height, width, scale), Image.Resampling.BOX)
    return Thumbnail(height, width, np.asarray(grey, dtype=np.uint8))


# How much of a picture is frame: shares of its height at the top and at the bottom, and of its width at both sides.
Frame = tuple[float, float, float, float]
# The same in rows and columns of a thumbnail.
Cut = tuple[int, int, int, int]


def plain_frame(one: Thumbnail) -> Frame:
    """The plain frame of a picture, or its bars of one colour."""
    height, width = one.grey.shape
    top, bottom, left, right = *_plain_ends(one.grey), *_plain_ends(one.grey.T)
    if min(height - top - bottom, width - left - right) < LEAST_INSIDE:
        return 0.0, 0.0, 0.0, 0.0
    return top / height, bottom / height, left / width, right / width


def inside(one: Thumbnail, frame: Frame) -> Thumbnail:
    """A picture less a frame."""
    if not any(frame):
        return one
    rows, columns = one.grey.shape
    top, bottom, left, right = cut_inside(one, frame)
    rest = one.grey[top : rows - bottom, left : columns - right]
    height, width = (one.height * rest.shape[0] / rows, one.width * rest.shape[1] / columns)
    return Thumbnail(max(1, round(height)), max(1, round(width)), rest)


def cut_inside(one: Thumbnail, frame: Frame) -> Cut:
    """The rows and columns of the thumbnail that a frame covers, at the top, the bottom, the left and the right."""
    rows, columns = one.grey.shape
    top, bottom, left, right = frame
    return round(top * rows), round(bottom * rows), round(left * columns), round(right * columns)


def without_frame(one: Thumbnail) -> Thumbnail:
    """What a plain frame, or bars of one colour, leave of a picture: edges of a frame are the same in any picture."""
    return inside(one, plain_frame(one))


def _plain_ends(grey: NDArray[np.uint8]) -> tuple[int, int]:
    """How many rows at the top and at the bottom are of one colour, each with the row that is half of it.

    None, unless both ends are of the same one: a sky is no frame.
    """
    low, high = grey.min(axis=1).astype(int), grey.max(axis=1).astype(int)

    def run(low: NDArray[np.int_], high: NDArray[np.int_]) -> int:
        plain = np.maximum(high, high[0]) - np.minimum(low, low[0]) <= PLAIN
        rows = len(plain) if plain.all() else int(np.argmin(plain))
        return rows + 1 if rows else 0

    ends = run(low, high), run(low[::-1], high[::-1])
    alike = max(high[0], high[-1]) - min(low[0], low[-1]) <= PLAIN
    return ends if alike else (0, 0)


def mirrored(one: Thumbnail) -> Thumbnail:
    """The picture with left and right exchanged."""
    return Thumbnail(one.height, one.width, np.ascontiguousarray(one.grey[:, ::-1]))


def thumbnails(pictures: Mapping[str, Picture], cache: VectorCache) -> dict[str, Thumbnail]:
    """The thumbnails of pictures by name; those seen before come from the cache."""
    code = code_key(__name__)
    keys = {name: content_key("thumbnail", code, picture.sha256) for name, picture in pictures.items()}
    stored = cache.get_many(list(keys.values()))
    made = {
        keys[name]: thumbnail(picture.read())
        for name, picture in pictures.items()
        if keys[name] not in stored
    }
    sizes = {name: (picture.height, picture.width) for name, picture in pictures.items()}
    if made:
        cache.put({key: _as_vector(one) for key, one in made.items()})
    return {name: made.get(key) or _from_vector(stored[key], *sizes[name]) for name, key in keys.items()}


def _as_vector(one: Thumbnail) -> Vector:
    return np.concatenate([[one.grey.shape[0]], one.grey.ravel()]).astype(np.float32)


def _from_vector(vector: Vector, height: int, width: int) -> Thumbnail:
    return Thumbnail(height, width, vector[1:].reshape(int(vector[0]), -1).astype(np.uint8))


def write_thumbnails(path: Path, known: Mapping[str, Thumbnail]) -> None:
    """Write thumbnails by name: equal ones give equal bytes."""
    sizes = {name: [one.height, one.width] for name, one in sorted(known.items())}
    planes = {name: np.ascontiguousarray(one.grey) for name, one in sorted(known.items())}
    save_file(planes, path, metadata={"sizes": json.dumps(sizes)})


def read_thumbnails(path: Path) -> dict[str, Thumbnail]:
    """What `write_thumbnails` wrote. Raises ValueError for another file."""
    try:
        with safe_open(path, framework="numpy") as file:
            sizes = json.loads((file.metadata() or {}).get("sizes", "{}"))
            planes = {name: file.get_tensor(name) for name in sizes}
        return {
            name: Thumbnail(int(height), int(width), planes[name]) for name, (height, width) in sizes.items()
        }
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error


def scaled(height: int, width: int, scale: float) -> tuple[int, int]:
    """Width and height, as Pillow takes them."""
    return max(1, round(width * scale)), max(1, round(height * scale))
