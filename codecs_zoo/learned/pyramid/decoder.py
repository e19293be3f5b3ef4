"""What a decoder does, in whole numbers: symbols to latents, group by group, and latents to pixels.

An encoder walks the same way with symbols of its own (`Writer` in the place of `Reader`), so that both know the same
before each symbol.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from codecs_zoo.contract import Pixels
from codecs_zoo.learned._conditioning import interpolate_whole_rows
from codecs_zoo.learned.networks.tables import Integers, PartDecoder, Symbols, Tables
from codecs_zoo.learned.pyramid.density import rows_of
from codecs_zoo.learned.pyramid.entropy import (
    PARAMETERS,
    HalvedContext,
    Hierarchy,
    StagedContext,
    first_half,
    stage_places,
)
from codecs_zoo.learned.pyramid.exact import (
    LIMIT,
    UNITS,
    ExactConvolution,
    ExactModulation,
    ExactNetwork,
    ExactRows,
)
from codecs_zoo.learned.pyramid.shape import PATCH
from codecs_zoo.learned.pyramid.transforms import Synthesis

STEP_UNITS: Final = 2.0**16
"""Steps are whole numbers of 1 / STEP_UNITS."""
SYMBOL_LIMIT: Final = 512
"""Symbols lie within +- this; a latent is a symbol plus a mean."""
MEAN_LIMIT: Final = LIMIT / 4


class Coder(Protocol):
    """One side of the code."""

    def symbols(self, rows: Integers, means: npt.NDArray[np.float64], proposals: Tensor | None) -> Symbols:
        """N symbols by the tables `rows`; an encoder takes them from `proposals`, latents in steps, less means."""


class Writer:
    """Takes symbols from proposed latents and appends them to a range encoder."""

    def __init__(self, encoder: object, tables: Tables) -> None:
        self.encoder, self.tables = encoder, tables

    def symbols(self, rows: Integers, means: npt.NDArray[np.float64], proposals: Tensor | None) -> Symbols:
        assert proposals is not None
        residual = np.rint(proposals.numpy() - means / UNITS).clip(-SYMBOL_LIMIT, SYMBOL_LIMIT)
        symbols: Symbols = residual.astype(np.int32)
        self.tables.encode(self.encoder, symbols, rows)
        return symbols


class Reader:
    """Reads symbols from a range decoder."""

    def __init__(self, decoder: PartDecoder, tables: Tables) -> None:
        self.decoder, self.tables = decoder, tables

    def symbols(self, rows: Integers, means: npt.NDArray[np.float64], proposals: Tensor | None) -> Symbols:
        return self.tables.decode(self.decoder, rows).clip(-SYMBOL_LIMIT, SYMBOL_LIMIT)


class _Group:
    """A group's latents as they become known, in units, and the proposals for them."""

    def __init__(self, coder: Coder, channels: int, size: torch.Size, proposals: Tensor | None) -> None:
        self.coder = coder
        self.y = torch.zeros(channels, *size, dtype=torch.float64)
        self.proposals = proposals

    def code(self, parameters: Tensor, places: Tensor) -> None:
        """The latents at `places` (h x w of booleans) by their densities, 3 C x N."""
        mean, log_scale, shape = parameters.chunk(PARAMETERS)
        mean = mean.clamp(-MEAN_LIMIT, MEAN_LIMIT)
        proposals = None if self.proposals is None else self.proposals[:, places].reshape(-1)
        rows = rows_of(log_scale.reshape(-1).numpy(), shape.reshape(-1).numpy())
        symbols = self.coder.symbols(rows, mean.reshape(-1).numpy(), proposals)
        self.y[:, places] = mean + torch.from_numpy(symbols.astype(np.float64)).view_as(mean) * UNITS


class ExactStaged:
    """The twin of a StagedContext."""

    def __init__(self, context: StagedContext) -> None:
        self.channels = context.channels
        self.context = ExactConvolution(context.context) if context.before else None
        self.stages = [(ExactConvolution(near), ExactConvolution(all_)) for near, all_ in context.stages()]
        self.level, self.offset = ExactRows(context.level), ExactRows(context.offset)
        self.merge = ExactNetwork(context.merge)

    def walk(
        self, coder: Coder, before: Tensor, step: Tensor, proposals: Tensor | None, index: int
    ) -> Tensor:
        """The group's latents in units, C x h x w. `before`: latents times steps; `step`: C x 1 x 1."""
        group = _Group(coder, self.channels, before.shape[1:], proposals)
        known = self.level(index)[:, None, None]
        if self.context is not None:
            known = known + self.context(before)
        offset, count = self.offset(index)[:, None], self.channels
        for number, (near, all_around) in enumerate(self.stages):
            places = stage_places(number, before[None])
            if not places.any():
                continue
            seen = times_step(group.y, step)
            columns = (all_around(seen) + known)[:, places].clamp_(-LIMIT, LIMIT)
            merged = (self.merge.at(columns) + offset).clamp_(-LIMIT, LIMIT)
            mean = merged[:count] + near(seen)[:, places]
            mean = (mean * STEP_UNITS / step[:, :, 0] + 0.5).floor()
            group.code(torch.cat([mean, merged[count:]]), places)
        return group.y


