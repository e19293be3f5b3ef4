"""Latents under Gaussians about zero, whose scales are sent beside them (Ballé et al., ICLR 2018)."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from codecs_zoo.learned.networks.densities import gaussian_likelihood, gaussian_tables, scale_rows
from codecs_zoo.learned.networks.exact import UNITS
from codecs_zoo.learned.networks.hyper import HyperLatents
from codecs_zoo.learned.networks.latents import from_symbols, to_symbols
from codecs_zoo.learned.networks.model import Latents, LearnedModel, first_log_scales
from codecs_zoo.learned.networks.rounding import Rounding
from codecs_zoo.learned.networks.shape import Shape
from codecs_zoo.learned.networks.tables import Integers, PartDecoder, RangeEncoder, Tables, to_bytes


class ScaleHyperprior(LearnedModel):
    """The hyper-latents give one log scale for each latent; every mean is zero."""

    parameters_per_latent = 1

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__(shape)
        self.hyper = HyperLatents(self.shape, self.parameters_per_latent * self.shape.latents)

    def _mean(self, parameters: Tensor) -> Tensor:
        """Means out of the hyper-synthesis' output, in its units."""
        return parameters.new_zeros(())

    def _log_scale(self, parameters: Tensor) -> Tensor:
        return parameters[:, : self.shape.latents]

    @torch.no_grad()
    def start_scales(self, deviations: Tensor) -> None:
        self.hyper.offset.rows[:, : self.shape.latents] = first_log_scales(deviations)
        cast(nn.Conv2d, self.hyper.synthesis[-1]).weight *= 0.1

    def likelihoods(
        self, latents: Latents, step: Tensor, level: Tensor, rounding: Rounding
    ) -> tuple[Tensor, dict[str, Tensor]]:
        parameters, z_likelihood = self.hyper(latents, level, rounding)
        mean = self._mean(parameters)
        coded, centred = rounding(latents.y - mean)
        likelihood = gaussian_likelihood(coded, self._log_scale(parameters))
        return centred + mean, {"y": likelihood, "z": z_likelihood}

    def first_latents(self, x: Tensor, level: Tensor) -> Latents:
        y = super().first_latents(x, level).y
        return Latents(y, self.hyper.analysis(y))

    def _prepare(self) -> None:
        self.hyper.prepare()

    def _make_tables(self) -> dict[str, Tables]:
        return {"y": gaussian_tables(), "z": self.hyper.tables()}

    def code(self, latents: Latents, index: int) -> list[bytes]:
        z_part, parameters = self.hyper.encode(latents, self.tables["z"], index)
        encoder = RangeEncoder()
        symbols = to_symbols(latents.y - self._mean(parameters) / UNITS)
        self.tables["y"].encode(encoder, symbols, self._rows(parameters))
        return [to_bytes(encoder), z_part]

    def _decode(self, parts: list[bytes], height: int, width: int, index: int) -> Tensor:
        y_part, z_part = parts
        parameters = self.hyper.decode(z_part, height, width, self.tables["z"], index)
        symbols = self.tables["y"].decode(PartDecoder(y_part), self._rows(parameters))
        return from_symbols(symbols, self.shape.latents, height, width) + self._mean(parameters) / UNITS

    def decode_latents(self, parts: list[bytes], height: int, width: int, index: int) -> Latents:
        y = self._decode(parts, height, width, index)
        return Latents(y, self.hyper.decode_latents(parts[1], height, width, self.tables["z"]))

    def _rows(self, parameters: Tensor) -> Integers:
        return scale_rows(self._log_scale(parameters)).flatten().numpy()
