"""Pyramid ready to code: the float networks that an encoder searches with, their twins, steps and tables."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from codecs_zoo.contract import CodecError, Pixels
from codecs_zoo.learned.networks.tables import PartDecoder, RangeEncoder, Tables, to_bytes
from codecs_zoo.learned.pyramid.bitstream import Bitstream
from codecs_zoo.learned.pyramid.correction import Correction
from codecs_zoo.learned.pyramid.decoder import (
    ExactHierarchy,
    ExactSynthesis,
    Reader,
    Writer,
    to_pixels,
)
from codecs_zoo.learned.pyramid.shape import GRID, PATCH
from codecs_zoo.learned.pyramid.storing import read_model


class Networks:
    """Everything that one file of frozen weights holds."""

    def __init__(self, weights: Path) -> None:
        self.identity = hashlib.sha256(weights.read_bytes()).digest()[:4]
        """The first bytes of the file's sha256: files name their weights by it."""
        self.model, frozen = read_model(weights)
        self.model.eval().requires_grad_(False)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        try:
            parts = (frozen[f"tables.{name}"].numpy() for name in ("starts", "lowest", "counts"))
            self.tables = Tables(*parts)
            self.steps = frozen["steps"]
        except KeyError as error:
            raise CodecError(
                f"{weights} is not frozen: it has no {error}. Run pyramid.freeze on it."
            ) from error

    @cached_property
    def hierarchy(self) -> ExactHierarchy:
        """The hierarchy in whole numbers."""
        return ExactHierarchy(self.model.hierarchy, self.steps)

    @cached_property
    def synthesis(self) -> ExactSynthesis:
        """The synthesis in whole numbers."""
        return ExactSynthesis(self.model.synthesis, self.steps)

    @torch.no_grad()
    def write(self, latents: Tensor, index: int) -> tuple[bytes, Tensor]:
        """The body of a file of proposed latents (1 x C x h x w, in steps), and what it decodes to."""
        encoder = RangeEncoder()
        rows, columns = latents.shape[2:]
        coder = Writer(encoder, self.tables)
        coded = self.hierarchy.walk(coder, rows, columns, index, latents[0].double())
        return to_bytes(encoder), coded

    @torch.no_grad()
    def read(self, file: Bitstream) -> Pixels:
        """uint8 height x width x 3. Raises ValueError for a body that can't be read."""
        rows, columns = (-(-side // GRID) * (GRID // PATCH) for side in (file.height, file.width))
        coder = Reader(PartDecoder(file.body), self.tables)
        decoded = self.hierarchy.walk(coder, rows, columns, file.index)
        picture = self.picture(decoded, file.height, file.width, file.index)
        return to_pixels(Correction.unpack(file.correction).of(picture) if file.correction else picture)

    @torch.no_grad()
    def picture(self, decoded: Tensor, height: int, width: int, index: int) -> Tensor:
        """3 x height x width whole numbers of 1 / UNITS of decoded latents, before a correction."""
        return self.synthesis.picture(decoded, index)[:, :height, :width].contiguous()


def to_tensor(pixels: Pixels) -> Tensor:
    """uint8 HxWx3 to 1 x 3 x H' x W' in 0..1; edges are repeated up to multiples of 64."""
    height, width = pixels.shape[:2]
    padded = np.pad(pixels, ((0, -height % GRID), (0, -width % GRID), (0, 0)), mode="edge")
    return torch.from_numpy(padded).permute(2, 0, 1).unsqueeze(0).float() / 255