class ExactHalved:
    """The twin of a HalvedContext."""

    def __init__(self, context: HalvedContext) -> None:
        self.channels, self.empty = context.channels, context.empty
        self.context = ExactNetwork(context.context) if context.before else None
        self.spatial = ExactNetwork(context.spatial)
        self.merge, self.offset = ExactNetwork(context.merge), ExactRows(context.offset)

    def walk(self, coder: Coder, before: Tensor, proposals: Tensor | None, index: int) -> Tensor:
        """The group's latents in units, C x h x w; `before` in units too."""
        group = _Group(coder, self.channels, before.shape[1:], proposals)
        seen = before if self.context is None else self.context(before)
        offset = self.offset(index)[:, None]
        first = first_half(before[None])
        for places in (first, ~first):
            half = self.spatial(group.y)[:, places] if places is not first else None
            if half is None:
                half = torch.zeros(self.empty, int(places.sum()), dtype=torch.float64)
            merged = self.merge.at(torch.cat([seen[:, places], half])) + offset
            group.code(merged.clamp_(-LIMIT, LIMIT), places)
        return group.y


class ExactHierarchy:
    """The twin of a Hierarchy. `steps`: LEVELS x C whole numbers of 1 / STEP_UNITS."""

    def __init__(self, hierarchy: Hierarchy, steps: Tensor) -> None:
        self.steps = steps.double()
        self.staged = [ExactStaged(each) for each in hierarchy.staged_contexts()]
        self.halved = [ExactHalved(each) for each in hierarchy.halved_contexts()]

    def walk(
        self, coder: Coder, rows: int, columns: int, index: int, proposals: Tensor | None = None
    ) -> Tensor:
        """Latents in units, C x rows x columns."""
        steps = interpolate_whole_rows(self.steps, index)[:, None, None]
        latents = torch.zeros(0, rows, columns, dtype=torch.float64)
        groups: list[ExactStaged | ExactHalved] = [*self.staged, *self.halved]
        for group in groups:
            at = len(latents)
            part = None if proposals is None else proposals[at : at + group.channels]
            if isinstance(group, ExactStaged):
                step = steps[at : at + group.channels]
                y = group.walk(coder, times_step(latents, steps[:at]), step, part, index)
            else:
                y = group.walk(coder, latents, part, index)
            latents = torch.cat([latents, y])
        return latents


class ExactSynthesis:
    """The twin of a Synthesis, down to pixels. `steps`: LEVELS x C whole numbers of 1 / STEP_UNITS."""

    def __init__(self, synthesis: Synthesis, steps: Tensor) -> None:
        self.steps = steps.double()
        layers = ("linear", "enter", "up8", "look", "up4", "leave")
        self.linear, self.enter, self.up8, self.look, self.up4, self.leave = (
            ExactConvolution(getattr(synthesis, name)) for name in layers
        )
        self.modulation16 = ExactModulation(synthesis.modulation16)
        self.modulation8 = ExactModulation(synthesis.modulation8)
        self.blocks16, self.blocks8, self.blocks4 = (
            ExactNetwork(each) for each in (synthesis.blocks16, synthesis.blocks8, synthesis.blocks4)
        )

    def picture(self, y: Tensor, index: int) -> Tensor:
        """3 x H x W whole numbers of 1 / UNITS, not clamped, of latents in steps, in units."""
        y = times_step(y, interpolate_whole_rows(self.steps, index)[:, None, None])
        patches = _shuffled(self.linear(y), PATCH)
        hidden = self.blocks16(self.modulation16(self.enter(y), index))
        hidden = _shuffled(self.up8(hidden), 2)
        hidden += self.look(functional.pixel_unshuffle(patches[None], PATCH // 2)[0])
        hidden = self.blocks8(self.modulation8(hidden.clamp_(-LIMIT, LIMIT), index))
        hidden = self.blocks4(_shuffled(self.up4(hidden), 2))
        return patches + _shuffled(self.leave(hidden), 4) + UNITS / 2

    def pixels(self, y: Tensor, index: int) -> Pixels:
        """uint8 H x W x 3 of the same."""
        return to_pixels(self.picture(y, index))


def to_pixels(picture: Tensor) -> Pixels:
    """uint8 H x W x 3 of 3 x H x W whole numbers of 1 / UNITS."""
    values = (picture * 255 + UNITS / 2).mul_(1 / UNITS).floor_().clamp_(0, 255)
    return values.to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


def times_step(y: Tensor, steps: Tensor) -> Tensor:
    """Latents in steps, in units, times their steps: in units of colours."""
    return (y * steps / STEP_UNITS + 0.5).floor_().clamp_(-LIMIT, LIMIT)


def _shuffled(x: Tensor, factor: int) -> Tensor:
    return functional.pixel_shuffle(x[None], factor)[0]
