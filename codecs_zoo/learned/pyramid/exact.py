"""Pyramid's layers in whole numbers: the decoder's networks, the same to the last bit on every machine.

Floating-point sums depend on their order, hence on thread counts and devices, and one probability that differs in its
last bit spoils everything after it. So a decoder runs on integers held in float64: activations in units of 2**-13,
weights in units of 2**-15. Every layer checks, when it is built, that no sum of products can pass 2**53, up to which
float64 adds whole numbers exactly in any order. The same holds for the pixels: they too are whole numbers.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from codecs_zoo.learned._conditioning import Modulation, PerLevel, interpolate_whole_rows
from codecs_zoo.learned.pyramid.layers import Bottleneck

UNITS: Final = 2.0**13
"""Activations, latents, means and log scales are whole numbers of 1 / UNITS."""
WEIGHT_UNITS: Final = 2.0**15
LIMIT: Final = 2.0**23
"""Activations lie within +- this many units; what goes beyond is clipped."""
EXACT: Final = 2.0**53


def to_units(x: Tensor) -> Tensor:
    """The nearest whole numbers of 1 / UNITS, as float64, within the limit."""
    return _rounded(x.detach().cpu().double() * UNITS).clamp(-LIMIT, LIMIT)


class ExactConvolution:
    """A convolution of C x h x w whole numbers, with a bias and padding that keeps the size.

    Raises ValueError if a sum could pass 2**53.
    """

    def __init__(self, layer: nn.Conv2d) -> None:
        assert layer.bias is not None
        weight = _rounded(layer.weight.detach().cpu().double() * WEIGHT_UNITS)
        self.bias = _rounded(layer.bias.detach().cpu().double() * WEIGHT_UNITS * UNITS)[:, None]
        largest = (weight.abs().flatten(1).sum(1) * LIMIT + self.bias[:, 0].abs()).max()
        if largest >= EXACT:
            raise ValueError(f"sums of up to {float(largest):.3g} cannot be exact: the weights are too large")
        self.side = weight.shape[2]
        self.taps = weight.permute(2, 3, 0, 1).reshape(self.side**2, *weight.shape[:2]).contiguous()

    def __call__(self, x: Tensor) -> Tensor:
        return _scaled(self.sums(x), WEIGHT_UNITS)

    def sums(self, x: Tensor) -> Tensor:
        """The sums before they are brought back to units: outputs x h x w."""
        channels, height, width = x.shape
        if self.side == 1:
            return torch.addmm(self.bias, self.taps[0], x.reshape(channels, -1)).view(-1, height, width)
        margin = self.side // 2
        wide = width + 2 * margin
        # Rows end to end: a shift by (row, column) is one offset, and what wraps round falls into the margin.
        flat = functional.pad(x, (margin,) * 4).reshape(channels, -1)
        count = (height - 1) * wide + width
        total = self.bias.repeat(1, height * wide)
        for tap, weights in enumerate(self.taps):
            start = tap // self.side * wide + tap % self.side
            total[:, :count].addmm_(weights, flat[:, start : start + count])
        return total.view(-1, height, wide)[:, :, :width].contiguous()

    def at(self, columns: Tensor) -> Tensor:
        """A 1 x 1 layer on C x N columns."""
        return _scaled(torch.addmm(self.bias, self.taps[0], columns), WEIGHT_UNITS)


class ExactRows:
    """A table with one row for each level, read at a level index of 0..LEVEL_STEPS * (LEVELS - 1)."""

    def __init__(self, table: PerLevel) -> None:
        self.rows = to_units(table.rows)

    def __call__(self, index: int) -> Tensor:
        """C whole numbers of 1 / UNITS, interpolated and rounded."""
        return interpolate_whole_rows(self.rows, index)


class ExactModulation:
    """The twin of a Modulation."""

    def __init__(self, modulation: Modulation) -> None:
        self.scale, self.shift = ExactRows(modulation.scale), ExactRows(modulation.shift)

    def __call__(self, x: Tensor, index: int) -> Tensor:
        scale, shift = self.scale(index) + UNITS, self.shift(index)
        return (_scaled(x * scale[:, None, None], UNITS) + shift[:, None, None]).clamp_(-LIMIT, LIMIT)


class ExactNetwork:
    """The twin of an nn.Sequential of convolutions, leaky rectifiers and bottlenecks."""

    def __init__(self, network: nn.Sequential) -> None:
        self.layers = [_exact(layer) for layer in network]

    def __call__(self, x: Tensor) -> Tensor:
        """C x h x w whole numbers of 1 / UNITS in, the same out."""
        for layer in self.layers:
            x = layer(x)
        return x

    def at(self, columns: Tensor) -> Tensor:
        """The same on C x N columns, for a network of 1 x 1 layers and rectifiers."""
        for layer in self.layers:
            columns = layer.at(columns) if isinstance(layer, ExactConvolution) else layer(columns)
        return columns


class _ExactBottleneck:
    def __init__(self, block: Bottleneck) -> None:
        self.inner = ExactNetwork(block.inner)

    def __call__(self, x: Tensor) -> Tensor:
        return self.inner(x).add_(x).clamp_(-LIMIT, LIMIT)


class _Rectifier:
    def __init__(self, layer: nn.LeakyReLU) -> None:
        self.slope = layer.negative_slope
        if self.slope and (self.slope > 1 or math.log2(self.slope) % 1):
            raise ValueError(f"a slope of {self.slope} cannot be exact; use 0 or a power of two")

    def __call__(self, x: Tensor) -> Tensor:
        return torch.maximum(x, (x * self.slope).floor_()) if self.slope else x.clamp_(min=0)


def _exact(layer: nn.Module) -> ExactConvolution | _ExactBottleneck | _Rectifier:
    if isinstance(layer, nn.Conv2d):
        return ExactConvolution(layer)
    if isinstance(layer, Bottleneck):
        return _ExactBottleneck(layer)
    if isinstance(layer, nn.LeakyReLU):
        return _Rectifier(layer)
    raise TypeError(f"{type(layer).__name__} has no integer version")


def _scaled(total: Tensor, units: float) -> Tensor:
    """`total` / `units`, rounded and clipped, in place."""
    return total.mul_(1 / units).add_(0.5).floor_().clamp_(-LIMIT, LIMIT)


def _rounded(x: Tensor) -> Tensor:
    return (x + 0.5).floor()
