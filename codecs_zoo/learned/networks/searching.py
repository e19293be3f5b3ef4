"""Search in the encoder: the latents of one photograph are moved until rate plus lambda times distance is small.

What the encoder's networks propose is only the start. Decoder, weights and file stay as they are, so every decoder
reads what was searched for. The distance is the one that codecs are trained on (`objective.py`), so that a search can
be tuned to a metric and weighed by saliency. Where a rate is wished for, lambda is steered towards it on the way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from codecs_zoo.contract import CodecError
from codecs_zoo.encode_progress import Progress
from codecs_zoo.learned._conditioning import interpolate_rows
from codecs_zoo.learned.networks.model import Latents, LearnedModel, lambdas, quality_to_level
from codecs_zoo.learned.networks.objective import (
    MOST_SCALE,
    Objective,
    random_view,
    squared_error,
    weight_in_a_search,
)
from codecs_zoo.learned.networks.rounding import annealed, rounded
from codecs_zoo.learned.networks.schedule import cosine_fall
from codecs_zoo.learned.networks.shape import index_to_quality
from codecs_zoo.learned.networks.stepping import bits_per_pixel

TEMPERATURE: Final = 0.3
COOLING: Final = 3.0
"""The temperature is TEMPERATURE * exp(-COOLING * share). A start at .1 lost against this one."""
LEARNING_RATE: Final = 0.01
"""Of Adam, in quantisation steps; down to a twentieth of it as a cosine."""
BOOST: Final = 1.3
"""Of lambda over the one that the quality was trained for: coarser steps, of which a search makes the better use."""
STEERING: Final = 8.0
"""How strongly lambda answers to a miss of the rate: the change of both logarithms, over a whole search."""
STEERED_FROM: Final = 0.25
"""Share of a search from which on it does."""
MEASURED_EVERY: Final = 10
"""Iterations from one look at the rate to the next: that of rounded latents, since values between whole numbers cost up
to a tenth more than the file will, until half a search is over."""
FARTHEST: Final = 1.0
"""How far the logarithm of lambda may go from that of the quality: the quantisation steps suit no other."""
METRIC_EVERY: Final = 2
"""The metric, which takes longer than all else, is looked at in one iteration of so many, weighing that much more."""
LEAST_BPP: Final = 1e-6
"""Of which a logarithm is taken: a flat picture may take no bits."""
AGAIN_FROM: Final = 0.4
"""Where a search that goes on from another's latents begins on the schedule."""


@dataclass(frozen=True)
class Subject:
    """One photograph to search for: x is 1 x 3 x H x W in 0..1, padded; `size` rows and columns count.

    `saliency` is 1 x 1 x rows x columns with a mean of 1, or None. `key` names photograph and settings.
    """

    x: Tensor
    size: tuple[int, int]
    key: str
    saliency: Tensor | None = None


