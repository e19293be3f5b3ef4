"""What a decoder does, in whole numbers: symbols to latents, grid by grid, and latents to pixels.

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
from codecs_zoo.learned.networks.tables import Integers, Symbols, Tables
from codecs_zoo.learned.pyramid.density import rows_of
from codecs_zoo.learned.pyramid.entropy import GridContext, GroupContext, Hierarchy, first_half
from codecs_zoo.learned.pyramid.exact import (
    LIMIT,
    UNITS,
    ExactConvolution,
    ExactModulation,
    ExactNetwork,
    ExactRows,
    interpolated,
)
from codecs_zoo.learned.pyramid.shape import PATCH
from codecs_zoo.learned.pyramid.transforms import Latents, Synthesis

SYMBOL_LIMIT: Final = 512
"""Symbols lie within +- this; a latent is a symbol plus a mean."""


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
        found: Symbols = residual.astype(np.int32)
        self.tables.encode(self.encoder, found, rows)
        return found


class Reader:
    """Reads symbols from a range decoder."""

    def __init__(self, decoder: object, tables: Tables) -> None:
        self.decoder, self.tables = decoder, tables

    def symbols(self, rows: Integers, means: npt.NDArray[np.float64], proposals: Tensor | None) -> Symbols:
        return self.tables.decode(self.decoder, rows).clip(-SYMBOL_LIMIT, SYMBOL_LIMIT)


class ExactGroup:
    """The twin of a GroupContext: codes one group of channels."""

    def __init__(self, context: GroupContext) -> None:
        self.channels = context.channels
        self.context = ExactNetwork(context.context) if context.before else None
        self.spatial = ExactNetwork(context.spatial)
        self.merge = ExactNetwork(context.merge)
        self.offset = ExactRows(context.offset)
        self.empty = context.empty

    def walk(
        self, coder: Coder, known: Tensor, before: Tensor | None, proposals: Tensor | None, index: int
    ) -> Tensor:
        """The group's latents in units, C x h x w."""
        seen = torch.cat([known, self.context(before)]) if self.context and before is not None else known
        seen = seen.flatten(1)
        height, width = known.shape[1:]
        first = first_half(known[None]).flatten()
        y = torch.zeros(self.channels, height * width, dtype=torch.float64)
        nothing = torch.zeros(self.empty, int(first.sum()), dtype=torch.float64)
        self._half(coder, y, torch.cat([seen[:, first], nothing]), first, proposals, index)
        spatial = self.spatial(y.view(-1, height, width).clone()).flatten(1)
        self._half(coder, y, torch.cat([seen[:, ~first], spatial[:, ~first]]), ~first, proposals, index)
        return y.view(-1, height, width)

    def _half(
        self,
        coder: Coder,
        y: Tensor,
        columns: Tensor,
        places: Tensor,
        proposals: Tensor | None,
        index: int,
    ) -> None:
        if not columns.shape[1]:
            return
        parameters = (self.merge.at(columns) + self.offset(index)[:, None]).clamp_(-LIMIT, LIMIT)
        mean, log_scale, shape = parameters.chunk(3)
        mean = mean.clamp(-LIMIT / 4, LIMIT / 4)
        asked = None if proposals is None else proposals.flatten(1)[:, places].reshape(-1)
        rows = rows_of(log_scale.reshape(-1).numpy(), shape.reshape(-1).numpy())
        symbols = coder.symbols(rows, mean.reshape(-1).numpy(), asked)
        y[:, places] = mean + torch.from_numpy(symbols.astype(np.float64)).view_as(mean) * UNITS


class ExactGrid:
    """The twin of a GridContext."""

    def __init__(self, context: GridContext) -> None:
        self.groups = [ExactGroup(each) for each in context.members()]

    def walk(self, coder: Coder, known: Tensor, proposals: Tensor | None, index: int) -> Tensor:
        """The grid's latents in units, C x h x w."""
        done: list[Tensor] = []
        at = 0
        for group in self.groups:
            part = None if proposals is None else proposals[at : at + group.channels]
            done.append(group.walk(coder, known, torch.cat(done) if done else None, part, index))
            at += group.channels
        return torch.cat(done)


