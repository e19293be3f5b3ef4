"""Pyramid's networks together: analysis, hierarchy, synthesis, and the steps of the latents."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from codecs_zoo.learned._conditioning import interpolate_rows
from codecs_zoo.learned.levels import LEVELS
from codecs_zoo.learned.networks.rounding import Rounding, in_training
from codecs_zoo.learned.pyramid.entropy import Hierarchy
from codecs_zoo.learned.pyramid.shape import Shape, lambda_at
from codecs_zoo.learned.pyramid.transforms import Analysis, Autocast, Synthesis


class Output(NamedTuple):
    """x_hat (B x 3 x H x W, not clamped) and the bits of each picture (B)."""

    x_hat: Tensor
    bits: Tensor


class PyramidModel(nn.Module):
    """All networks. `log_steps` are LEVELS x channels, in log2."""

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        self.shape = shape or Shape()
        self.analysis = Analysis(self.shape)
        self.hierarchy = Hierarchy(self.shape)
        self.synthesis = Synthesis(self.shape)
        self.log_steps = nn.Parameter(first_steps(self.shape.latents).log2())

    def forward(
        self, x: Tensor, level: Tensor, rounding: Rounding = in_training, autocast: Autocast | None = None
    ) -> Output:
        """x: B x 3 x H x W in 0..1, sides multiples of 64; level: B numbers from 0 to LEVELS - 1."""
        return self.reconstruct(self.latents(x, level, autocast), level, rounding, autocast)

    def latents(self, x: Tensor, level: Tensor, autocast: Autocast | None = None) -> Tensor:
        """What the analysis proposes, in steps: B x C x H/16 x W/16."""
        latents: Tensor = self.analysis(x, level, autocast) / self.steps(level)
        return latents

    def reconstruct(
        self, latents: Tensor, level: Tensor, rounding: Rounding, autocast: Autocast | None = None
    ) -> Output:
        """Picture and bits of latents, rounded by `rounding`."""
        steps = self.steps(level)
        rounded, likelihoods = self.hierarchy(latents, steps, level, rounding)
        x_hat = self.synthesis(rounded * steps, level, autocast)
        return Output(x_hat, -likelihoods.log2().flatten(1).sum(1))

    def steps(self, level: Tensor) -> Tensor:
        """B x C x 1 x 1: the quantisation step of each channel."""
        return interpolate_rows(self.log_steps.exp2(), level)


def first_steps(channels: int) -> Tensor:
    """LEVELS x channels: the step that suits each lambda for orthonormal components at a high rate.

    With N pixels and squared errors of step**2 / 12 each, d(bits)/d(error) = -lambda where
    step**2 = 12 * 3 / (2 ln 2 * 255**2 * lambda).
    """
    lmbda = torch.tensor([lambda_at(level) for level in range(LEVELS)])
    return (36 / (2 * 0.6931 * 255**2 * lmbda)).sqrt()[:, None].repeat(1, channels)