class Search:
    """One search at one quality. `state` and `resume` let it go on in another process."""

    def __init__(
        self,
        model: LearnedModel,
        objective: Objective,
        subject: Subject,
        index: int,
        iterations: int,
        start: Latents | None = None,
    ) -> None:
        """`model` in float32. `start`: where another search of this subject and quality ended."""
        require_size(objective, subject.size)
        self.model, self.objective, self.subject, self.iterations = model, objective, subject, iterations
        self._set_quality(index)
        self.first = round(AGAIN_FROM * iterations) if start else 0
        self.done = self.first
        with torch.no_grad():
            plain = model.first_latents(subject.x, self.level)
            self.weight = objective.weight
            if objective.metric:
                self.weight = weight_in_a_search(objective.weight, self._error_of(plain))
        begin = start or plain
        self.latents = Latents(*(None if each is None else _free(each) for each in begin))  # type: ignore[arg-type]
        self.parameters = [each for each in self.latents if each is not None]
        self.optimizer = torch.optim.Adam(self.parameters, LEARNING_RATE)
        self.generator = torch.Generator().manual_seed(0)

    @property
    def over(self) -> bool:
        """Whether all iterations are done."""
        return self.done >= self.iterations

    def step(self, target_bpp: float | None = None) -> Progress:
        """One iteration. `target_bpp` (of the coded parts) steers lambda; None leaves it as it is."""
        share = self.done / self.iterations
        fall = cosine_fall(share)
        self.optimizer.param_groups[0]["lr"] = LEARNING_RATE * (0.05 + 0.95 * fall)
        bpp, x_hat = self._made(TEMPERATURE * math.exp(-COOLING * share))
        x = self._counted(self.subject.x)
        loss = bpp + math.exp(self.log_lambda) * self._distance(x, x_hat)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.done += 1
        if target_bpp is not None and share >= STEERED_FROM and self.done % MEASURED_EVERY == 0:
            self._steer(math.log(max(target_bpp, LEAST_BPP) / self.rounded_bpp()))
        error = float((x_hat.detach() - x).square().mean().clamp(min=1e-10))
        return Progress(self.done, self.iterations, float(bpp.detach()), -10 * math.log10(error))

    @torch.no_grad()
    def latents_to_code(self) -> Latents:
        """What is to be coded: rounded about the means, so that the coder rounds to the same."""
        y_hat, _ = self.model.likelihoods(self.latents, self.step_size, self.level, rounded)
        z = self.latents.z
        return Latents(y_hat, None if z is None else z.round())

    @torch.no_grad()
    def rounded_bpp(self) -> float:
        """Bits per pixel of what counts, were the search to end here."""
        _, likelihoods = self.model.likelihoods(self.latents, self.step_size, self.level, rounded)
        return max(float(bits_per_pixel(likelihoods, self._counted(self.subject.x))[0]), LEAST_BPP)

    @torch.no_grad()
    def retune(self, index: int) -> None:
        """Go on at another quality: the same latents in its steps, with its lambda."""
        before = self.step_size
        self._set_quality(index)
        self.latents.y.mul_(before / self.step_size)

    def ended(self) -> Latents:
        """Where another search can go on."""
        return Latents(*(None if each is None else each.detach().clone() for each in self.latents))  # type: ignore[arg-type]

    def state(self) -> dict[str, Any]:
        """Everything that a search in another process needs to go on."""
        return {
            "latents": [each.detach() for each in self.parameters],
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "log_lambda": self.log_lambda,
            "weight": self.weight,  # of the quality that it began at
            "done": self.done,
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from the `state` of a search of the same subject."""
        with torch.no_grad():
            for own, saved in zip(self.parameters, state["latents"], strict=True):
                own.copy_(saved)
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.log_lambda, self.done = state["log_lambda"], state["done"]
        self.weight = state.get("weight", self.weight)

    @torch.no_grad()
    def _set_quality(self, index: int) -> None:
        quality = torch.tensor([index_to_quality(index)])
        self.level = quality_to_level(quality)
        self.step_size = interpolate_rows(self.model.log_steps.exp(), self.level)
        self.middle = self.log_lambda = float(lambdas(quality).log()) + math.log(BOOST)

    def _made(self, temperature: float) -> tuple[Tensor, Tensor]:
        """Bits per pixel of what counts, and x_hat of it."""
        rounding = annealed(temperature, self.generator)
        y_hat, likelihoods = self.model.likelihoods(self.latents, self.step_size, self.level, rounding)
        x_hat = self._counted(self.model.synthesis(y_hat * self.step_size, self.level, True))
        return bits_per_pixel(likelihoods, x_hat)[0], x_hat

    def _error_of(self, latents: Latents) -> float:
        """The squared error of these latents, rounded, as the objective has it."""
        y_hat, _ = self.model.likelihoods(latents, self.step_size, self.level, rounded)
        x_hat = self._counted(self.model.synthesis(y_hat * self.step_size, self.level, True))
        return float(squared_error(self._counted(self.subject.x), x_hat, self.subject.saliency)[0])

    def _distance(self, x: Tensor, x_hat: Tensor) -> Tensor:
        """The objective's; the metric has its turn every METRIC_EVERY-th iteration."""
        saliency = self.subject.saliency
        error = squared_error(x, x_hat, saliency)[0]
        if self.objective.metric is None or self.done % METRIC_EVERY:
            return error
        view = random_view(*self.subject.size, seed=(0, self.done))
        seen = self.objective.seen(view, x, x_hat, saliency, bf16=True)[0]
        return error + METRIC_EVERY * self.weight * seen

    def _counted(self, pictures: Tensor) -> Tensor:
        rows, columns = self.subject.size
        return pictures[..., :rows, :columns]

    def _steer(self, miss: float) -> None:
        wished = self.log_lambda + STEERING * MEASURED_EVERY / (self.iterations - self.first) * miss
        self.log_lambda = min(max(wished, self.middle - FARTHEST), self.middle + FARTHEST)


def require_size(objective: Objective, size: tuple[int, int]) -> None:
    """Raises CodecError for a photograph that is too small for the metric, scaled down as it may be."""
    if objective.metric is None:
        return
    least = math.ceil(objective.metric.minimum_side * MOST_SCALE) + 1
    if min(size) < least:
        raise CodecError(
            f"{size[1]} x {size[0]} pixels are too few for a search with this metric: it needs at least "
            f"{least} per side. Use tune=mse or a larger photograph."
        )


def for_search(model: LearnedModel, build: Any) -> LearnedModel:
    """A copy of a model that codes, to search with: float32, channels last, no gradients of its own."""
    copy: LearnedModel = build(model.shape)
    copy.load_state_dict({key: value.float() for key, value in model.state_dict().items()})
    copy.eval().requires_grad_(False)
    return copy.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _free(x: Tensor) -> Tensor:
    return x.detach().clone(memory_format=torch.channels_last).requires_grad_()
