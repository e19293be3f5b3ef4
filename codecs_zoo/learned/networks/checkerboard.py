"""Latents in groups of channels, each group in two halves of a checkerboard: ten steps, whatever the size.

A half is coded given the hyper-latents, the groups before it and, for the second half, the first. The uneven
groups and the two-step checkerboard are those of ELIC (He et al., CVPR 2022); the networks are our own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from codecs_zoo.learned._conditioning import PerLevel
from codecs_zoo.learned.networks.densities import gaussian_likelihood, gaussian_tables, scale_rows
from codecs_zoo.learned.networks.exact import ACTIVATION_LIMIT, UNITS, ExactNetwork, ExactRows, to_units
from codecs_zoo.learned.networks.hyper import HyperLatents
from codecs_zoo.learned.networks.model import Latents, LearnedModel, first_log_scales
from codecs_zoo.learned.networks.rounding import Rounding
from codecs_zoo.learned.networks.shape import Shape
from codecs_zoo.learned.networks.tables import SYMBOL_LIMIT, PartDecoder, RangeEncoder, Tables, to_bytes


class GroupContext(nn.Module):
    """Means and log scales of one group, from what is known before each half of it."""

    def __init__(self, shape: Shape, before: int, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.channel = nn.Sequential(nn.Conv2d(max(before, 1), shape.channel, 3, padding=1), nn.ReLU())
        self.spatial = nn.Sequential(nn.Conv2d(channels, shape.spatial, 3, padding=1), nn.ReLU())
        self.merge = nn.Sequential(
            nn.Conv2d(shape.hyper + shape.channel + shape.spatial, shape.merge, 1),
            nn.ReLU(),
            nn.Conv2d(shape.merge, 2 * channels, 1),
        )
        self.empty = shape.spatial
        self.offset = PerLevel(2 * channels)

    def forward(
        self, y: Tensor, features: Tensor, before: Tensor, level: Tensor, rounding: Rounding
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The group's latents (B x C x h x w) to those of the picture, distances from the means as they are coded,
        and log scales; both halves at once."""
        first = first_half(y)
        known = torch.cat([features, self.channel(before)], 1)
        offset = self.offset(level)
        log_scale, mean = (self.merge(append_empty(known, self.empty)) + offset).chunk(2, 1)
        coded, centred = rounding(y - mean)
        shown = (centred + mean) * first
        second = (self.merge(torch.cat([known, self.spatial(shown)], 1)) + offset).chunk(2, 1)
        coded_second, centred_second = rounding(y - second[1])
        return (
            torch.where(first, shown, centred_second + second[1]),
            torch.where(first, coded, coded_second),
            torch.where(first, log_scale, second[0]),
        )


