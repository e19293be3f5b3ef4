"""Levels of rate: one set of networks codes at all of them, and at whatever lies between two. Needs no torch."""

from __future__ import annotations

from typing import Final

LEVELS: Final = 8
"""Trained rates. Networks are conditioned on a level: any number from 0, the lowest rate, to LEVELS - 1."""

LEVEL_STEPS: Final = 50
"""A bitstream holds its level as an index, a whole number of 1 / LEVEL_STEPS."""

LEVEL_INDICES: Final = LEVEL_STEPS * (LEVELS - 1) + 1
"""How many such indices there are, from 0."""


def index_to_level(index: int) -> float:
    """The level, 0 to LEVELS - 1, that an index in a bitstream stands for."""
    return index / LEVEL_STEPS


def level_and_share(index: int) -> tuple[int, float]:
    """The trained level below an index, 0 to LEVELS - 2, and the share of the level above it, 0 to 1."""
    level = min(index // LEVEL_STEPS, LEVELS - 2)
    return level, index / LEVEL_STEPS - level
