"""Whether two pictures show the same scene, though one was re-encoded, resized, brightened, or is a crop of the other.

Plain frames are taken away first, and mirrored copies are searched for too; turned ones as wholes alone.

Lighting is taken away from thumbnails: edges lie where they lay. There are three tests, because each misses what
another notices: fingerprints compare whole pictures, resized ones too, all with all in one product of matrices; a
search for the smaller picture everywhere in the larger one (normalised cross-correlation, by Fourier transforms)
notices crops at a millisecond a pair, small ones too; `overlap` notices parts in common at any scale, at some ten
milliseconds a pair. A crop of less than SMALLEST thumbnail pixels a side is not noticed, nor a picture without edges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

from metric.core.distance.cache import Vector
from metric.core.snapshot.overlap import AnyScale
from metric.core.snapshot.thumbnail import (
    FAINT,
    LEAST_INSIDE,
    LIGHTING,
    Cut,
    Frame,
    Thumbnail,
    cut_inside,
    inside,
    mirrored,
    plain_frame,
    scaled,
    without_frame,
)

Floats = NDArray[np.float64]

# A crop that is smaller in the thumbnail holds too few edges to be known by.
SMALLEST = 20
# A fingerprint is SIDE×SIDE means, less what COARSE×COARSE of them say.
SIDE, COARSE = 64, 16
# Correlation of two fingerprints, above which pictures are one. Of 368 photographs no two different ones came above
# 0.30, nor any of 288 above the limit when mirrored or turned, while JPEG of quality 10 keeps 0.86 and half the size
# 0.82. In 64-pixel crops, where one edge is all there is, two of them came to 0.75: so more is required where one has a
# side below SMALL_SIDE pixels.
WHOLE, WHOLE_IF_SMALL, SMALL_SIDE = 0.8, 0.97, 128
# Correlation above which one picture is a crop of the other. Of 122 photographs no whole one came above 0.32 with
# another one, no crop of half its sides above 0.61 and none of a quarter above 0.80, where JPEG of quality 30, made
# 15 % brighter, keeps a median of 0.89 to 0.94. A pattern of less than SMALL_CROP thumbnail pixels a side matches by
# chance more easily.
CROP, CROP_IF_SMALL, SMALL_CROP = 0.7, 0.8, 32


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


def same_view(
    one: Sequence[Thumbnail], two: Sequence[Thumbnail], wanted: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Which of N and M whole pictures show the same, (N, M), by their fingerprints: mirrored and turned ones too, with
    and without a plain frame, but no crops. `wanted`: the pairs that are compared, (N, M), or all."""
    same = np.zeros((len(one), len(two)), dtype=bool)
    if not one or not two:
        return same
    small, other = (
        np.array([min(each.height, each.width) < SMALL_SIDE for each in part]) for part in (one, two)
    )
    limit = np.where(small[:, None] | other, WHOLE_IF_SMALL, WHOLE)
    frames, other_frames = ([plain_frame(each) for each in part] for part in (one, two))
    framed, other_framed = (np.array([any(each) for each in part]) for part in (frames, other_frames))
    # Two frames are alike whatever is inside.
    usable = ~(framed[:, None] & other_framed)
    for (bare, rows, mine), (other_bare, columns, theirs) in product(
        _ways(one, framed), _ways(two, other_framed)
    ):
        at = np.ix_(rows, columns)
        for turned in _turns(theirs):
            same[at] |= (mine @ turned.T > limit[at]) & (usable[at] | (bare and other_bare))
    wanted = np.ones_like(same) if wanted is None else wanted
    left, right = _Inside(one), _Inside(two)
    for i, j in np.argwhere(wanted & ~usable & ~same).tolist():
        # Where a frame ends is not certain.
        frame = _wider(frames[i], other_frames[j])
        same[i, j] = left.fingerprint(i, frame) @ right.fingerprint(j, frame) > limit[i, j]
    return np.asarray(same & wanted)


