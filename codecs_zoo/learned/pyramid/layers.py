"""Layers of pyramid's networks: every one of them has a twin in whole numbers (`exact.py`)."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from codecs_zoo.learned.pyramid.shape import LEVELS


class PerLevel(nn.Module):
    """A table with one row of `channels` values for each level, read between the levels."""

    def __init__(self, channels: int, start: float = 0.0) -> None:
        super().__init__()
        self.rows = nn.Parameter(torch.full((LEVELS, channels), start))

    def forward(self, level: Tensor) -> Tensor:
        """B x channels x 1 x 1 for levels of shape B, interpolated linearly."""
        return interpolate_rows(self.rows, level)


def interpolate_rows(rows: Tensor, level: Tensor) -> Tensor:
    """Rows of a LEVELS x C table at levels (B, from 0 to LEVELS - 1): B x C x 1 x 1."""
    places = torch.arange(len(rows), device=rows.device, dtype=rows.dtype)
    shares = (1 - (level.to(rows.dtype)[:, None] - places).abs()).clamp(min=0)
    return (shares @ rows)[:, :, None, None]


class Modulation(nn.Module):
    """Scales and shifts each channel by the level; starts as the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale, self.shift = PerLevel(channels), PerLevel(channels)

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        scale, shift = self.scale(level), self.shift(level)
        return cast(Tensor, x * (1 + scale).to(x.dtype) + shift.to(x.dtype))


class Bottleneck(nn.Module):
    """1 x 1 to half the channels, 3 x 3, 1 x 1 back, added to the input (as in ELIC, He et al., CVPR 2022)."""

    def __init__(self, channels: int, slope: float) -> None:
        super().__init__()
        half = channels // 2
        self.inner = nn.Sequential(
            nn.Conv2d(channels, half, 1),
            nn.LeakyReLU(slope),
            nn.Conv2d(half, half, 3, padding=1),
            nn.LeakyReLU(slope),
            nn.Conv2d(half, channels, 1),
        )
        with torch.no_grad():
            cast(Any, self.inner[-1]).weight *= 0.5

    def forward(self, x: Tensor) -> Tensor:
        return x + cast(Tensor, self.inner(x))


def blocks(channels: int, count: int, slope: float) -> nn.Sequential:
    """`count` bottlenecks one after the other."""
    return nn.Sequential(*[Bottleneck(channels, slope) for _ in range(count)])
