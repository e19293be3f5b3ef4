"""What the learned codecs share: one network for all rates, CompressAI's names, coding in float64.

`forward(x) -> {"x_hat", "likelihoods"}`, `update()`, `compress(x) -> {"strings", "shape"}`,
`decompress(strings, shape) -> {"x_hat"}`, `quality`, `lmbda` and `metric` mean what they mean in CompressAI,
but that `quality` is any number from 1 to 8 and can be set on one network.

The rate is steered by a quantisation step for each latent channel and level (gain units: Cui et al.,
"Asymmetric Gained Deep Image Compression", CVPR 2021), interpolated between levels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from codecs_zoo.learned._conditioning import interpolate_rows
from codecs_zoo.learned.levels import LEVELS, level_and_share
from codecs_zoo.learned.networks.rounding import Rounding, in_training, rounded
from codecs_zoo.learned.networks.shape import Shape, index_to_quality, quality_index
from codecs_zoo.learned.networks.tables import Tables
from codecs_zoo.learned.networks.transforms import Analysis, Synthesis

LAMBDA_LOW, LAMBDA_HIGH = 0.0004, 0.12
"""Weight of the squared error (of pixels in 0..255) against bits per pixel, at the lowest and highest level."""


class Latents(NamedTuple):
    """In quantisation steps: y, from which the picture is made, and hyper-latents z (None: those that y gives)."""

    y: Tensor
    z: Tensor | None


class LearnedModel(nn.Module, ABC):
    """One codec's networks. Subclasses write the entropy model: how latents become likelihoods and bytes."""

    metric: ClassVar[str] = "mse"

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        self.shape = shape or Shape()
        self.quality = (1 + LEVELS) / 2
        self.analysis = Analysis(self.shape)
        self.synthesis = Synthesis(self.shape)
        self.log_steps = nn.Parameter(first_steps(self.shape.latents).log())
        self.steps: Tensor
        self.register_buffer("steps", first_steps(self.shape.latents))
        self.tables: dict[str, Tables] = {}

    @property
    def lmbda(self) -> float:
        """The weight of the squared error that `quality` was trained for."""
        return float(lambdas(torch.tensor([self.quality]))[0])

    def forward(self, x: Tensor, quality: Tensor | None = None, bf16: bool = False) -> dict[str, Any]:
        """x: B x 3 x H x W in 0..1, sides multiples of 32; quality: B numbers, `self.quality` by default.

        Noise stands in for rounding where likelihoods are taken; x_hat is made from rounded latents. The
        transforms' networks run in bfloat16 where `bf16` says so.
        """
        if quality is None:
            quality = x.new_full((len(x),), self.quality)
        level = quality_to_level(quality)
        step = interpolate_rows(self.log_steps.exp(), level)
        y = self.analysis(x, level, bf16) / step
        y_hat, likelihoods = self.likelihoods(Latents(y, None), step, level, in_training)
        return {"x_hat": self.synthesis(y_hat * step, level, bf16), "likelihoods": likelihoods}

    @torch.no_grad()
    def update(self, tables: dict[str, Tables] | None = None) -> None:
        """Make ready to code: float64 on the CPU, integer entropy networks, and tables unless given."""
        self.double().cpu().eval()
        self._prepare()
        if tables is None:
            self.steps.copy_(self.log_steps.exp().float())
        self.tables = self._make_tables() if tables is None else tables

    @torch.no_grad()
    def compress(self, x: Tensor, quality: float | None = None) -> dict[str, Any]:
        """Pictures as for `forward` to {"strings": for each part of the code one string a picture, "shape"}."""
        self._require_update()
        index = quality_index(self.quality if quality is None else quality)
        y = self.analysis(x.double().cpu(), _levels(index, len(x))) / self._step(index)
        coded = [self.code(Latents(each.unsqueeze(0), None), index) for each in y]
        return {"strings": [list(part) for part in zip(*coded, strict=True)], "shape": tuple(y.shape[2:])}

    @torch.no_grad()
    def decompress(
        self, strings: Sequence[Sequence[bytes]], shape: Sequence[int], quality: float | None = None
    ) -> dict[str, Tensor]:
        """What `compress` returned at this `quality`, to {"x_hat": B x 3 x H x W in 0..1, float64}."""
        self._require_update()
        index = quality_index(self.quality if quality is None else quality)
        height, width = shape
        y_hat = torch.cat(
            [self._decode(list(each), height, width, index) for each in zip(*strings, strict=True)]
        )
        x_hat = self.synthesis(y_hat * self._step(index), _levels(index, len(y_hat)))
        return {"x_hat": x_hat.clamp(0, 1)}

    def _step(self, index: int) -> Tensor:
        """Steps at a level index by nothing but products and sums, which every machine rounds alike."""
        level, share = level_and_share(index)
        rows = self.steps.double()
        return (rows[level] * (1 - share) + rows[level + 1] * share)[None, :, None, None]

    def _require_update(self) -> None:
        if not self.tables:
            raise RuntimeError("This model has no tables yet: call update() before compress or decompress.")

    @torch.no_grad()
    def cell_bits(self, parts: list[bytes], height: int, width: int, index: int) -> Tensor:
        """Bits that a code spends on each cell of 16 x 16 pixels: height x width of them, float64.

        By the likelihoods of what is decoded, so their sum is the code's length within the coder's rounding.
        """
        self._require_update()
        latents = self.decode_latents(parts, height, width, index)
        _, likelihoods = self.likelihoods(latents, self._step(index), _levels(index, 1), rounded)
        bits = latents.y.new_zeros(height, width)
        for part in likelihoods.values():
            each = -part[0].log2().sum(0)
            times = height // each.shape[0]  # hyper-latents cover several cells: each has its share
            bits += each.repeat_interleave(times, 0).repeat_interleave(times, 1) / times**2
        return bits

    def decode_latents(self, parts: list[bytes], height: int, width: int, index: int) -> Latents:
        """The rounded latents that a code holds. Raises ValueError for parts that hold no such picture."""
        return Latents(self._decode(parts, height, width, index), None)

    @abstractmethod
    def start_scales(self, deviations: Tensor) -> None:
        """Begin with latents of these standard deviations (one a channel, before division by the step)."""

    @abstractmethod
    def likelihoods(
        self, latents: Latents, step: Tensor, level: Tensor, rounding: Rounding
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Latents in steps to what the picture is made from, and the likelihoods of all that is coded."""

    def first_latents(self, x: Tensor, level: Tensor) -> Latents:
        """What the encoder's networks make of pictures, in steps: where a search begins."""
        step = interpolate_rows(self.log_steps.exp(), level)
        return Latents(self.analysis(x, level) / step, None)

    @abstractmethod
    def _prepare(self) -> None:
        """Build the integer networks from the weights."""

    @abstractmethod
    def _make_tables(self) -> dict[str, Tables]:
        """Every table that coding needs."""

    @abstractmethod
    def code(self, latents: Latents, index: int) -> list[bytes]:
        """One picture's latents in steps (y: 1 x M x h x w) to the parts of its code; float64, after `update`."""

    @abstractmethod
    def _decode(self, parts: list[bytes], height: int, width: int, index: int) -> Tensor:
        """The rounded latents in steps. Raises ValueError for parts that hold no such picture."""


def quality_to_level(quality: Tensor) -> Tensor:
    """What the networks are conditioned on, 0 to LEVELS - 1, for qualities of 1 to LEVELS."""
    return quality - 1


def lambdas(quality: Tensor) -> Tensor:
    """The weight of the squared error for each quality, geometric between the lowest and the highest."""
    share = quality_to_level(quality) / (LEVELS - 1)
    return LAMBDA_LOW * (LAMBDA_HIGH / LAMBDA_LOW) ** share


def first_steps(channels: int) -> Tensor:
    """LEVELS x channels: the step that suits each lambda for orthonormal components at a high rate.

    With N pixels and squared errors of step**2 / 12 each, d(bits)/d(error) = -lambda where
    step**2 = 12 * 3 / (2 ln 2 * 255**2 * lambda).
    """
    lmbda = lambdas(torch.linspace(1, LEVELS, LEVELS))
    steps = (36 / (2 * 0.6931 * 255**2 * lmbda)).sqrt()
    return steps[:, None].repeat(1, channels)


def _levels(index: int, count: int) -> Tensor:
    return quality_to_level(torch.full((count,), index_to_quality(index), dtype=torch.float64))


def first_log_scales(deviations: Tensor) -> Tensor:
    """LEVELS x channels: log2 of the standard deviations in steps, no lower than the tables go."""
    return (deviations / first_steps(len(deviations))).log2().clamp(min=-3.0)
