"""What is known before each latent: from coarser grids, from groups of channels before, from the first half.

A grid is coded in groups of channels, a group in two halves of a checkerboard (the uneven groups and the
two-step checkerboard are those of ELIC, He et al., CVPR 2022). Each latent has a density of three parameters:
mean, log2 of the scale, and shape, the share of a second Gaussian that is three times as wide.
"""

from __future__ import annotations

from typing import Final, cast

import torch
from torch import Tensor, nn

from codecs_zoo.learned.pyramid.layers import PerLevel
from codecs_zoo.learned.pyramid.shape import Shape
from codecs_zoo.learned.pyramid.transforms import Latents

LOG_SCALE_LOW: Final = -3.25
LOG_SCALE_HIGH: Final = 6.5
WIDER: Final = 3.0
MOST_WIDE: Final = 0.5
"""The share of the wide Gaussian lies between 0 and this."""
LEAST_LIKELIHOOD: Final = 2.0**-20
PARAMETERS: Final = 3


class Quantizer:
    """How latents are rounded about their means while networks are trained or latents searched.

    `forward(residual) -> (rounded, residual whose likelihood counts)`, both differentiable in residual.
    """

    def __call__(self, residual: Tensor) -> tuple[Tensor, Tensor]:
        """Rounded with the gradient of the identity; noise of one step stands in for rounding in the rate."""
        return straight_through(residual), residual + torch.rand_like(residual) - 0.5


class Rounding(Quantizer):
    """Plain rounding in both places, as a file has it."""

    def __call__(self, residual: Tensor) -> tuple[Tensor, Tensor]:
        rounded = straight_through(residual)
        return rounded, rounded


