"""Networks in whole numbers, so that an encoder and a decoder agree to the last bit wherever they run.

The entropy model of a decoder must give what it gave the encoder: one probability that differs in its last
bit, and everything after it is noise. Floating-point sums depend on their order, hence on thread counts and
devices. So these networks run on integers held in float64: weights in units of 2**-12, activations in units
of 2**-8, both bounded so that every sum of products stays below 2**53, where float64 is exact in any order.
"""

from __future__ import annotations

from typing import Final

import torch.nn.functional as functional
from torch import Tensor, nn

from codecs_zoo.learned._conditioning import interpolate_whole_rows

WEIGHT_UNITS: Final = 2.0**12
UNITS: Final = 2.0**8
"""Activations, means and log scales are whole numbers of 1 / UNITS."""

WEIGHT_LIMIT: Final = 2.0**15
ACTIVATION_LIMIT: Final = 2.0**20
MOST_PRODUCTS: Final = 2**17
"""Products that one sum may hold: 15 + 20 + 17 bits and one to spare make 53."""


class ExactNetwork:
    """The integer twin of an nn.Sequential of convolutions, ReLU and pixel shuffles.

    Raises TypeError for another layer and ValueError for a convolution whose sums could pass 2**53.
    """

    def __init__(self, network: nn.Sequential) -> None:
        self._layers = [_exact(layer) for layer in network]

    def __call__(self, x: Tensor) -> Tensor:
        """Whole numbers of 1 / UNITS in, the same out: float64, B x C x H x W."""
        for layer in self._layers:
            x = layer(x)
        return x


class ExactRows:
    """The integer twin of a table with one row for each level, read at a level index."""

    def __init__(self, rows: Tensor) -> None:
        self._rows = to_units(rows.detach().cpu())

    def __call__(self, index: int) -> Tensor:
        """1 x C x 1 x 1 whole numbers of 1 / UNITS, interpolated and rounded."""
        return interpolate_whole_rows(self._rows, index)[None, :, None, None]


def to_units(x: Tensor) -> Tensor:
    """The nearest whole numbers of 1 / UNITS, as float64, within the limit."""
    return (x.double() * UNITS).round().clamp(-ACTIVATION_LIMIT, ACTIVATION_LIMIT)


class _ExactConvolution(nn.Module):
    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        products = layer.weight[0].numel()
        if products > MOST_PRODUCTS or layer.bias is None:
            raise ValueError(
                f"A sum of {products} products cannot be exact: at most {MOST_PRODUCTS}, and a bias."
            )
        self.padding = layer.padding
        self.weight = (layer.weight.detach().cpu().double() * WEIGHT_UNITS).round()
        self.weight.clamp_(-WEIGHT_LIMIT, WEIGHT_LIMIT)
        self.bias = (layer.bias.detach().cpu().double() * WEIGHT_UNITS * UNITS).round()

    def forward(self, x: Tensor) -> Tensor:
        total = functional.conv2d(x, self.weight, self.bias, padding=self.padding)
        return (total / WEIGHT_UNITS + 0.5).floor().clamp(-ACTIVATION_LIMIT, ACTIVATION_LIMIT)


def _exact(layer: nn.Module) -> nn.Module:
    if isinstance(layer, nn.Conv2d):
        return _ExactConvolution(layer)
    if isinstance(layer, (nn.ReLU, nn.PixelShuffle, nn.PixelUnshuffle)):
        return layer
    raise TypeError(
        f"{type(layer).__name__} has no exact integer version; use Conv2d, ReLU, PixelShuffle, PixelUnshuffle."
    )
