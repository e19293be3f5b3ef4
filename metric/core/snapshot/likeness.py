"""Whether two pictures show the same scene, though one was re-encoded, made brighter, or is a crop of the other.

Pictures are kept as small grey thumbnails. Both are brought to one scale, what lighting says is taken away, and the
smaller one is looked for everywhere in the larger one (normalised cross-correlation, by Fourier transforms). A crop
that was resized as well is not noticed, nor is one of less than SMALLEST thumbnail pixels a side.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

from imaging.pixels import Pixels
from metric.core.distance.cache import Vector, VectorCache, content_key
from metric.core.distance.code import code_key
from metric.core.distance.images import Picture

Floats = NDArray[np.float64]

# The file of a version's folder with the photographs that it learned from.
LEARNED_SOURCES = "sources.safetensors"
# The longer side of a thumbnail, in pixels.
LONG_SIDE = 96
# A crop that is smaller in the thumbnail holds too few edges to be known by.
SMALLEST = 20
# What varies more slowly, in thumbnail pixels, is lighting.
LIGHTING = 6.0
# Correlation from which two pictures are taken for one. Of 122 photographs no whole one came above 0.32 with another
# one, no crop of half its sides above 0.61 and none of a quarter above 0.80, where JPEG of quality 30, made 15 %
# brighter, keeps a median of 0.89 to 0.94. A small pattern is found by chance more easily.
SAME, SAME_IF_SMALL, SMALL = 0.7, 0.8, 32
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
    grey = Image.fromarray(pixels).convert("L").resize(_scaled(height, width, scale), Image.Resampling.BOX)
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


def same_scene(one: Thumbnail, two: Thumbnail) -> bool:
    """Whether the smaller picture is found in the larger one, at the scale of their pixels."""
    small, large = sorted((one, two), key=lambda each: each.height * each.width)
    scale = max(large.grey.shape) / max(large.height, large.width)
    size = _scaled(small.height, small.width, scale)
    if min(size) < SMALLEST or size[0] > large.grey.shape[1] or size[1] > large.grey.shape[0]:
        return False
    reduced = np.asarray(Image.fromarray(small.grey).resize(size, Image.Resampling.BOX))
    limit = SAME_IF_SMALL if min(size) < SMALL else SAME
    return _best_match(_edges(reduced), _edges(large.grey)) > limit


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


def copies(known: Mapping[str, Thumbnail], shown: Sequence[Thumbnail]) -> list[str | None]:
    """For each picture of `shown`, the name of one of `known` that shows the same scene; None where none does."""
    return [next((name for name, one in known.items() if same_scene(one, each)), None) for each in shown]


def _scaled(height: int, width: int, scale: float) -> tuple[int, int]:
    """Width and height, as Pillow takes them."""
    return max(1, round(width * scale)), max(1, round(height * scale))


def _edges(grey: NDArray[np.uint8]) -> Floats:
    plane = grey.astype(np.float64)
    return np.asarray(plane - gaussian_filter(plane, LIGHTING, mode="nearest"))


def _best_match(small: Floats, large: Floats) -> float:
    """The highest correlation of `small` with any part of `large` of its size; 0 for pictures without edges."""
    pattern = small - small.mean()
    length = float(np.sqrt((pattern**2).sum()))
    if length < FAINT * np.sqrt(small.size):
        return 0.0
    products = fftconvolve(large, pattern[::-1, ::-1], mode="valid")
    sums, squares = _window_sums(large, small.shape), _window_sums(large**2, small.shape)
    spread = np.sqrt(np.maximum(squares - sums**2 / small.size, 0.0))
    usable = spread > FAINT * np.sqrt(small.size)
    return float((products[usable] / (length * spread[usable])).max(initial=0.0))


def _window_sums(plane: Floats, size: tuple[int, ...]) -> Floats:
    """The sum of each window of `size`, as `fftconvolve` in mode "valid" places them."""
    total = np.pad(plane.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    h, w = size
    return np.asarray(total[h:, w:] - total[:-h, w:] - total[h:, :-w] + total[:-h, :-w])
