"""One fit of weights to votes, for a given penalty: the convex part of `metric.core.training.fit`.

For a triplet with columns v0, v1, P(a person prefers p1) = σ(w·(v0 − v1) + b·side), where `side` is +1 when p1 was
shown on the right and b the annotators' habit of picking that side. The votes are binomial. The rate of random answers
is no part of it, so that it stays convex: `distance.choice` fits it on folds that these weights did not see.
In units z_c = w_c · rms(v0_c − v1_c), the penalty is strength/2 · Σ (z_c − s_g·t_c)² with t the stock heads
and a free scale s_g ≥ 0 for each block g of columns: strength towards infinity leaves the stock heads of each
block at the best multiple, zero leaves maximum likelihood. A block of one column is not penalised at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize
from scipy.special import expit

from metric.core.errors import InputError
from psychometrics.likelihood import log_loss

Floats = NDArray[np.float64]

ITERATIONS = 300
TOLERANCE = 1e-6
# An unbounded scale of a block that separates the votes perfectly would run away.
WIDEST_LOG_ODDS = 100.0


class FitError(InputError):
    """The votes cannot be fitted; the message says why."""


@dataclass(frozen=True)
class Design:
    """The columns of N triplets and their votes, split by S ways of showing them.

    `v0`, `v1`: columns of p0 and p1, (N, D). `p1`: votes for p1 with half of the ties, (N, S). `total`: all votes, (N,
    S). `side`: (S,), +1 where p1 was on the right, −1 where it was on the left, 0 where sides are not known.
    `groups`: source of each triplet, (N,).
    """

    v0: NDArray[np.float32]
    v1: NDArray[np.float32]
    p1: Floats
    total: Floats
    side: Floats
    groups: NDArray[np.str_]

    @property
    def difference(self) -> Floats:
        """v0 − v1, (N, D)."""
        return self.v0.astype(np.float64) - self.v1.astype(np.float64)

    def distances(self, weights: Floats) -> Floats:
        """Distances (N, 2) to p0 and p1 by weights (D,)."""
        return np.stack([v.astype(np.float64) @ weights for v in (self.v0, self.v1)], axis=1)


@dataclass(frozen=True)
class Solution:
    """`z` (D,) in units of the columns' spread, `scales` (G,) of the blocks, and the side bias."""

    z: Floats
    scales: Floats
    side_bias: float = 0.0
    converged: bool = True


@dataclass(frozen=True)
class Problem:
    """All triplets, standardised once. A fold is the same problem with its own triplets' votes taken out.

    `x`: difference / spread, (N, D), in float32: as exact as the vectors are, and twice as fast. `target`: the
    stock heads in units of spread, (D,), at length one in each block. `block`: (D,), numbers from 0 to G − 1.
    """

    votes: Design
    x: NDArray[np.float32]
    spread: Floats
    target: Floats
    block: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        votes: Design,
        stock: Floats,
        block: NDArray[np.int64] | None = None,
        even: NDArray[np.bool_] | None = None,
    ) -> Problem:
        """`even`: columns (D,) drawn to equal parts in the distance, whatever their units, in place of `stock`.

        Raises FitError when no column differs in any triplet.
        """
        block = np.zeros(len(stock), dtype=np.int64) if block is None else np.asarray(block, dtype=np.int64)
        difference = votes.difference
        spread = np.sqrt(np.mean(difference**2, axis=0))
        if spread.max() == 0:
            raise FitError("Both reconstructions of every triplet are equally far from their reference.")
        # The floor keeps a channel that hardly ever differs finite; the penalty then keeps it at stock.
        for number in range(block.max() + 1):
            own = block == number
            spread[own] = np.maximum(spread[own], 1e-6 * (spread[own].max() or 1.0))
        target = stock * spread if even is None else np.where(even, 1.0, stock * spread)
        lengths = np.sqrt(np.bincount(block, target**2))
        target = target / np.where(lengths > 0, lengths, 1.0)[block]
        return cls(votes, (difference / spread).astype(np.float32), spread, target, block)

    def log_odds(self, solution: Solution) -> Floats:
        """Log-odds of p1 for each triplet and side, (N, S)."""
        return self._odds(solution.z) + solution.side_bias * self.votes.side

    def weights(self, solution: Solution) -> Floats:
        """The weights (D,) of the columns themselves, in log-odds."""
        return solution.z / self.spread

    def start(self, p1: Floats, total: Floats) -> Solution:
        """The stock heads at their best multiples: where a strong penalty ends, and too far for small steps to go."""
        margins = self._margins()
        widest = np.maximum(np.abs(margins).max(axis=0), 1e-12)
        share = total.sum(axis=1)

        def loss(scales: Floats) -> tuple[float, Floats]:
            odds = (margins / widest) @ scales
            error = (share * expit(odds) - p1.sum(axis=1)) / share.sum()
            return log_loss(odds, p1.sum(axis=1), share), error @ (margins / widest)

        count = len(widest)
        fitted = _minimise(loss, np.zeros(count), np.zeros(count), np.full(count, WIDEST_LOG_ODDS))
        scales = fitted[0] / widest
        return Solution(scales[self.block] * self.target, scales)

    def solve(self, p1: Floats, total: Floats, strength: float, near: Solution) -> Solution:
        """The best parameters for these votes, both (N, S), found from `near`."""
        free = np.inf if self.votes.side.any() else 0.0
        count = len(near.z) + len(near.scales)
        low, high = np.append(np.zeros(count), -free), np.append(np.full(count, np.inf), free)
        first = np.concatenate([near.z, near.scales, [near.side_bias]])
        fitted, converged = _minimise(lambda p: self._loss(p, p1, total, strength), first, low, high)
        return Solution(fitted[: len(near.z)], fitted[len(near.z) : -1], float(fitted[-1]), converged)

    def _loss(self, parameters: Floats, p1: Floats, total: Floats, strength: float) -> tuple[float, Floats]:
        columns = len(self.target)
        z, scales, b = parameters[:columns], parameters[columns:-1], parameters[-1]
        odds, count = self._odds(z) + b * self.votes.side, float(total.sum())
        error = (total * expit(odds) - p1) / count
        away = z - scales[self.block] * self.target
        by_z = (error.sum(axis=1).astype(np.float32) @ self.x).astype(np.float64) + strength * away
        by_scales = -strength * np.bincount(self.block, away * self.target)
        # `log_loss`, with one logarithm in the place of two.
        loss = float((total * np.logaddexp(0, odds) - p1 * odds).sum()) / count
        value = loss + strength / 2 * float(away @ away)
        return value, np.concatenate([by_z, by_scales, [float((error * self.votes.side).sum())]])

    def _odds(self, z: Floats) -> Floats:
        odds: Floats = (self.x @ z.astype(np.float32)).astype(np.float64)[:, None]
        return odds

    def _margins(self) -> Floats:
        """What each block says at the stock heads, (N, G)."""
        blocks = self.block[:, None] == np.arange(self.block.max() + 1)
        margins: Floats = (self.x @ (blocks * self.target[:, None]).astype(np.float32)).astype(np.float64)
        return margins


def _minimise(
    loss: Callable[[Floats], tuple[float, Floats]],
    first: Floats,
    low: Floats,
    high: Floats,
) -> tuple[Floats, bool]:
    minimum = minimize(
        loss,
        first,
        jac=True,
        method="L-BFGS-B",
        bounds=Bounds(low, high),
        options={"maxiter": ITERATIONS, "ftol": TOLERANCE, "gtol": TOLERANCE},
    )
    return np.asarray(minimum.x), bool(minimum.success)
