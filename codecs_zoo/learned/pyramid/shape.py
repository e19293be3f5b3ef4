"""Sizes of pyramid's networks and the levels of rate that they are trained for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from codecs_zoo.learned.levels import LEVELS

LAMBDA_LOW, LAMBDA_HIGH = 0.0004, 0.12
"""Weight of the squared error (of pixels in 0..255) against bits per pixel at the lowest and highest level."""

PATCH: Final = 16
GRID: Final = 64
"""Pictures are padded to multiples of this: a cell of the coarsest of the nested grids."""


@dataclass(frozen=True)
class Shape:
    """Channels and blocks, by what one cell covers: 4, 8 or 16 pixels a side.

    Latents are at 1/16, in groups of channels that are coded one after the other: those of `staged` in five
    nested grids each, those of `halved` in two halves of a checkerboard.
    """

    at4: int = 96
    at8: int = 256
    at16: int = 288
    analysis_blocks: tuple[int, int, int] = (2, 4, 3)
    synthesis_blocks: tuple[int, int, int] = (2, 5, 4)
    """At 1/4, 1/8 and 1/16."""
    staged: tuple[int, ...] = (4, 12)
    halved: tuple[int, ...] = (16, 32, 64, 128)
    stage: int = 160
    """Width of the networks of staged groups."""
    context: int = 128
    """Channels that see the groups before, in halved groups."""
    spatial: int = 96
    """Channels that see the first half."""
    merge: int = 256
    """Width of the networks that turn what is known into densities."""
    slope: float = 0.125
    """Of the rectifiers below zero: a power of two, or zero, where units that a bad step puts to sleep stay asleep."""

    @property
    def latents(self) -> int:
        """Channels of the latents."""
        return sum(self.staged) + sum(self.halved)


def lambda_at(level: float) -> float:
    """The weight of the squared error at a level, geometric between the lowest and the highest."""
    return float(LAMBDA_LOW * (LAMBDA_HIGH / LAMBDA_LOW) ** (level / (LEVELS - 1)))
