"""Whether two pictures have a part in common, at the scale of their pixels or at any other.

A shift between two thumbnails shows as a peak of their phase correlation (Kuglin and Hines, "The phase correlation
image alignment method", 1975); the correlation of the parts that would then lie on one another decides. At any other
scale: one of the two is reduced step by step.

Measured on 130 photographs of four public sets: crops of 320 pixels with half of their sides in common, one of them as
JPEG of quality 30, were found in 98 %, with a third in common in 93 %, with a quarter in none; crops of .7 and .5 of a
photograph's sides, resized by .5, .8 and 1.3 and coded as JPEG of quality 40, in 98 % and more, of .35 in 70 %. No two
different photographs of 9,000 pairs came above .61.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import fft
from scipy.ndimage import gaussian_filter

from metric.core.snapshot.thumbnail import FAINT, LIGHTING, LONG_SIDE, Thumbnail

Plane = NDArray[np.float32]
Spectrum = NDArray[np.complex64]
Period = tuple[int, int]

# Correlation of the parts in common, above which pictures show the same; more where few pixels decide.
ALIKE, ALIKE_IF_SMALL, SMALL_PART = 0.7, 0.8, 32
# A part of fewer thumbnail pixels a side decides nothing.
SMALLEST_PART = 24
# Of smaller pictures one edge is all that there is: they are compared as wholes alone.
SMALLEST_SIDE = 128
# Periods of the Fourier transforms are multiples of it: few different ones, of which the transforms are fast.
PERIOD_STEP = 24
# Peaks that are tried, in each comparison and in that of all scales.
PEAKS, SCALES_TRIED = 3, 3
# Other scales are searched in smaller thumbnails, in steps, down to a reduction by MOST_REDUCED.
SEARCH_SIDE, STEP, MOST_REDUCED = 64, 1.06, 4.2
REDUCTIONS = STEP ** np.arange(int(np.log(MOST_REDUCED) / np.log(STEP)) + 1)
# Spectra that are multiplied at once: few, so that they stay in the processor's cache.
AT_ONCE = 16


def overlapping(pictures: Sequence[Thumbnail], pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those of the pairs, given as indices of pictures, that have a part in common at the scale of their pixels."""
    usable = [min(one.height, one.width) >= SMALLEST_SIDE for one in pictures]
    by_scale: dict[float, list[tuple[int, int]]] = defaultdict(list)
    for i, j in pairs:
        if usable[i] and usable[j]:
            by_scale[min(_scale(pictures[i]), _scale(pictures[j]))].append((i, j))
    together = []
    for scale, own in by_scale.items():
        planes = {n: _plane(pictures[n], scale) for n in {n for pair in own for n in pair}}
        by_period: dict[Period, list[tuple[int, int]]] = defaultdict(list)
        for i, j in own:
            by_period[_period(planes[i], planes[j])].append((i, j))
        for period, some in by_period.items():
            together += _together(planes, some, period)
    return sorted(together)


def _together(
    planes: Mapping[int, Plane], pairs: Sequence[tuple[int, int]], period: Period
) -> list[tuple[int, int]]:
    spectra = {n: _spectrum(planes[n], period) for n in {n for pair in pairs for n in pair}}
    together = []
    for some in _parts(pairs):
        one, two = (np.stack([spectra[pair[side]] for pair in some]) for side in (0, 1))
        together += [
            (i, j)
            for (i, j), peaks in zip(some, _peaks(_correlation(one, two)), strict=True)
            if _alike(planes[i], planes[j], _shifts(peaks, planes[i], period))
        ]
    return together


