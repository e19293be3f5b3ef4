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

# The file of a version's folder with the photographs that it learned from.
LEARNED_SOURCES = "sources.safetensors"
# The longer side of a thumbnail, in pixels.
LONG_SIDE = 96
# What varies more slowly, in thumbnail pixels, is lighting.
LIGHTING = 6.0
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
        raise ValueError(f"{path} cannot be read: {error}") from error


def scaled(height: int, width: int, scale: float) -> tuple[int, int]:
    """Width and height, as Pillow takes them."""
    return max(1, round(width * scale)), max(1, round(height * scale))
