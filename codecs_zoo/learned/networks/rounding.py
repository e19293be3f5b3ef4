"""What stands for rounding while latents are learned: noise in training, annealed choices in a search.

A rounding takes values in quantisation steps and returns them twice: for their likelihoods, and for the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

Rounding = Callable[[Tensor], tuple[Tensor, Tensor]]

EDGE: Final = 1e-4
"""How near to a whole number a value may come before its logit is held."""


def in_training(x: Tensor) -> tuple[Tensor, Tensor]:
    """Uniform noise of one step for the likelihoods; rounded, with the gradient of the identity, for the picture."""
    return noisy(x), straight_through(x)


def rounded(x: Tensor) -> tuple[Tensor, Tensor]:
    """Rounded for both: what a file will hold."""
    whole = x.round()
    return whole, whole


def annealed(temperature: float, generator: torch.Generator) -> Rounding:
    """Each value between its two neighbouring whole numbers, the nearer one likelier; almost rounded once it is cold.

    Stochastic Gumbel annealing (Yang, Bamler and Mandt, "Improving Inference for Neural Image Compression", NeurIPS
    2020): logits -atanh(distance) / temperature, relaxed at the same temperature. With two choices the relaxed
    sample is a sigmoid of the difference of logits plus logistic noise.
    """

    def rounding(x: Tensor) -> tuple[Tensor, Tensor]:
        below = x.detach().floor()
        up = (x - below).clamp(EDGE, 1 - EDGE)
        # atanh(up) - atanh(1 - up)
        difference = 0.5 * (up * (1 + up) / ((1 - up) * (2 - up))).log()
        uniform = torch.empty_like(x).uniform_(1e-6, 1 - 1e-6, generator=generator)
        share = torch.sigmoid((difference / temperature + uniform.logit()) / temperature)
        sample = below + share
        return sample, sample

    return rounding


def straight_through(x: Tensor) -> Tensor:
    """Rounded, with the gradient of the identity."""
    return x + (x.round() - x).detach()


def noisy(x: Tensor) -> Tensor:
    """Plus uniform noise of one step."""
    return x + torch.empty_like(x).uniform_(-0.5, 0.5)


class _LowerBound(torch.autograd.Function):
    """max(x, bound) whose gradient still pushes x upwards when it is below."""

    @staticmethod
    def forward(context, x: Tensor, bound: float) -> Tensor:  # type: ignore[no-untyped-def]
        context.save_for_backward(x)
        context.bound = bound
        return x.clamp(min=bound)

    @staticmethod
    def backward(context, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[no-untyped-def]
        (x,) = context.saved_tensors
        return gradient * ((x >= context.bound) | (gradient < 0)), None


def bounded_below(x: Tensor, bound: float) -> Tensor:
    """max(x, bound); where x is below, gradients that push it upwards come through."""
    bounded: Tensor = _LowerBound.apply(x, bound)  # type: ignore[no-untyped-call]
    return bounded
