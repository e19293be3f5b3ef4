"""Layers of pyramid's networks: every one of them has a twin in whole numbers (`exact.py`)."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn


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