class ExactContext:
    """The integer twin of a GroupContext."""

    def __init__(self, context: GroupContext) -> None:
        self.channels = context.channels
        self.channel = ExactNetwork(context.channel)
        self.spatial = ExactNetwork(context.spatial)
        self.merge = ExactNetwork(context.merge)
        self.offset = ExactRows(context.offset.rows)
        self.empty = context.empty

    def halves(
        self, features: Tensor, before: Tensor, y_hat: Tensor, index: int
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """(mask, log scales, means) of each half in turn; whoever asks fills in y_hat before the next."""
        first = first_half(y_hat)
        known = torch.cat([features, self.channel(before)], 1)
        log_scale, mean = (self.merge(append_empty(known, self.empty)) + self.offset(index)).chunk(2, 1)
        yield first, log_scale, mean
        shown = y_hat.clamp(-ACTIVATION_LIMIT, ACTIVATION_LIMIT) * first
        second = self.merge(torch.cat([known, self.spatial(shown)], 1))
        log_scale, mean = (second + self.offset(index)).chunk(2, 1)
        yield ~first, log_scale, mean


class Checkerboard(LearnedModel):
    """Hyper-latents, then the groups of `Shape.groups` one after the other."""

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__(shape)
        groups = self.shape.groups
        self.hyper = HyperLatents(self.shape, self.shape.hyper)
        self.contexts = nn.ModuleList(
            GroupContext(self.shape, sum(groups[:i]), channels) for i, channels in enumerate(groups)
        )
        self._exact: list[ExactContext] = []

    @torch.no_grad()
    def start_scales(self, deviations: Tensor) -> None:
        parts = torch.split(first_log_scales(deviations), list(self.shape.groups), 1)
        for context, log_scales in zip(self.contexts, parts, strict=True):
            group = cast(GroupContext, context)
            group.offset.rows[:, : group.channels] = log_scales
            cast(nn.Conv2d, group.merge[-1]).weight *= 0.1

    def likelihoods(
        self, latents: Latents, step: Tensor, level: Tensor, rounding: Rounding
    ) -> tuple[Tensor, dict[str, Tensor]]:
        features, z_likelihood = self.hyper(latents, level, rounding)
        y, coded, log_scales = latents.y, [], []
        done = y.new_zeros(len(y), 0, *y.shape[2:])
        for context, part in zip(self.contexts, torch.split(y, list(self.shape.groups), 1), strict=True):
            y_hat, *others = context(part, features, before_or_nothing(done), level, rounding)
            done = torch.cat([done, y_hat], 1)
            coded.append(others[0])
            log_scales.append(others[1])
        likelihood = gaussian_likelihood(torch.cat(coded, 1), torch.cat(log_scales, 1))
        return done, {"y": likelihood, "z": z_likelihood}

    def first_latents(self, x: Tensor, level: Tensor) -> Latents:
        y = super().first_latents(x, level).y
        return Latents(y, self.hyper.analysis(y))

    def _prepare(self) -> None:
        self.hyper.prepare()
        self._exact = [ExactContext(context) for context in self.contexts]  # type: ignore[arg-type]

    def _make_tables(self) -> dict[str, Tables]:
        return {"y": gaussian_tables(), "z": self.hyper.tables()}

    def code(self, latents: Latents, index: int) -> list[bytes]:
        y = latents.y
        z_part, features = self.hyper.encode(latents, self.tables["z"], index)
        encoder, y_hat = RangeEncoder(), torch.zeros_like(y)
        for part, target, mask, log_scale, mean in self._walk(features, y_hat, y, index):
            residual = (target - mean / UNITS).round().clamp(-SYMBOL_LIMIT, SYMBOL_LIMIT)
            symbols = residual[mask].to(torch.int32).numpy()
            self.tables["y"].encode(encoder, symbols, scale_rows(log_scale)[mask].numpy())
            part[mask] = (residual * UNITS + mean)[mask]
        return [to_bytes(encoder), z_part]

    def _decode(self, parts: list[bytes], height: int, width: int, index: int) -> Tensor:
        y_part, z_part = parts
        features = self.hyper.decode(z_part, height, width, self.tables["z"], index)
        decoder = PartDecoder(y_part)
        y_hat = torch.zeros(1, self.shape.latents, height, width, dtype=torch.float64)
        for part, _, mask, log_scale, mean in self._walk(features, y_hat, y_hat, index):
            symbols = self.tables["y"].decode(decoder, scale_rows(log_scale)[mask].numpy())
            part[mask] = torch.from_numpy(symbols.astype(np.float64)) * UNITS + mean[mask]
        return y_hat / UNITS

    def decode_latents(self, parts: list[bytes], height: int, width: int, index: int) -> Latents:
        y = self._decode(parts, height, width, index)
        return Latents(y, self.hyper.decode_latents(parts[1], height, width, self.tables["z"]))

    def _walk(self, features: Tensor, y_hat: Tensor, y: Tensor, index: int) -> Iterator[tuple[Tensor, ...]]:
        """(this group of y_hat, of y, mask, log scales, means) for each half of each group, in order.

        y_hat is in whole numbers of 1 / UNITS; the caller fills it in as it goes.
        """
        start = 0
        for exact in self._exact:
            stop = start + exact.channels
            before = to_units(y_hat[:, :start] / UNITS)
            part, target = y_hat[:, start:stop], y[:, start:stop]
            for mask, log_scale, mean in exact.halves(features, before_or_nothing(before), part, index):
                yield part, target, mask, log_scale, mean
            start = stop


def first_half(y: Tensor) -> Tensor:
    """True where row + column is even; y's shape."""
    rows = torch.arange(y.shape[2], device=y.device)[:, None]
    columns = torch.arange(y.shape[3], device=y.device)
    return ((rows + columns) % 2 == 0).expand(y.shape)


def append_empty(known: Tensor, channels: int) -> Tensor:
    """What is known before the first half: nothing of the group itself, in so many channels."""
    return torch.cat([known, known.new_zeros(len(known), channels, *known.shape[2:])], 1)


def before_or_nothing(before: Tensor) -> Tensor:
    """The groups before; for the first group one channel of zeros."""
    return before if before.shape[1] else before.new_zeros(len(before), 1, *before.shape[2:])
