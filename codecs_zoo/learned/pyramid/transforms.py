"""Photograph to latents, which only an encoder runs, and latents back to the photograph.

Each way is a linear transform of 16 x 16 patches, which starts as the principal components of photographs,
plus what a convolutional network adds to it, which starts as zero.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from codecs_zoo.learned.pyramid.layers import Modulation, blocks, zeroed
from codecs_zoo.learned.pyramid.shape import PATCH, Shape

PATCH_VALUES = 3 * PATCH * PATCH
Autocast = AbstractContextManager[Any]


class Latents(NamedTuple):
    """The three grids of a batch: B x C x h x w, with h and w halved from each to the next."""

    fine: Tensor
    middle: Tensor
    coarse: Tensor


class Analysis(nn.Module):
    """x (B x 3 x H x W in 0..1, sides multiples of 64) to latents, the fine ones before division by the step."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        at4, at8, at16 = shape.analysis_blocks
        fine = sum(shape.fine)
        self.linear = nn.Conv2d(PATCH_VALUES, fine, 1)
        self.enter = nn.Conv2d(48, shape.at4, 1)
        self.blocks4 = blocks(shape.at4, at4)
        self.down8 = nn.Conv2d(4 * shape.at4, shape.at8, 1)
        self.modulation8 = Modulation(shape.at8)
        self.blocks8 = blocks(shape.at8, at8)
        self.down16 = nn.Conv2d(4 * shape.at8, shape.at16, 1)
        self.modulation16 = Modulation(shape.at16)
        self.blocks16 = blocks(shape.at16, at16)
        self.leave = zeroed(nn.Conv2d(shape.at16, fine, 1))
        self.project = nn.Conv2d(fine, shape.at16, 1)
        self.down32 = nn.Conv2d(4 * shape.at16, shape.known32, 1)
        self.blocks32 = blocks(shape.known32, 1)
        self.middle = nn.Conv2d(shape.known32, sum(shape.middle), 3, padding=1)
        self.down64 = nn.Conv2d(4 * shape.known32, shape.known64, 1)
        self.blocks64 = blocks(shape.known64, 1)
        self.coarse = nn.Conv2d(shape.known64, sum(shape.coarse), 3, padding=1)

    def forward(self, x: Tensor, level: Tensor, autocast: Autocast | None = None) -> Latents:
        x = x - 0.5
        linear = self.linear(functional.pixel_unshuffle(x, PATCH))
        with autocast or nullcontext():
            hidden = self.blocks4(self.enter(functional.pixel_unshuffle(x, 4)))
            hidden = self.down8(functional.pixel_unshuffle(hidden, 2))
            hidden = self.blocks8(self.modulation8(hidden, level))
            hidden = self.down16(functional.pixel_unshuffle(hidden, 2))
            hidden = self.blocks16(self.modulation16(hidden, level))
            added = self.leave(hidden)
            hidden = torch.relu(hidden + self.project(linear))
            hidden = self.blocks32(self.down32(functional.pixel_unshuffle(hidden, 2)))
            middle = self.middle(hidden)
            hidden = self.blocks64(self.down64(functional.pixel_unshuffle(hidden, 2)))
            coarse = self.coarse(hidden)
        return Latents(linear + added.to(x.dtype), middle.to(x.dtype), coarse.to(x.dtype))


class Synthesis(nn.Module):
    """Fine latents times their step, and what the coarser ones tell (1/16), to x_hat (not clamped)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        at4, at8, at16 = shape.synthesis_blocks
        fine = sum(shape.fine)
        self.linear = nn.Conv2d(fine, PATCH_VALUES, 1)
        self.enter = nn.Conv2d(fine, shape.at16, 1)
        self.known = nn.Conv2d(shape.known16, shape.at16, 1)
        self.modulation16 = Modulation(shape.at16)
        self.blocks16 = blocks(shape.at16, at16)
        self.up8 = nn.Conv2d(shape.at16, 4 * shape.at8, 1)
        self.look = nn.Conv2d(PATCH_VALUES // 4, shape.at8, 1)
        self.modulation8 = Modulation(shape.at8)
        self.blocks8 = blocks(shape.at8, at8)
        self.up4 = nn.Conv2d(shape.at8, 4 * shape.at4, 1)
        self.blocks4 = blocks(shape.at4, at4)
        self.leave = zeroed(nn.Conv2d(shape.at4, 48, 1))

    def forward(self, fine: Tensor, known: Tensor, level: Tensor, autocast: Autocast | None = None) -> Tensor:
        patches = functional.pixel_shuffle(self.linear(fine), PATCH)
        with autocast or nullcontext():
            hidden = self.modulation16(self.enter(fine) + self.known(known), level)
            hidden = functional.pixel_shuffle(self.up8(self.blocks16(hidden)), 2)
            # The network sees the patches' own edges, across which it has to smooth.
            hidden = hidden + self.look(functional.pixel_unshuffle(patches, PATCH // 2))
            hidden = self.blocks8(self.modulation8(hidden, level))
            hidden = self.blocks4(functional.pixel_shuffle(self.up4(hidden), 2))
            added = self.leave(hidden)
        return patches + functional.pixel_shuffle(added.to(fine.dtype), 4) + 0.5


@torch.no_grad()
def start_from_components(analysis: Analysis, synthesis: Synthesis, components: Tensor, mean: Tensor) -> None:
    """Make the linear parts a projection onto `components` (C x 768, orthonormal rows) about `mean` (768)."""
    analysis.linear.weight.copy_(components[:, :, None, None])
    synthesis.linear.weight.copy_(components.T[:, :, None, None])
    for bias, value in ((analysis.linear.bias, -components @ mean), (synthesis.linear.bias, mean)):
        assert bias is not None
        bias.copy_(value)
