"""What a saliency map changes in a codec's files: two files of equal size, one searched for without it, one with it.

The salient region is the `SALIENT` share of the pixels where the map is highest. Quality is PSNR, over the pixels of
the region and over the others; the codec itself reports where the bits went (`Codec.bits_map`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from codecs_zoo import container, registry
from codecs_zoo.contract import Codec, CodecError, Floats, Pixels
from codecs_zoo.quality import figure
from codecs_zoo.saliency.maps import saliency_map
from codecs_zoo.sweep.intervals import Interval, bootstrap_draws, mean_interval
from codecs_zoo.sweep.plan import Photo, Row, Task, bitstream_path
from codecs_zoo.variants import split_name, with_options
from imaging.pictures import load_photograph

Mask = npt.NDArray[np.bool_]

SALIENT: Final = 0.15
"""Share of the pixels that are called salient."""
LABELS: Final = {
    "bytes": "Bytes, %",
    "salient_psnr": "PSNR in the salient region, dB",
    "other_psnr": "PSNR elsewhere, dB",
    "salient_bits": "Bits in the salient region, percentage points",
}
"""What is compared: steered less unsteered, beside the difference of every quality figure."""


@dataclass(frozen=True)
class Side:
    """One file: its row, its pixels, where its bits are (None if the codec can't tell), and its figures.

    `salient_bits` is the share of the bits in the salient region; PSNR in dB, inf where the pixels are equal.
    """

    row: Row
    x_hat: Pixels
    bits: Floats | None
    salient_psnr: float
    other_psnr: float
    salient_bits: float | None


@dataclass(frozen=True)
class Comparison:
    """One photograph: its pixels, its map (HxW in 0..1), and both files."""

    photo: Photo
    pixels: Pixels
    saliency: Floats
    unsteered: Side
    steered: Side

    def changes(self) -> dict[str, float | None]:
        """Steered less unsteered: LABELS' figures, and each quality figure of the rows by its name."""
        before, after = self.unsteered, self.steered
        own, its = before.row.figures, after.row.figures
        quality = {name: _less(its[name], value) for name, value in own.items() if name in its}
        return {
            "bytes": 100 * _size(after) / _size(before) - 100,
            "salient_psnr": _less(after.salient_psnr, before.salient_psnr),
            "other_psnr": _less(after.other_psnr, before.other_psnr),
            "salient_bits": _less(after.salient_bits, before.salient_bits, 100),
            **quality,
        }


def steering_label(name: str) -> str:
    """What a change is called in tables: a label of LABELS, or that of a quality figure of the whole picture."""
    return LABELS[name] if name in LABELS else figure(name).label


def codec_pair(name: str, kind: str) -> tuple[Codec, Codec]:
    """The codec called `name`, and the same with the option `saliency` set to `kind`.

    Raises CodecError for a codec that can't be steered, is steered already, or does not search.
    """
    own, options = split_name(name)
    codec = registry.get(own)
    if "saliency" not in codec.options:
        able = ", ".join(each.name for each in registry.codecs() if "saliency" in each.options)
        raise CodecError(f"{own} cannot be steered by saliency. Codecs that can: {able}.")
    if "saliency" in options:
        raise CodecError(f"{name} already has a saliency option; remove it and use --kind.")
    return with_options(codec, options), with_options(codec, {**options, "saliency": kind})


def salient_region(saliency: Floats) -> Mask:
    """The SALIENT share of the pixels with the highest saliency; among equals the first by row.

    Raises CodecError where the map says the same of every pixel.
    """
    if saliency.max() == saliency.min():
        raise CodecError("the map is the same everywhere: nothing in this photograph is salient")
    region = np.zeros(saliency.size, bool)
    region[np.argsort(-saliency, axis=None, kind="stable")[: round(SALIENT * saliency.size)]] = True
    return region.reshape(saliency.shape)


def compare(out: Path, kind: str, unsteered: tuple[Task, Row], steered: tuple[Task, Row]) -> Comparison:
    """Reads both files of a photograph and takes their figures. Raises CodecError, ModelUnavailable."""
    photo = unsteered[0].photo
    pixels = load_photograph(photo.path).pixels
    saliency = saliency_map(pixels, kind)
    region = salient_region(saliency)
    sides = [_side(out, task, row, pixels, region) for task, row in (unsteered, steered)]
    return Comparison(photo, pixels, saliency, *sides)


def mean_changes(comparisons: Sequence[Comparison]) -> dict[str, Interval | None]:
    """By name of `Comparison.changes`: the mean over photographs with its 95 % bootstrap interval."""
    draws = bootstrap_draws(len(comparisons))
    each = [comparison.changes() for comparison in comparisons]
    names = list(each[0]) if each else []
    known = {
        name: [np.nan if one[name] is None else float(one[name] or 0.0) for one in each] for name in names
    }
    return {name: mean_interval(np.array(values), draws) for name, values in known.items()}


def _side(out: Path, task: Task, row: Row, pixels: Pixels, region: Mask) -> Side:
    codec = registry.get(task.codec)
    bitstream = container.unpack(bitstream_path(out, task).read_bytes())[1]
    x_hat = codec.decode(bitstream)
    bits = codec.bits_map(bitstream)
    share = None if bits is None else float(bits[region].sum() / bits.sum())
    squares = ((pixels.astype(np.float64) - x_hat) ** 2).mean(2)
    return Side(row, x_hat, bits, _psnr(squares[region]), _psnr(squares[~region]), share)


def _psnr(squares: Floats) -> float:
    error = float(squares.mean())
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def _less(after: float | None, before: float | None, times: float = 1) -> float | None:
    """The difference; None where either is unknown or infinite."""
    if after is None or before is None or not math.isfinite(after) or not math.isfinite(before):
        return None
    return times * (after - before)


def _size(side: Side) -> int:
    return side.row.file_bytes or 1