class ExactHierarchy:
    """The twin of a Hierarchy."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.start = ExactRows(hierarchy.start)
        self.coarse, self.middle, self.fine = (
            ExactGrid(each) for each in (hierarchy.coarse, hierarchy.middle, hierarchy.fine)
        )
        self.enter64, self.level64 = ExactNetwork(hierarchy.enter64), ExactRows(hierarchy.level64)
        self.enter32, self.level32 = ExactNetwork(hierarchy.enter32), ExactRows(hierarchy.level32)
        self.up32, self.up16 = ExactNetwork(hierarchy.up32), ExactNetwork(hierarchy.up16)

    def walk(
        self, coder: Coder, rows: int, columns: int, index: int, proposals: Latents | None = None
    ) -> tuple[Latents, Tensor]:
        """Latents in units and what is known at 1/16; `rows` x `columns` cells of the coarsest grid."""
        asked = proposals or (None, None, None)
        start = self.start(index)[:, None, None].expand(-1, rows, columns).contiguous()
        coarse = self.coarse.walk(coder, start, asked[2], index)
        known = self.up32(_plus(self.enter64(coarse), self.level64(index)))
        middle = self.middle.walk(coder, known, asked[1], index)
        known = self.up16(_plus(self.enter32(torch.cat([middle, known])), self.level32(index)))
        fine = self.fine.walk(coder, known, asked[0], index)
        return Latents(fine, middle, coarse), known


class ExactSynthesis:
    """The twin of a Synthesis, down to pixels. `steps`: LEVELS x C whole numbers of 2**-16."""

    def __init__(self, synthesis: Synthesis, steps: Tensor) -> None:
        self.steps = steps.double()
        self.linear, self.enter, self.known, self.up8, self.look, self.up4, self.leave = (
            ExactConvolution(layer)
            for layer in (
                synthesis.linear,
                synthesis.enter,
                synthesis.known,
                synthesis.up8,
                synthesis.look,
                synthesis.up4,
                synthesis.leave,
            )
        )
        self.modulation16 = ExactModulation(synthesis.modulation16)
        self.modulation8 = ExactModulation(synthesis.modulation8)
        self.blocks16, self.blocks8, self.blocks4 = (
            ExactNetwork(each) for each in (synthesis.blocks16, synthesis.blocks8, synthesis.blocks4)
        )

    def pixels(self, fine: Tensor, known: Tensor, index: int) -> Pixels:
        """uint8 H x W x 3 of fine latents (in steps) and what is known, both in units."""
        steps = interpolated(self.steps, index)[:, None, None]
        fine = (fine * steps / STEP_UNITS + 0.5).floor().clamp_(-LIMIT, LIMIT)
        patches = _shuffled(self.linear(fine), PATCH)
        hidden = self.modulation16((self.enter(fine) + self.known(known)).clamp_(-LIMIT, LIMIT), index)
        hidden = _shuffled(self.up8(self.blocks16(hidden)), 2)
        hidden += self.look(functional.pixel_unshuffle(patches[None], PATCH // 2)[0])
        hidden = self.blocks8(self.modulation8(hidden.clamp_(-LIMIT, LIMIT), index))
        hidden = self.blocks4(_shuffled(self.up4(hidden), 2))
        total = patches + _shuffled(self.leave(hidden), 4) + UNITS / 2
        values = (total * 255 + UNITS / 2).mul_(1 / UNITS).floor_().clamp_(0, 255)
        return values.to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


STEP_UNITS: Final = 2.0**16


def _plus(x: Tensor, row: Tensor) -> Tensor:
    return (x + row[:, None, None]).clamp_(-LIMIT, LIMIT)


def _shuffled(x: Tensor, factor: int) -> Tensor:
    return functional.pixel_shuffle(x[None], factor)[0]
