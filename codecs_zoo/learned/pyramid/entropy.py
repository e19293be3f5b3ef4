"""What is known before each latent, and the density that follows from it.

Latents are coded from coarse to fine, twice over: in groups of channels, the strong ones first, and within a group from
a sparse grid to the full one. The first groups, which hold the picture at a glance, go through five nested grids: every
fourth row and column, the middles of those squares, and so on until each latent lies among neighbours that are known.
Later groups, which see the first ones everywhere, need two halves of a checkerboard (as in
ELIC, He et al., CVPR 2022).

Each latent has a density of three parameters: mean, log2 of the scale, and shape, the share of a second
Gaussian that is three times as wide.
"""

from __future__ import annotations

from typing import Final, cast

import torch
from torch import Tensor, nn

from codecs_zoo.learned._conditioning import PerLevel
from codecs_zoo.learned.networks.rounding import Rounding, bounded_below
from codecs_zoo.learned.pyramid.shape import Shape

LOG_SCALE_LOW: Final = -3.25
LOG_SCALE_HIGH: Final = 6.5
WIDER: Final = 3.0
MOST_WIDE: Final = 0.5
"""The share of the wide Gaussian lies between 0 and this."""
LEAST_LIKELIHOOD: Final = 2.0**-20
PARAMETERS: Final = 3
STAGES: Final = 5
NEAREST: Final = (
    (),
    ((-2, -2), (-2, 2), (2, -2), (2, 2)),
    ((0, -2), (0, 2), (-2, 0), (2, 0)),
    ((-1, -1), (-1, 1), (1, -1), (1, 1)),
    ((0, -1), (0, 1), (-1, 0), (1, 0)),
)
"""Of each stage, where its nearest known neighbours are: rows and columns away."""


class StagedContext(nn.Module):
    """The densities of a group that is coded in nested grids. It sees latents times their steps, as colours go."""

    def __init__(self, shape: Shape, before: int, channels: int) -> None:
        super().__init__()
        self.channels, self.before = channels, before
        width = shape.stage
        if before:
            self.context = nn.Conv2d(before, width, 5, padding=2)
        self.near = nn.ModuleList([_interpolation(channels, offsets) for offsets in NEAREST])
        self.spatial = nn.ModuleList([nn.Conv2d(channels, width, 7, padding=3) for _ in range(STAGES)])
        self.level = PerLevel(width)
        self.merge = nn.Sequential(
            nn.LeakyReLU(shape.slope),
            nn.Conv2d(width, width, 1),
            nn.LeakyReLU(shape.slope),
            nn.Conv2d(width, PARAMETERS * channels, 1),
        )
        self.offset = PerLevel(PARAMETERS * channels)

    def stages(self) -> list[tuple[nn.Conv2d, nn.Conv2d]]:
        """Of each stage, the interpolation of neighbours and the layer that sees all around."""
        return [
            (cast(nn.Conv2d, near), cast(nn.Conv2d, spatial))
            for near, spatial in zip(self.near, self.spatial, strict=True)
        ]

    def forward(
        self, y: Tensor, before: Tensor, step: Tensor, level: Tensor, rounding: Rounding
    ) -> tuple[Tensor, Tensor]:
        """Latents in steps (B x C x h x w) to rounded ones and likelihoods; `before` is latents times steps."""
        known = self.level(level)
        if self.before:
            known = known + self.context(before)
        offset = self.offset(level)
        done, parameters, counted = torch.zeros_like(y), None, y
        for number, (near, spatial) in enumerate(self.stages()):
            places = stage_places(number, y)
            seen = done * step
            merged = self.merge(known + spatial(seen)) + offset
            mean = (merged[:, : self.channels] + near(seen)) / step
            merged = torch.cat([mean, merged[:, self.channels :]], 1)
            its, rounded = rounding(y - mean)
            done = done + (rounded + mean) * places
            parameters = merged if parameters is None else torch.where(places, merged, parameters)
            counted = torch.where(places, its, counted)
        assert parameters is not None
        _, log_scale, shape = parameters.chunk(PARAMETERS, 1)
        return done, mixture_likelihood(counted, log_scale, shape)


