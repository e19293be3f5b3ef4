"""A file's own correction of its picture: each colour moves by a small linear filter that was fitted to the source.

The filter sees ten numbers of a pixel: its three colours less mid-grey, for each colour how far its four neighbours and
its four diagonal neighbours are from it, and one. The encoder finds by least squares what to add to the three colours.
The numbers take 42 bytes of the file, so a correction has to be worth that much. A decoder computes it in whole
numbers, as it does all else. `python -m benchmarks.own_networks` compares it with other numbers that a file might hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from codecs_zoo.learned.pyramid.bitstream import CORRECTION
from codecs_zoo.learned.pyramid.exact import UNITS

FINE: Final = 2.0**14
"""Gains of colours and constants are whole numbers of 1 / FINE: they move every pixel."""
COARSE: Final = 2.0**8
"""Gains of differences between pixels are whole numbers of 1 / COARSE."""
RANGE: Final = 4 * UNITS
"""Colours that stray farther than this from mid-grey are clipped first."""
COLOURS: Final = 3


@dataclass(frozen=True)
class Correction:
    """`fine`: 3 x 4, gains of the three colours and a constant (of mid-grey's units) for each colour; `coarse`: 3 x 6,
    gains of the differences to four neighbours, then to four diagonal ones. Whole numbers, float64."""

    fine: Tensor
    coarse: Tensor

    def pack(self) -> bytes:
        """CORRECTION.size bytes."""
        numbers = (*self.fine.flatten().tolist(), *self.coarse.flatten().tolist())
        return CORRECTION.pack(*map(int, numbers))

    @classmethod
    def unpack(cls, content: bytes) -> Correction:
        """Of what `pack` returned; any CORRECTION.size bytes are a correction."""
        numbers = torch.tensor(CORRECTION.unpack(content), dtype=torch.float64)
        return cls(numbers[:12].view(COLOURS, 4), numbers[12:].view(COLOURS, 6))

    def of(self, picture: Tensor) -> Tensor:
        """The corrected picture; 3 x H x W whole numbers of 1 / UNITS, mid-grey is UNITS / 2."""
        features = _features(picture)
        added = self.fine @ features[:4] / FINE + self.coarse @ features[4:] / COARSE
        return picture + (added + 0.5).floor().view_as(picture)


def fitted(picture: Tensor, source: Tensor) -> Correction:
    """The correction that brings `picture` nearest to `source`, rounded: both 3 x H x W in units, as `of` has them."""
    features = _features(picture)
    target = (source - picture).flatten(1)
    coarse = (_least_squares(features, target)[:, 4:] * COARSE).round().clamp(-128, 127)
    # What rounding of these changed is made up for by the others.
    fine = _least_squares(features[:4], target - coarse @ features[4:] / COARSE)
    return Correction((fine * FINE).round().clamp(-(2**15), 2**15 - 1), coarse)


def is_worth_it(before: Tensor, after: Tensor, source: Tensor, weight: float) -> bool:
    """Whether its bytes are fewer than what they save, `weight` bits per pixel for a squared error in 0..255.

    Pictures are 3 x H x W in units.
    """
    gained = (before - source).square().mean() - (after - source).square().mean()
    pixels = before.shape[1] * before.shape[2]
    return float(gained) * (255 / UNITS) ** 2 * weight * pixels > 8 * CORRECTION.size


def to_units_of_pixels(pixels: np.ndarray) -> Tensor:
    """uint8 HxWx3 as 3 x H x W in units."""
    return torch.from_numpy(pixels).permute(2, 0, 1).double() * (UNITS / 255)


def _features(picture: Tensor) -> Tensor:
    """10 x H * W whole numbers: colours, a constant, differences to neighbours, to diagonal ones."""
    grey = (picture - UNITS / 2).clamp(-RANGE, RANGE)
    around = functional.pad(grey[None], (1, 1, 1, 1), mode="replicate")[0]
    # Sums of shifted views: no more than a few planes at once, for pictures of many megapixels.
    columns = around[:, :, :-2] + around[:, :, 2:]
    diagonal = columns[:, :-2] + columns[:, 2:]
    beside = columns[:, 1:-1] + around[:, :-2, 1:-1] + around[:, 2:, 1:-1]
    constant = torch.full_like(grey[:1], UNITS / 2)
    return torch.cat([grey, constant, beside - 4 * grey, diagonal - 4 * grey]).flatten(1)


def _least_squares(features: Tensor, target: Tensor) -> Tensor:
    """K x F gains of F x N features for K x N targets; the smallest where several do equally well."""
    gains: Tensor = torch.linalg.lstsq(features @ features.T, features @ target.T, driver="gelsd").solution
    return gains.T
