"""Latents coded one by one, each channel by a density of its own (Ballé et al., ICLR 2017)."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor

from codecs_zoo.learned._conditioning import interpolate_rows
from codecs_zoo.learned.levels import LEVEL_STEPS, LEVELS
from codecs_zoo.learned.networks.densities import ChannelDensity
from codecs_zoo.learned.networks.latents import from_symbols, to_symbols
from codecs_zoo.learned.networks.model import Latents, LearnedModel
from codecs_zoo.learned.networks.rounding import Rounding
from codecs_zoo.learned.networks.shape import Shape
from codecs_zoo.learned.networks.tables import Integers, PartDecoder, RangeEncoder, Tables, to_bytes

ROWS_PER_LEVEL: Final = 5
"""Tables are made for this many steps from one level to the next: a wrong step of 7 % costs nothing."""


class FactorizedPrior(LearnedModel):
    """No side information: the densities know the level and nothing of the picture."""

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__(shape)
        self.density = ChannelDensity(self.shape.latents)

    @torch.no_grad()
    def start_scales(self, deviations: Tensor) -> None:
        # A logistic density of scale s has a standard deviation of 1.81 s; photographs have heavier tails.
        spread = torch.tensor([0.1, 0.3, 0.9])
        self.density.log_scales.copy_((deviations[:, None] * spread).log())

    def likelihoods(
        self, latents: Latents, step: Tensor, level: Tensor, rounding: Rounding
    ) -> tuple[Tensor, dict[str, Tensor]]:
        coded, y_hat = rounding(latents.y)
        return y_hat, {"y": self.density.likelihood(coded * step, step)}

    def _prepare(self) -> None:
        return

    def _make_tables(self) -> dict[str, Tables]:
        count = (LEVELS - 1) * ROWS_PER_LEVEL + 1
        steps = interpolate_rows(self.steps.double(), torch.linspace(1, LEVELS, count).double() - 1)
        return {"y": self.density.tables(steps[:, :, 0, 0])}

    def code(self, latents: Latents, index: int) -> list[bytes]:
        y, encoder = latents.y, RangeEncoder()
        self.tables["y"].encode(encoder, to_symbols(y), self._rows(y.shape[2] * y.shape[3], index))
        return [to_bytes(encoder)]

    def _decode(self, parts: list[bytes], height: int, width: int, index: int) -> Tensor:
        (part,) = parts
        symbols = self.tables["y"].decode(PartDecoder(part), self._rows(height * width, index))
        return from_symbols(symbols, self.shape.latents, height, width)

    def _rows(self, positions: int, index: int) -> Integers:
        row = (index * ROWS_PER_LEVEL + LEVEL_STEPS // 2) // LEVEL_STEPS
        first = row * self.shape.latents
        return np.repeat(np.arange(first, first + self.shape.latents), positions)
