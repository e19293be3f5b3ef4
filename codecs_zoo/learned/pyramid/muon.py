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
    def step(self, rate: Tensor, broken: Tensor | None = None) -> None:
        """One update by the gradients; `rate` is a number on the parameters' device.

        Where `broken` (0 or 1, there too) is 1, neither parameters nor momenta change.
        """
        sound = torch.ones_like(rate) if broken is None else 1 - broken
        for (rows, columns), members in self.groups.items():
            directions = []
            for parameter, momentum in members:
                gradient = parameter.grad
                assert gradient is not None
                momentum.lerp_(MOMENTUM * momentum + gradient, sound)
                directions.append((gradient + MOMENTUM * momentum).flatten(1))
            size = sound * rate * SIZE * max(rows, columns) ** 0.5
            updates = orthogonal(torch.stack(directions)) * size
            for (parameter, _), update in zip(members, updates, strict=True):
                parameter.sub_(update.reshape(parameter.shape))

    def state(self) -> list[Tensor]:
        """The momenta."""
        return [momentum for members in self.groups.values() for _, momentum in members]

    def resume(self, state: Sequence[Tensor]) -> None:
        """Momenta as `state` gave them."""
        for own, saved in zip(self.state(), state, strict=True):
            own.copy_(saved)


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
    update: Tensor = (x.mT if upright else x).to(matrices.dtype)
    return update
