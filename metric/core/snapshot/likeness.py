"""Whether two pictures show the same scene, though one was re-encoded, resized, brightened, or is a crop of the other.

Pictures are kept as small grey thumbnails, from which lighting is taken away: edges lie where they lay. There are two
tests, because each misses what the other notices: fingerprints compare whole pictures, resized ones too, all with all
in one product of matrices; a search for the smaller picture everywhere in the larger one (normalised cross-correlation,
by Fourier transforms) notices crops, at a millisecond a pair. A crop that was resized as well is not noticed, nor is
one of less than SMALLEST thumbnail pixels a side, nor a picture without edges.
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
# Mean contrast in grey levels, below which there are no edges to know a picture by.
FAINT = 1.5
# A fingerprint is SIDE×SIDE means, less what COARSE×COARSE of them say.
SIDE, COARSE = 64, 16
# Correlation of two fingerprints, above which pictures are one. Of 368 photographs no two different ones came above
# 0.30, while JPEG of quality 10 keeps 0.86 and half the size 0.82. In 64-pixel crops, where one edge is all there is,
# two of them came to 0.75: so more is required where one has a side below SMALL_SIDE pixels.
WHOLE, WHOLE_IF_SMALL, SMALL_SIDE = 0.8, 0.97, 128
# Correlation above which one picture is a crop of the other. Of 122 photographs no whole one came above 0.32 with
# another one, no crop of half its sides above 0.61 and none of a quarter above 0.80, where JPEG of quality 30, made
# 15 % brighter, keeps a median of 0.89 to 0.94. A pattern of less than SMALL_CROP thumbnail pixels a side matches by
# chance more easily.
CROP, CROP_IF_SMALL, SMALL_CROP = 0.7, 0.8, 32


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


def fingerprint(one: Thumbnail) -> Vector:
    """Where the edges of a whole picture lie: (SIDE²,) float32 of length one; zeros where there are none."""
    fine = Image.fromarray(one.grey).convert("F").resize((SIDE, SIDE), Image.Resampling.BOX)
    coarse = fine.resize((COARSE, COARSE), Image.Resampling.BOX)
    edges = np.asarray(fine) - np.asarray(coarse.resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    edges = edges - edges.mean()
    length = float(np.linalg.norm(edges))
    if length < FAINT * SIDE:
        return np.zeros(SIDE * SIDE, dtype=np.float32)
    unit: Vector = (edges / length).astype(np.float32).ravel()
    return unit


def same_view(one: Sequence[Thumbnail], two: Sequence[Thumbnail]) -> NDArray[np.bool_]:
    """Which of N and M whole pictures show the same, (N, M), by their fingerprints: no crops."""
    if not one or not two:
        return np.zeros((len(one), len(two)), dtype=bool)
    first, second = (np.stack([fingerprint(each) for each in part]) for part in (one, two))
    small, other = (
        np.array([min(each.height, each.width) < SMALL_SIDE for each in part]) for part in (one, two)
    )
    limit = np.where(small[:, None] | other, WHOLE_IF_SMALL, WHOLE)
    return np.asarray(first @ second.T > limit)


def is_crop(one: Thumbnail, two: Thumbnail) -> bool:
    """Whether the smaller picture is part of the larger one, at the scale of their pixels."""
    small, large = sorted((one, two), key=lambda each: each.height * each.width)
    scale = max(large.grey.shape) / max(large.height, large.width)
    size = _scaled(small.height, small.width, scale)
    if min(size) < SMALLEST or size[0] > large.grey.shape[1] or size[1] > large.grey.shape[0]:
        return False
    reduced = np.asarray(Image.fromarray(small.grey).resize(size, Image.Resampling.BOX))
    limit = CROP_IF_SMALL if min(size) < SMALL_CROP else CROP
    return _best_match(_edges(reduced), _edges(large.grey)) > limit


def copies(known: Mapping[str, Thumbnail], shown: Sequence[Thumbnail]) -> list[str | None]:
    """For each picture of `shown`, the name of one of `known` that shows the same scene; None where none does."""
    whole = same_view(shown, list(known.values()))
    return [
        next(
            (
                name
                for (name, one), same in zip(known.items(), row, strict=True)
                if same or is_crop(one, each)
            ),
            None,
        )
        for each, row in zip(shown, whole, strict=True)
    ]


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
