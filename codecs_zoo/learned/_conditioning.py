"""Layers conditioned on the level of rate, and the same tables read in whole numbers."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from codecs_zoo.learned.levels import LEVEL_STEPS, LEVELS


class PerLevel(nn.Module):
    """A table with one row of `channels` values for each level, interpolated between the levels."""

    def __init__(self, channels: int, start: float = 0.0) -> None:
        super().__init__()
        self.rows = nn.Parameter(torch.full((LEVELS, channels), start))

    def forward(self, level: Tensor) -> Tensor:
        """B x channels x 1 x 1 for levels of shape B, interpolated linearly."""
        return interpolate_rows(self.rows, level)


def interpolate_rows(rows: Tensor, level: Tensor) -> Tensor:
    """Rows of a LEVELS x C table at levels (B, from 0 to LEVELS - 1): B x C x 1 x 1."""
    places = torch.arange(len(rows), device=rows.device, dtype=rows.dtype)
    # A product instead of a look-up: its gradient needs no sorting on a GPU.
    shares = (1 - (level.to(rows.dtype)[:, None] - places).abs()).clamp(min=0)
    return (shares @ rows)[:, :, None, None]


def interpolate_whole_rows(rows: Tensor, index: int) -> Tensor:
    """C whole numbers from a LEVELS x C table of them (float64) at a level index, rounded: alike on every machine."""
    below = min(index // LEVEL_STEPS, len(rows) - 2)
    above = index - below * LEVEL_STEPS
    total = rows[below] * (LEVEL_STEPS - above) + rows[below + 1] * above
    return (total / LEVEL_STEPS + 0.5).floor()


class Modulation(nn.Module):
    """Scales and shifts each channel by the level; starts as the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale, self.shift = PerLevel(channels), PerLevel(channels)

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        """x: B x channels x H x W; level: B."""
        scale, shift = self.scale(level), self.shift(level)
        return cast(Tensor, x * (1 + scale).to(x.dtype) + shift.to(x.dtype))
