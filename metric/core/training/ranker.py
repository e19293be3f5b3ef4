"""The way of the original: heads trained through a small network that turns two distances into a preference.

Zhang et al., arXiv 1801.03924, section 4: d0, d1, d0 − d1, d0/(d1 + ε) and d1/(d0 + ε) through two layers of 32
and a sigmoid, binary cross-entropy against the share of votes, Adam, half of the epochs at 1e-4 and half
falling to zero, batches of 50, heads clamped at zero. Here it runs on cached vectors, from the stock heads and
without dropout, which needs the feature maps. It is there for comparison: kind "heads" is the one to use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from metric.core.distance.choice import ChoiceCurve, fit_curve
from metric.core.training.problem import Design, Floats
from psychometrics.likelihood import log_loss

BATCH = 50
LEARNING_RATE = 1e-4
BETAS = (0.5, 0.999)
WIDTH = 32
EPSILON = 0.1


@dataclass(frozen=True)
class Ranked:
    """Heads (D,), their choice curve, which is not calibrated, mean loss of each epoch, and log-loss on
    train."""

    weights: Floats
    curve: ChoiceCurve
    losses: tuple[float, ...]
    log_loss_train: float


class Ranker(nn.Module):
    """5→32→32→1: the chance that p1 is preferred, from the distances of p0 and p1, all (N, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(5, WIDTH),
            nn.LeakyReLU(0.2),
            nn.Linear(WIDTH, WIDTH),
            nn.LeakyReLU(0.2),
            nn.Linear(WIDTH, 1),
            nn.Sigmoid(),
        )

    def forward(self, d0: Tensor, d1: Tensor) -> Tensor:
        seen = (d0, d1, d0 - d1, d0 / (d1 + EPSILON), d1 / (d0 + EPSILON))
        return self.layers(torch.cat(seen, dim=1))  # type: ignore[no-any-return]


def fit_ranker(
    votes: Design,
    vectors: NDArray[np.float32],
    stock: Floats,
    *,
    epochs: int = 10,
    seed: int = 0,
    count: Callable[[int, int], None] | None = None,
) -> Ranked:
    """Train on `vectors` (2, N, D) of p0 and p1, whose votes are `votes`, from `stock` (D,). Deterministic."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        ranker = Ranker()
    weights = nn.Parameter(torch.from_numpy(stock.astype(np.float32)))
    optimizer = torch.optim.Adam([*ranker.parameters(), weights], lr=LEARNING_RATE, betas=BETAS)
    p1, total = votes.p1.sum(axis=1), votes.total.sum(axis=1)
    shares = torch.from_numpy((p1 / total).astype(np.float32))[:, None]
    v0, v1 = (torch.from_numpy(part) for part in vectors)
    losses = []
    for epoch in range(epochs):
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * min(1.0, (epochs - epoch) / (epochs - epochs // 2 + 1))
        order = torch.from_numpy(np.random.default_rng([seed, epoch]).permutation(len(shares)))
        losses.append(_epoch(ranker, weights, optimizer, (v0, v1, shares), order))
        if count:
            count(epoch + 1, epochs)
    fitted = weights.detach().numpy().astype(np.float64)
    # On the votes of the fit: nothing was held out.
    curve = fit_curve(votes.distances(fitted), p1, total)
    odds = curve.log_odds(votes.distances(fitted))
    return Ranked(fitted, curve, tuple(losses), log_loss(odds, p1, total))


def _epoch(
    ranker: Ranker,
    weights: nn.Parameter,
    optimizer: torch.optim.Optimizer,
    examples: tuple[Tensor, Tensor, Tensor],
    order: Tensor,
) -> float:
    losses = []
    for chosen in torch.split(order, BATCH):
        v0, v1, shares = (part[chosen] for part in examples)
        chance = ranker((v0 @ weights)[:, None], (v1 @ weights)[:, None])
        loss = nn.functional.binary_cross_entropy(chance, shares)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        with torch.no_grad():
            weights.clamp_(min=0)
        losses.append(float(loss.detach()))
    return float(np.mean(losses))
