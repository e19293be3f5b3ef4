"""Side information: a small second picture at 1/32, from which both sides work out the first one's statistics."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from codecs_zoo.learned._conditioning import PerLevel
from codecs_zoo.learned.networks.densities import ChannelDensity
from codecs_zoo.learned.networks.exact import ExactNetwork, ExactRows, to_units
from codecs_zoo.learned.networks.latents import from_symbols, to_symbols
from codecs_zoo.learned.networks.model import Latents
from codecs_zoo.learned.networks.rounding import Rounding
from codecs_zoo.learned.networks.shape import Shape
from codecs_zoo.learned.networks.tables import (
    Integers,
    PartDecoder,
    RangeEncoder,
    Symbols,
    Tables,
    to_bytes,
)


class HyperLatents(nn.Module):
    """Latents (1/16) to hyper-latents z (1/32) and those to `outputs` parameters at 1/16."""

    def __init__(self, shape: Shape, outputs: int) -> None:
        super().__init__()
        width, self.channels = shape.hyper, shape.hyper_latents
        self.analysis = nn.Sequential(
            nn.Conv2d(shape.latents, width, 1),
            nn.ReLU(),
            nn.PixelUnshuffle(2),
            nn.Conv2d(4 * width, width, 1),
            nn.ReLU(),
            nn.Conv2d(width, self.channels, 3, padding=1),
        )
        self.enter = nn.Sequential(nn.Conv2d(self.channels, width, 3, padding=1))
        self.level = PerLevel(width)
        self.synthesis = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(width, 4 * width, 1),
            nn.PixelShuffle(2),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, outputs, 1),
        )
        self.density = ChannelDensity(self.channels)
        self.offset = PerLevel(outputs)
        self._exact: tuple[ExactNetwork, ExactRows, ExactNetwork, ExactRows] | None = None

    def forward(self, latents: Latents, level: Tensor, rounding: Rounding) -> tuple[Tensor, Tensor]:
        """Parameters (B x outputs x h x w) and the likelihoods of z; both sides know the level."""
        coded, z_hat = rounding(self._z(latents))
        likelihood = self.density.likelihood(coded, coded.new_ones(1, 1, 1, 1))
        hidden = self.enter(z_hat) + self.level(level)
        return self.synthesis(hidden) + self.offset(level), likelihood

    def prepare(self) -> None:
        """Build the integer twins of what a decoder runs."""
        self._exact = (
            ExactNetwork(self.enter),
            ExactRows(self.level.rows),
            ExactNetwork(self.synthesis),
            ExactRows(self.offset.rows),
        )

    def tables(self) -> Tables:
        """One table for each channel of z."""
        return self.density.tables(torch.ones(1, self.channels))

    def _z(self, latents: Latents) -> Tensor:
        return self.analysis(latents.y) if latents.z is None else latents.z

    def encode(self, latents: Latents, tables: Tables, index: int) -> tuple[bytes, Tensor]:
        """The code of z, and the parameters in whole numbers of 1 / UNITS, as the decoder will have them."""
        z = self._z(latents)
        symbols, encoder = to_symbols(z), RangeEncoder()
        tables.encode(encoder, symbols, self._rows(z.shape[2] * z.shape[3]))
        return to_bytes(encoder), self._parameters_of(symbols, z.shape[2], z.shape[3], index)

    def decode(self, part: bytes, height: int, width: int, tables: Tables, index: int) -> Tensor:
        """The same parameters from the code of z; height and width are those of y."""
        symbols = self._symbols(part, height, width, tables)
        return self._parameters_of(symbols, height // 2, width // 2, index)

    def decode_latents(self, part: bytes, height: int, width: int, tables: Tables) -> Tensor:
        """The rounded z of its code."""
        return from_symbols(
            self._symbols(part, height, width, tables), self.channels, height // 2, width // 2
        )

    def _symbols(self, part: bytes, height: int, width: int, tables: Tables) -> Symbols:
        return tables.decode(PartDecoder(part), self._rows(height // 2 * (width // 2)))

    def _parameters_of(self, symbols: Symbols, height: int, width: int, index: int) -> Tensor:
        if self._exact is None:
            raise RuntimeError("The integer networks do not exist yet: call the model's update() first.")
        enter, level, synthesis, offset = self._exact
        hidden = enter(to_units(from_symbols(symbols, self.channels, height, width))) + level(index)
        return synthesis(hidden) + offset(index)

    def _rows(self, positions: int) -> Integers:
        return np.repeat(np.arange(self.channels), positions)