def _ways(
    pictures: Sequence[Thumbnail], framed: NDArray[np.bool_]
) -> list[tuple[bool, NDArray[np.intp], Vector]]:
    """All pictures as they are, then those with a frame without it: whether without, which, and their fingerprints."""
    ways = [(False, np.arange(len(pictures)), _fingerprints(pictures))]
    if framed.any():
        which = np.flatnonzero(framed)
        ways.append((True, which, _fingerprints([without_frame(pictures[n]) for n in which.tolist()])))
    return ways


def _wider(one: Frame, two: Frame) -> Frame:
    top, bottom, left, right = map(max, one, two)
    return top, bottom, left, right


class _Inside:
    """Fingerprints of pictures less frames of any width: one for each picture and number of rows and columns."""

    def __init__(self, pictures: Sequence[Thumbnail]) -> None:
        self._pictures = pictures
        self._made: dict[tuple[int, Cut], Vector] = {}

    def fingerprint(self, number: int, frame: Frame) -> Vector:
        """Of the picture of that number, less the frame; zeros where hardly anything is inside."""
        one = self._pictures[number]
        key = (number, cut_inside(one, frame))
        if key not in self._made:
            top, bottom, left, right = key[1]
            rows, columns = one.grey.shape
            enough = min(rows - top - bottom, columns - left - right) >= LEAST_INSIDE
            self._made[key] = fingerprint(inside(one, frame)) if enough else np.zeros(SIDE**2, np.float32)
        return self._made[key]


def _fingerprints(pictures: Sequence[Thumbnail]) -> Vector:
    return np.stack([fingerprint(each) for each in pictures])


def _turns(fingerprints: Vector) -> Iterator[Vector]:
    """Fingerprints (N, SIDE²) of the same pictures, turned by quarters and mirrored."""
    planes = fingerprints.reshape(-1, SIDE, SIDE)
    for quarters in range(4):
        turned = np.rot90(planes, quarters, axes=(1, 2))
        for plane in (turned, turned[:, :, ::-1]):
            yield plane.reshape(len(planes), -1)


def is_crop(one: Thumbnail, two: Thumbnail) -> bool:
    """Whether the smaller picture is part of the larger one, at the scale of their pixels."""
    small, large = sorted((one, two), key=lambda each: each.height * each.width)
    scale = max(large.grey.shape) / max(large.height, large.width)
    size = scaled(small.height, small.width, scale)
    if min(size) < SMALLEST or size[0] > large.grey.shape[1] or size[1] > large.grey.shape[0]:
        return False
    reduced = np.asarray(Image.fromarray(small.grey).resize(size, Image.Resampling.BOX))
    limit = CROP_IF_SMALL if min(size) < SMALL_CROP else CROP
    return _best_match(_edges(reduced), _edges(large.grey)) > limit


def copies(
    known: Mapping[str, Thumbnail],
    shown: Sequence[Thumbnail],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[str | None]:
    """For each picture of `shown`, the name of one of `known` that shows the same scene; None where none does."""
    whole = same_view(shown, list(known.values()))
    unframed = {name: without_frame(one) for name, one in known.items()}
    searched = {name: AnyScale(one) for name, one in unframed.items()}
    names: list[str | None] = []
    for each, row in zip(shown, whole, strict=True):
        mine = without_frame(each)
        alike = next((name for name, same in zip(known, row, strict=True) if same), None)
        names.append(
            alike
            or next(filter(None, (_part_of(way, unframed, searched) for way in (mine, mirrored(mine)))), None)
        )
        progress(len(names), len(shown))
    return names


def _part_of(each: Thumbnail, known: Mapping[str, Thumbnail], searched: Mapping[str, AnyScale]) -> str | None:
    """The name of a known picture of which a part is a part of this one."""
    if name := next((name for name, one in known.items() if is_crop(one, each)), None):
        return name
    mine = AnyScale(each)
    return next((name for name, other in searched.items() if mine.shares_a_part(other)), None)


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