class GroupContext(nn.Module):
    """The densities of one group of channels, from what is known before each half of it."""

    def __init__(self, shape: Shape, known: int, before: int, channels: int) -> None:
        super().__init__()
        self.channels, self.before = channels, before
        side = 5 if channels <= 32 else 3
        context = shape.context if before else 0
        if before:
            self.context = nn.Sequential(nn.Conv2d(before, context, 3, padding=1), nn.ReLU())
        self.spatial = nn.Sequential(nn.Conv2d(channels, shape.spatial, side, padding=side // 2), nn.ReLU())
        self.merge = nn.Sequential(
            nn.Conv2d(known + context + shape.spatial, shape.merge, 1),
            nn.ReLU(),
            nn.Conv2d(shape.merge, shape.merge, 1),
            nn.ReLU(),
            nn.Conv2d(shape.merge, PARAMETERS * channels, 1),
        )
        self.empty = shape.spatial
        self.offset = PerLevel(PARAMETERS * channels)

    def forward(
        self, y: Tensor, known: Tensor, before: Tensor, level: Tensor, quantizer: Quantizer
    ) -> tuple[Tensor, Tensor]:
        """The group's latents (B x C x h x w) to rounded ones and likelihoods."""
        first = first_half(y)
        seen = torch.cat([known, self.context(before)], 1) if self.before else known
        offset = self.offset(level)
        nothing = seen.new_zeros(len(seen), self.empty, *seen.shape[2:])
        merged = self.merge(torch.cat([seen, nothing], 1)) + offset
        mean = merged[:, : self.channels]
        rounded, counted = quantizer(y - mean)
        half = (rounded + mean) * first
        merged_later = self.merge(torch.cat([seen, self.spatial(half)], 1)) + offset
        mean = merged_later[:, : self.channels]
        rounded, counted_later = quantizer(y - mean)
        _, log_scale, shape = torch.where(first, merged, merged_later).chunk(PARAMETERS, 1)
        counted = torch.where(first, counted, counted_later)
        return half + (rounded + mean) * ~first, mixture_likelihood(counted, log_scale, shape)


class GridContext(nn.Module):
    """All groups of one grid, one after the other."""

    def __init__(self, shape: Shape, known: int, groups: tuple[int, ...]) -> None:
        super().__init__()
        self.groups = groups
        self.contexts = nn.ModuleList(
            [GroupContext(shape, known, sum(groups[:i]), channels) for i, channels in enumerate(groups)]
        )

    def forward(self, y: Tensor, known: Tensor, level: Tensor, quantizer: Quantizer) -> tuple[Tensor, Tensor]:
        """Latents (B x C x h x w) to rounded ones and likelihoods."""
        done: list[Tensor] = []
        likelihoods: list[Tensor] = []
        parts = torch.split(y, list(self.groups), 1)
        for part, context in zip(parts, self.members(), strict=True):
            before = torch.cat(done, 1) if done else part
            rounded, likelihood = context(part, known, before, level, quantizer)
            done.append(rounded)
            likelihoods.append(likelihood)
        return torch.cat(done, 1), torch.cat(likelihoods, 1)

    def members(self) -> list[GroupContext]:
        """The contexts of the groups, in order."""
        return [cast(GroupContext, each) for each in self.contexts]


class Hierarchy(nn.Module):
    """The grids from coarse to fine: each gives what is known of the next."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.start = PerLevel(shape.known64)
        self.coarse = GridContext(shape, shape.known64, shape.coarse)
        self.enter64 = nn.Sequential(nn.Conv2d(sum(shape.coarse), shape.known64, 3, padding=1))
        self.level64 = PerLevel(shape.known64)
        self.up32 = _up(shape.known64, shape.known32)
        self.middle = GridContext(shape, shape.known32, shape.middle)
        self.enter32 = nn.Sequential(
            nn.Conv2d(sum(shape.middle) + shape.known32, shape.known32, 3, padding=1)
        )
        self.level32 = PerLevel(shape.known32)
        self.up16 = _up(shape.known32, shape.known16)
        self.fine = GridContext(shape, shape.known16, shape.fine)

    def forward(
        self, latents: Latents, level: Tensor, quantizer: Quantizer
    ) -> tuple[Latents, Latents, Tensor]:
        """Latents, the fine ones in steps, to rounded ones, likelihoods, and what is known at 1/16."""
        start = self.start(level).expand(-1, -1, *latents.coarse.shape[2:])
        coarse, coarse_p = self.coarse(latents.coarse, start, level, quantizer)
        known = self.up32(self.enter64(coarse) + self.level64(level))
        middle, middle_p = self.middle(latents.middle, known, level, quantizer)
        known = self.up16(self.enter32(torch.cat([middle, known], 1)) + self.level32(level))
        fine, fine_p = self.fine(latents.fine, known, level, quantizer)
        return Latents(fine, middle, coarse), Latents(fine_p, middle_p, coarse_p), known


def _up(channels: int, out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels, 4 * out, 1),
        nn.PixelShuffle(2),
        nn.ReLU(),
        nn.Conv2d(out, out, 3, padding=1),
        nn.ReLU(),
    )


def first_half(y: Tensor) -> Tensor:
    """Where row plus column is even: h x w of booleans."""
    rows = torch.arange(y.shape[2], device=y.device)
    columns = torch.arange(y.shape[3], device=y.device)
    return (rows[:, None] + columns) % 2 == 0


def mixture_likelihood(residual: Tensor, log_scale: Tensor, shape: Tensor) -> Tensor:
    """Probability of the unit interval about `residual` (distance from the mean)."""
    inverse = torch.exp2(-_bounded(log_scale.clamp(max=LOG_SCALE_HIGH), LOG_SCALE_LOW))
    wide = MOST_WIDE * torch.sigmoid(shape)
    distance = residual.abs()
    mass = (1 - wide) * _mass(distance, inverse) + wide * _mass(distance, inverse / WIDER)
    return _bounded(mass, LEAST_LIKELIHOOD)


def _mass(distance: Tensor, inverse: Tensor) -> Tensor:
    root = 0.5**0.5
    upper = torch.erfc((distance - 0.5) * inverse * root)
    return 0.5 * (upper - torch.erfc((distance + 0.5) * inverse * root))


def straight_through(x: Tensor) -> Tensor:
    """Rounded, with the gradient of the identity."""
    return x + (x.round() - x).detach()


class _LowerBound(torch.autograd.Function):
    """max(x, bound) whose gradient still pushes x upwards when it is below."""

    @staticmethod
    def forward(ctx, x, bound):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(x)
        ctx.bound = bound
        return x.clamp(min=bound)

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        (x,) = ctx.saved_tensors
        return grad * ((x >= ctx.bound) | (grad < 0)), None


def _bounded(x: Tensor, low: float) -> Tensor:
    return _LowerBound.apply(x, low)  # type: ignore[no-any-return, no-untyped-call]