class HalvedContext(nn.Module):
    """The densities of a group that is coded in two halves of a checkerboard."""

    def __init__(self, shape: Shape, before: int, channels: int) -> None:
        super().__init__()
        self.channels, self.before = channels, before
        side = 5 if channels <= 32 else 3
        context = shape.context if before else 0
        if before:
            self.context = nn.Sequential(nn.Conv2d(before, context, 3, padding=1), nn.LeakyReLU(shape.slope))
        self.spatial = nn.Sequential(
            nn.Conv2d(channels, shape.spatial, side, padding=side // 2), nn.LeakyReLU(shape.slope)
        )
        self.merge = nn.Sequential(
            nn.Conv2d(context + shape.spatial, shape.merge, 1),
            nn.LeakyReLU(shape.slope),
            nn.Conv2d(shape.merge, shape.merge, 1),
            nn.LeakyReLU(shape.slope),
            nn.Conv2d(shape.merge, PARAMETERS * channels, 1),
        )
        self.empty = shape.spatial
        self.offset = PerLevel(PARAMETERS * channels)

    def forward(self, y: Tensor, before: Tensor, level: Tensor, rounding: Rounding) -> tuple[Tensor, Tensor]:
        """Latents in steps (B x C x h x w) to rounded ones and likelihoods; `before` is in steps too."""
        first = first_half(y)
        seen = self.context(before) if self.before else before[:, :0]
        offset = self.offset(level)
        nothing = y.new_zeros(len(y), self.empty, *y.shape[2:])
        merged = self.merge(torch.cat([seen, nothing], 1)) + offset
        mean = merged[:, : self.channels]
        counted, rounded = rounding(y - mean)
        half = (rounded + mean) * first
        merged_later = self.merge(torch.cat([seen, self.spatial(half)], 1)) + offset
        mean = merged_later[:, : self.channels]
        counted_later, rounded = rounding(y - mean)
        _, log_scale, shape = torch.where(first, merged, merged_later).chunk(PARAMETERS, 1)
        counted = torch.where(first, counted, counted_later)
        return half + (rounded + mean) * ~first, mixture_likelihood(counted, log_scale, shape)


class Hierarchy(nn.Module):
    """All groups, one after the other."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        groups = (*shape.staged, *shape.halved)
        befores = [sum(groups[:i]) for i in range(len(groups))]
        split = len(shape.staged)
        self.groups = groups
        self.staged = nn.ModuleList(
            [StagedContext(shape, befores[i], groups[i]) for i in range(len(groups)) if i < split]
        )
        self.halved = nn.ModuleList(
            [HalvedContext(shape, befores[i], groups[i]) for i in range(len(groups)) if i >= split]
        )

    def staged_contexts(self) -> list[StagedContext]:
        """Those that come first."""
        return [cast(StagedContext, each) for each in self.staged]

    def halved_contexts(self) -> list[HalvedContext]:
        """Those that follow."""
        return [cast(HalvedContext, each) for each in self.halved]

    def forward(self, y: Tensor, steps: Tensor, level: Tensor, rounding: Rounding) -> tuple[Tensor, Tensor]:
        """Latents in steps (B x C x h x w; steps B x C x 1 x 1) to rounded ones and likelihoods."""
        done, likelihoods = self.forward_staged(y, steps, level, rounding)
        parts = torch.split(y, list(self.groups), 1)[len(self.staged) :]
        for part, halved in zip(parts, self.halved_contexts(), strict=True):
            before = torch.cat(done, 1) if done else part
            rounded, likelihood = halved(part, before, level, rounding)
            done.append(rounded)
            likelihoods.append(likelihood)
        return torch.cat(done, 1), torch.cat(likelihoods, 1)

    def forward_staged(
        self, y: Tensor, steps: Tensor, level: Tensor, rounding: Rounding
    ) -> tuple[list[Tensor], list[Tensor]]:
        """The same for each of the staged groups, which come first and need nothing of the others."""
        done: list[Tensor] = []
        likelihoods: list[Tensor] = []
        at = 0
        for staged in self.staged_contexts():
            part, step = (each[:, at : at + staged.channels] for each in (y, steps))
            before = torch.cat(done, 1) * steps[:, :at] if done else part
            rounded, likelihood = staged(part, before, step, level, rounding)
            at += staged.channels
            done.append(rounded)
            likelihoods.append(likelihood)
        return done, likelihoods


def _interpolation(channels: int, offsets: tuple[tuple[int, int], ...]) -> nn.Conv2d:
    """A layer that begins as the mean of the nearest known neighbours of each channel."""
    layer = nn.Conv2d(channels, channels, 5, padding=2)
    nn.init.zeros_(layer.weight)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    with torch.no_grad():
        for row, column in offsets:
            layer.weight[:, :, 2 + row, 2 + column] = torch.eye(channels) / len(offsets)
    return layer


def first_half(y: Tensor) -> Tensor:
    """Where row plus column is even: h x w of booleans."""
    rows = torch.arange(y.shape[2], device=y.device)
    columns = torch.arange(y.shape[3], device=y.device)
    return (rows[:, None] + columns) % 2 == 0


def stage_places(number: int, y: Tensor) -> Tensor:
    """Which latents a stage codes: h x w of booleans. Each latent is in one stage."""
    rows = torch.arange(y.shape[2], device=y.device)[:, None]
    columns = torch.arange(y.shape[3], device=y.device)
    even = (rows % 2 == 0) & (columns % 2 == 0)
    if number == 0:
        return (rows % 4 == 0) & (columns % 4 == 0)
    if number == 1:
        return (rows % 4 == 2) & (columns % 4 == 2)
    if number == 2:
        return even & ((rows + columns) % 4 == 2)
    return (rows % 2 == 1) & (columns % 2 == 1) if number == 3 else (rows + columns) % 2 == 1


def mixture_likelihood(residual: Tensor, log_scale: Tensor, shape: Tensor) -> Tensor:
    """Probability of the unit interval about `residual` (distance from the mean)."""
    inverse = torch.exp2(-bounded_below(log_scale.clamp(max=LOG_SCALE_HIGH), LOG_SCALE_LOW))
    wide = MOST_WIDE * torch.sigmoid(shape)
    distance = residual.abs()
    mass = (1 - wide) * _mass(distance, inverse) + wide * _mass(distance, inverse / WIDER)
    return bounded_below(mass, LEAST_LIKELIHOOD)


def _mass(distance: Tensor, inverse: Tensor) -> Tensor:
    root = 0.5**0.5
    upper = torch.erfc((distance - 0.5) * inverse * root)
    return 0.5 * (upper - torch.erfc((distance + 0.5) * inverse * root))
