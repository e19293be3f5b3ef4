"""Pixels to latents and back, at 1/8 and 1/16 of the resolution only: cheap on a CPU.

Each way is a linear transform of 16 x 16 patches plus what a small convolutional network adds to it. The
linear part starts as the principal components of photographs and the network as zero, so that training
starts at a working transform codec. (`start_from_components`)
"""

from __future__ import annotations

from typing import Protocol, cast

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from codecs_zoo.learned._conditioning import Modulation
from codecs_zoo.learned.networks.shape import PATCH, Shape

PATCH_VALUES = 3 * PATCH * PATCH
HALF_PATCH_VALUES = 3 * (PATCH // 2) ** 2


class Block(nn.Module):
    """Depthwise 3 x 3, then two 1 x 1 layers with twice the channels between them, added to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.widen = nn.Conv2d(channels, 2 * channels, 1)
        self.narrow = nn.Conv2d(2 * channels, channels, 1)
        with torch.no_grad():
            self.narrow.weight *= 0.5

    def forward(self, x: Tensor) -> Tensor:
        hidden = functional.leaky_relu(self.widen(depthwise(self.depthwise, x)), 0.1)
        return x + cast(Tensor, self.narrow(hidden))


def depthwise(layer: nn.Conv2d, x: Tensor) -> Tensor:
    """`layer(x)`; in float64, where torch has no fast kernel, as nine shifted products."""
    if x.dtype != torch.float64 or layer.bias is None:
        return cast(Tensor, layer(x))
    height, width = x.shape[2:]
    padded = functional.pad(x, (1, 1, 1, 1))
    total = layer.bias[:, None, None].expand_as(x).clone()
    for row in range(3):
        for column in range(3):
            weight = layer.weight[:, 0, row, column, None, None]
            total.addcmul_(padded[:, :, row : row + height, column : column + width], weight)
    return total


class Analysis(nn.Module):
    """x (B x 3 x H x W in 0..1, sides multiples of 16) to latents B x M x H/16 x W/16."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.linear = nn.Conv2d(PATCH_VALUES, shape.latents, 1)
        self.enter = nn.Conv2d(HALF_PATCH_VALUES, shape.wide, 1)
        self.wide = nn.Sequential(*[Block(shape.wide) for _ in range(shape.wide_blocks)])
        self.down = nn.Conv2d(4 * shape.wide, shape.deep, 1)
        self.modulation = Modulation(shape.deep)
        self.deep = nn.Sequential(*[Block(shape.deep) for _ in range(shape.deep_blocks)])
        self.leave = zeroed(nn.Conv2d(shape.deep, shape.latents, 1))

    def forward(self, x: Tensor, level: Tensor, bf16: bool = False) -> Tensor:
        x = x - 0.5
        with in_bfloat16(x, bf16):
            hidden = self.wide(self.enter(functional.pixel_unshuffle(x, PATCH // 2)))
            hidden = self.modulation(self.down(functional.pixel_unshuffle(hidden, 2)), level)
            added = self.leave(self.deep(hidden))
        return self.linear(functional.pixel_unshuffle(x, PATCH)) + added.to(x.dtype)  # type: ignore[no-any-return]


class Synthesis(nn.Module):
    """Latents back to x_hat (B x 3 x H x W, not clamped)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.linear = nn.Conv2d(shape.latents, PATCH_VALUES, 1)
        self.enter = nn.Conv2d(shape.latents, shape.deep, 1)
        self.deep_modulation = Modulation(shape.deep)
        self.deep = nn.Sequential(*[Block(shape.deep) for _ in range(shape.deep_blocks)])
        self.up = nn.Conv2d(shape.deep, 4 * shape.wide, 1)
        self.look = nn.Conv2d(HALF_PATCH_VALUES, shape.wide, 1)
        self.wide_modulation = Modulation(shape.wide)
        self.wide = nn.Sequential(*[Block(shape.wide) for _ in range(shape.wide_blocks)])
        self.leave = zeroed(nn.Conv2d(shape.wide, HALF_PATCH_VALUES, 1))

    def forward(self, y: Tensor, level: Tensor, bf16: bool = False) -> Tensor:
        patches = functional.pixel_shuffle(self.linear(y), PATCH)
        with in_bfloat16(y, bf16):
            hidden = self.deep(self.deep_modulation(self.enter(y), level))
            hidden = functional.pixel_shuffle(self.up(hidden), 2)
            # The network sees the patches' own edges, across which it has to smooth.
            hidden = hidden + self.look(functional.pixel_unshuffle(patches, PATCH // 2))
            added = self.leave(self.wide(self.wide_modulation(hidden, level)))
        return patches + functional.pixel_shuffle(added.to(y.dtype), PATCH // 2) + 0.5


def in_bfloat16(x: Tensor, enabled: bool) -> torch.autocast:
    """Autocast on x's device. Nothing is cached: a CUDA graph could not be captured with it."""
    return torch.autocast(x.device.type, torch.bfloat16, enabled=enabled, cache_enabled=False)


def zeroed(layer: nn.Conv2d) -> nn.Conv2d:
    """The layer with weights and bias of zero."""
    with torch.no_grad():
        layer.weight.zero_()
        if layer.bias is not None:
            layer.bias.zero_()
    return layer


class Linear(Protocol):
    """A transform with a linear part of 16 x 16 patches."""

    linear: nn.Conv2d


@torch.no_grad()
def start_from_components(analysis: Linear, synthesis: Linear, components: Tensor, mean: Tensor) -> None:
    """Make the linear parts a projection onto `components` (M x 768, orthonormal rows) about `mean` (768)."""
    analysis.linear.weight.copy_(components[:, :, None, None])
    synthesis.linear.weight.copy_(components.T[:, :, None, None])
    for bias, value in ((analysis.linear.bias, -components @ mean), (synthesis.linear.bias, mean)):
        assert bias is not None
        bias.copy_(value)