def _period(one: Plane, two: Plane) -> Period:
    """Periods (rows, columns) in which each shift that leaves SMALLEST_PART in common has a place of its own."""
    rows, columns = (
        PERIOD_STEP * -(-max(mine + its - 2 * SMALLEST_PART + 1, mine, its) // PERIOD_STEP)
        for mine, its in zip(one.shape, two.shape, strict=True)
    )
    return rows, columns


class AnyScale:
    """A picture, ready to be searched for in others whatever the scale: the spectra of its reductions."""

    def __init__(self, one: Thumbnail) -> None:
        self.one = one
        self.usable = min(one.height, one.width) >= SMALLEST_SIDE
        scale = SEARCH_SIDE / LONG_SIDE * _scale(one)
        self._spectra = np.stack(
            [_spectrum(_plane(one, scale / reduction), (2 * SEARCH_SIDE,) * 2) for reduction in REDUCTIONS]
        )

    def shares_a_part(self, other: AnyScale) -> bool:
        """Whether a part of this picture is a part of the other one, enlarged or reduced."""
        if not (self.usable and other.usable):
            return False
        return self._reduced_in(other) or other._reduced_in(self)

    def _reduced_in(self, other: AnyScale) -> bool:
        heights = _correlation(self._spectra, other._spectra[:1]).reshape(len(REDUCTIONS), -1).max(axis=1)
        plane = _plane(other.one, _scale(other.one))
        for number in np.argsort(heights)[-SCALES_TRIED:]:
            reduced = _plane(self.one, _scale(self.one) / REDUCTIONS[number])
            period = _period(reduced, plane)
            (peaks,) = _peaks(_correlation(*(_spectrum(each, period)[None] for each in (reduced, plane))))
            if _alike(reduced, plane, _shifts(peaks, reduced, period)):
                return True
        return False


def _scale(one: Thumbnail) -> float:
    """Thumbnail pixels for a pixel of the picture."""
    return float(max(one.grey.shape) / max(one.height, one.width))


def _plane(one: Thumbnail, scale: float) -> Plane:
    """Its edges, with mean 0, at so many thumbnail pixels for one of its own."""
    size = (max(1, round(one.width * scale)), max(1, round(one.height * scale)))
    grey = Image.fromarray(one.grey).resize(size, Image.Resampling.BOX)
    plane = np.asarray(grey, dtype=np.float32)
    edges = plane - gaussian_filter(plane, LIGHTING, mode="nearest")
    return np.asarray(edges - edges.mean(), dtype=np.float32)


def _spectrum(plane: Plane, period: Period) -> Spectrum:
    return np.asarray(fft.rfft2(plane, period), dtype=np.complex64)


def _correlation(one: Spectrum, two: Spectrum) -> Plane:
    """Phase correlations (N, P, Q) of spectra (N, P, Q/2 + 1); the small term keeps out phases of nothing."""
    product = one * np.conj(two)
    size = np.abs(product)
    size += 1e-3 * size.mean(axis=(1, 2), keepdims=True) + np.float32(1e-20)
    product /= size
    period = one.shape[1], 2 * (one.shape[2] - 1)
    return np.asarray(fft.irfft2(product, period, overwrite_x=True), dtype=np.float32)


def _shifts(peaks: NDArray[np.intp], one: Plane, period: Period) -> list[tuple[int, int]]:
    """The shifts, down and to the right, that take a second plane onto the first, where a correlation has peaks."""
    places = [divmod(n, period[1]) for n in peaks.tolist()]
    return [
        (_signed(down, one.shape[0], period[0]), _signed(right, one.shape[1], period[1]))
        for down, right in places
    ]


def _peaks(planes: Plane) -> NDArray[np.intp]:
    """Where the PEAKS highest values of each of N planes (N, P, P) are, (N, PEAKS), counted along its rows.

    They are in the PEAKS rows with the highest maxima: to search those alone takes a third of the time.
    """
    rows = _highest(planes.max(axis=2))
    own = np.take_along_axis(planes, rows[:, :, None], axis=1).reshape(len(planes), -1)
    at = _highest(own)
    width = planes.shape[2]
    return np.asarray(np.take_along_axis(rows, at // width, axis=1) * width + at % width)


def _highest(values: Plane) -> NDArray[np.intp]:
    return np.argpartition(values, -PEAKS, axis=1)[:, -PEAKS:]


def _signed(shift: int, length: int, period: int) -> int:
    """A shift of a period is one backwards where the first plane, of this length, would leave too little in common."""
    return shift if shift <= length - SMALLEST_PART else shift - period


def _alike(one: Plane, two: Plane, shifts: Sequence[tuple[int, int]]) -> bool:
    return any(_agreement(one, two, down, right) for down, right in shifts)


def _agreement(one: Plane, two: Plane, down: int, right: int) -> bool:
    """Whether the parts agree that lie on one another when the second is shifted."""
    top, bottom = max(0, -down), min(two.shape[0], one.shape[0] - down)
    left, end = max(0, -right), min(two.shape[1], one.shape[1] - right)
    side = min(bottom - top, end - left)
    if side < SMALLEST_PART:
        return False
    first = one[top + down : bottom + down, left + right : end + right].ravel()
    second = two[top:bottom, left:end].ravel()
    first, second = first - first.mean(), second - second.mean()
    lengths = [float(np.sqrt(part @ part)) for part in (first, second)]
    if min(lengths) < FAINT * np.sqrt(first.size):
        return False
    limit = ALIKE if side >= SMALL_PART else ALIKE_IF_SMALL
    return float(first @ second) > limit * lengths[0] * lengths[1]


def _parts(pairs: Sequence[tuple[int, int]]) -> Iterator[Sequence[tuple[int, int]]]:
    for start in range(0, len(pairs), AT_ONCE):
        yield pairs[start : start + AT_ONCE]
