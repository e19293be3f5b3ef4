"""Photograph to latents, which only an encoder runs, and latents back to the photograph.

Each way is a linear transform of 16 x 16 patches, which starts as the principal components of photographs,
plus what a convolutional network adds to it, which starts as zero.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from codecs_zoo.learned._conditioning import Modulation
from codecs_zoo.learned.networks.transforms import zeroed
from codecs_zoo.learned.pyramid.layers import blocks
from codecs_zoo.learned.pyramid.shape import PATCH, Shape

PATCH_VALUES = 3 * PATCH * PATCH
Autocast = AbstractContextManager[Any]


class Analysis(nn.Module):
    """x (B x 3 x H x W in 0..1, sides multiples of 64) to latents B x C x H/16 x W/16, before the step divides them."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        at4, at8, at16 = shape.analysis_blocks
        self.linear = nn.Conv2d(PATCH_VALUES, shape.latents, 1)
        self.enter = nn.Conv2d(48, shape.at4, 1)
        self.blocks4 = blocks(shape.at4, at4, shape.slope)
        self.down8 = nn.Conv2d(4 * shape.at4, shape.at8, 1)
        self.modulation8 = Modulation(shape.at8)
        self.blocks8 = blocks(shape.at8, at8, shape.slope)
        self.down16 = nn.Conv2d(4 * shape.at8, shape.at16, 1)
        self.modulation16 = Modulation(shape.at16)
        self.blocks16 = blocks(shape.at16, at16, shape.slope)
        self.leave = zeroed(nn.Conv2d(shape.at16, shape.latents, 1))

    def forward(self, x: Tensor, level: Tensor, autocast: Autocast | None = None) -> Tensor:
        x = x - 0.5
        linear = self.linear(functional.pixel_unshuffle(x, PATCH))
        with autocast or nullcontext():
            hidden = self.blocks4(self.enter(functional.pixel_unshuffle(x, 4)))
            hidden = self.down8(functional.pixel_unshuffle(hidden, 2))
            hidden = self.blocks8(self.modulation8(hidden, level))
            hidden = self.down16(functional.pixel_unshuffle(hidden, 2))
            hidden = self.blocks16(self.modulation16(hidden, level))
            added = self.leave(hidden)
        return linear + added.to(x.dtype)  # type: ignore[no-any-return]


class Synthesis(nn.Module):
    """Latents times their step to x_hat (B x 3 x H x W, not clamped)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        at4, at8, at16 = shape.synthesis_blocks
        self.linear = nn.Conv2d(shape.latents, PATCH_VALUES, 1)
        self.enter = nn.Conv2d(shape.latents, shape.at16, 1)
        self.modulation16 = Modulation(shape.at16)
        self.blocks16 = blocks(shape.at16, at16, shape.slope)
        self.up8 = nn.Conv2d(shape.at16, 4 * shape.at8, 1)
        self.look = nn.Conv2d(PATCH_VALUES // 4, shape.at8, 1)
        self.modulation8 = Modulation(shape.at8)
        self.blocks8 = blocks(shape.at8, at8, shape.slope)
        self.up4 = nn.Conv2d(shape.at8, 4 * shape.at4, 1)
        self.blocks4 = blocks(shape.at4, at4, shape.slope)
        self.leave = zeroed(nn.Conv2d(shape.at4, 48, 1))

    def forward(self, y: Tensor, level: Tensor, autocast: Autocast | None = None) -> Tensor:
        patches = functional.pixel_shuffle(self.linear(y), PATCH)
        with autocast or nullcontext():
            hidden = self.modulation16(self.enter(y), level)
            hidden = functional.pixel_shuffle(self.up8(self.blocks16(hidden)), 2)
            # The network sees the patches' own edges, across which it has to smooth.
            hidden = hidden + self.look(functional.pixel_unshuffle(patches, PATCH // 2))
            hidden = self.blocks8(self.modulation8(hidden, level))
            hidden = self.blocks4(functional.pixel_shuffle(self.up4(hidden), 2))
            added = self.leave(hidden)
        return patches + functional.pixel_shuffle(added.to(y.dtype), 4) + 0.5
