"""Momentum whose matrices are made orthogonal before they are added (Muon: Jordan et al., 2024).

On 300 steps of a small pyramid it reached 2 to 3 % fewer bits at .1 dB more than Adam. It may be captured in a CUDA
graph: nothing here waits for the device.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
ROUNDS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic whose rounds push singular values towards 1 (Jordan et al., 2024)."""
SIZE = 0.2
"""Root mean square of an update at a learning rate of 1, about Adam's (Liu et al., arXiv 2502.16982)."""


class Muon:
    """For weights of convolutions, each seen as a matrix of its outputs by all its inputs."""

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self.groups: dict[tuple[int, int], list[tuple[nn.Parameter, Tensor]]] = {}
        for parameter in parameters:
            rows, columns = parameter.flatten(1).shape
            self.groups.setdefault((rows, columns), []).append((parameter, torch.zeros_like(parameter)))

    @torch.no_grad()
    def step(self, rate: Tensor) -> None:
        """One update by the gradients; `rate` is a number on the parameters' device."""
        for (rows, columns), members in self.groups.items():
            directions = []
            for parameter, momentum in members:
                gradient = parameter.grad
                assert gradient is not None
                momentum.mul_(MOMENTUM).add_(gradient)
                directions.append((gradient + MOMENTUM * momentum).flatten(1))
            updates = orthogonal(torch.stack(directions)) * (rate * SIZE * max(rows, columns) ** 0.5)
            for (parameter, _), update in zip(members, updates, strict=True):
                parameter.sub_(update.reshape(parameter.shape))


def orthogonal(matrices: Tensor) -> Tensor:
    """The nearest (half-)orthogonal matrices of B x rows x columns, roughly: singular values of .7 to 1.2."""
    a, b, c = COEFFICIENTS
    upright = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if upright else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    if x.is_cuda:
        x = x.bfloat16()
    for _ in range(ROUNDS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    found: Tensor = (x.mT if upright else x).to(matrices.dtype)
    return found
