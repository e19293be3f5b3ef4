"""Search for the latents of one photograph: what the analysis proposes is only the start.

The decoder's networks stay as they are; the latents are free numbers that are moved down the gradient of rate plus
lambda times squared error. Rounding is relaxed by choosing between the two nearest whole numbers at random, ever more
strictly (stochastic Gumbel annealing: `networks/rounding.py`).
Lambda is steered on the way, so that the file has the rate that was wished for.
"""

from __future__ import annotations

import math
from typing import Any, Final

import torch
from torch import Tensor

from codecs_zoo.encode_progress import Progress
from codecs_zoo.learned.levels import index_to_level
from codecs_zoo.learned.networks.rounding import annealed
from codecs_zoo.learned.networks.schedule import cosine_fall
from codecs_zoo.learned.pyramid.model import PyramidModel
from codecs_zoo.learned.pyramid.shape import lambda_at

FIRST_TEMPERATURE: Final = 0.3
COOLING: Final = 3.0
"""The temperature is FIRST_TEMPERATURE * exp(-COOLING * share of the search that is done)."""
LEARNING_RATE: Final = 0.01
"""Of Adam, in steps of the latents."""
BOOST: Final = 1.3
"""Of lambda over the level's own: coarser steps, of which a search makes the better use."""
STEERING: Final = 8.0
"""How strongly lambda answers to a miss of the rate, a whole search long."""
STEERED_FROM: Final = 0.25
"""Share of a search from which on it does: before, values between whole numbers cost more than the file will."""

CORRECTING: Final = 0.8
"""Where on the schedule iterations are taken that correct the rate at the end."""
JUMP: Final = 1.0
"""How far lambda jumps against a miss of the file, both as logarithms; steering then adds to it."""
FARTHEST: Final = 1.5
"""How far lambda may go from the level's own, in its natural logarithm."""


class Search:
    """One photograph's search. `state` and `resume` let it go on in another process."""

    def __init__(
        self,
        model: PyramidModel,
        x: Tensor,
        size: tuple[int, int],
        index: int,
        iterations: int,
        aim: float | None,
        seed: int = 0,
    ) -> None:
        """x: 1 x 3 x H x W in 0..1, padded; `size`: rows and columns that count; `index`: of the level.

        `aim`, in bits per pixel, steers lambda; None leaves it as it is.
        """
        self.model, self.x, self.size = model, x, size
        self.iterations = self.planned = iterations
        self.aim = aim
        self.level = torch.tensor([index_to_level(index)])
        with torch.no_grad():
            self.latents = model.latents(x, self.level).clone()
        self.latents.requires_grad_()
        self.optimizer = torch.optim.Adam([self.latents], LEARNING_RATE)
        self.generator = torch.Generator().manual_seed(seed)
        self.middle = self.log_lambda = math.log(BOOST * lambda_at(index_to_level(index)))
        self.done = 0

    def step(self) -> Progress:
        """One iteration."""
        share = self.done / self.planned if self.done < self.planned else CORRECTING
        fall = cosine_fall(share)
        self.optimizer.param_groups[0]["lr"] = LEARNING_RATE * (0.05 + 0.95 * fall)
        bpp, error = self._costs(FIRST_TEMPERATURE * math.exp(-COOLING * share))
        loss = bpp + math.exp(self.log_lambda) * 255**2 * error
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.done += 1
        progress = Progress(
            self.done, self.iterations, bpp.item(), -10 * math.log10(max(error.item(), 1e-10))
        )
        if self.aim is not None and share >= STEERED_FROM:
            self._steer(STEERING / self.planned * math.log(self.aim / progress.bpp))
        return progress

    def correct(self, iterations: int, miss: float) -> None:
        """Plan more iterations, for a file that came out `miss` times as large as it should."""
        assert self.aim is not None
        self.iterations += iterations
        self.aim /= miss
        self._steer(-JUMP * math.log(miss))

    @property
    def latents_so_far(self) -> Tensor:
        """The latents as they are, in steps, to be rounded about their means."""
        return self.latents.detach()

    def state(self) -> dict[str, Any]:
        """Everything that a search in another process needs to go on."""
        return {
            "latents": self.latents_so_far,
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "log_lambda": self.log_lambda,
            "aim": self.aim,
            "iterations": self.iterations,
            "done": self.done,
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from a `state` of the same search."""
        with torch.no_grad():
            self.latents.copy_(state["latents"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.log_lambda, self.aim = state["log_lambda"], state["aim"]
        self.iterations, self.done = state["iterations"], state["done"]

    def _costs(self, temperature: float) -> tuple[Tensor, Tensor]:
        """Bits per pixel, and squared error of pixels in 0..1."""
        rows, columns = self.size
        rounding = annealed(temperature, self.generator)
        output = self.model.reconstruct(self.latents, self.level, rounding, _bfloat16())
        error = (output.x_hat - self.x)[:, :, :rows, :columns].square().mean()
        return output.bits[0] / (rows * columns), error

    def _steer(self, change: float) -> None:
        wished = self.log_lambda + change
        self.log_lambda = min(max(wished, self.middle - FARTHEST), self.middle + FARTHEST)


def _bfloat16() -> Any:
    return torch.autocast("cpu", torch.bfloat16, cache_enabled=False)
