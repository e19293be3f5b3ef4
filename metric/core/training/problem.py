"""One fit of weights to votes, for a given penalty: the convex part of `metric.core.training.fit`.

For a triplet with columns v0, v1, P(a person prefers p1) = λ/2 + (1 − λ)·σ(w·(v0 − v1) + b·side), where `side`
is +1 when p1 was shown on the right, b the annotators' habit of picking that side, and λ their rate of random
answers (zero unless asked for; with it the problem is no longer convex, but smooth). The votes are binomial.
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
from scipy.special import expit, logit

from psychometrics.likelihood import log_loss

Floats = NDArray[np.float64]

ITERATIONS = 300
TOLERANCE = 1e-6
# A lapse rate changes the loss so little that at the other tolerance it would stay where it started.
ITERATIONS_WITH_LAPSE = 2000
TOLERANCE_WITH_LAPSE = 1e-9
# An unbounded scale of a block that separates the votes perfectly would run away.
WIDEST_LOG_ODDS = 100.0
LAPSE_START = 0.02
LAPSE_BOUNDS = (1e-4, 0.5)


class FitError(ValueError):
    """The votes cannot be fitted; the message says why."""


@dataclass(frozen=True)
class Ballots:
    """Votes on N triplets, split by S ways of showing them.

    `difference`: v0 − v1, (N, D). `p1`: votes for p1 with half of the ties, (N, S). `total`: all votes, (N,
    S). `side`: (S,), +1 where p1 was on the right, −1 where it was on the left, 0 where sides are not known.
    `groups`: photograph of each triplet, (N,).
    """

    difference: Floats
    p1: Floats
    total: Floats
    side: Floats
    groups: NDArray[np.str_]


@dataclass(frozen=True)
class Solution:
    """`z` (D,) in units of the columns' spread, `scales` (G,) of the blocks, side bias and lapse rate."""

    z: Floats
    scales: Floats
    side_bias: float = 0.0
    lapse: float = 0.0
    converged: bool = True


@dataclass(frozen=True)
class Problem:
    """All triplets, standardised once. A fold is the same problem with its own triplets' votes taken out.

    `x`: difference / spread, (N, D), in float32: as exact as the vectors are, and twice as fast. `target`: the
    stock heads in units of spread, (D,), at length one in each block. `block`: (D,), numbers from 0 to G − 1.
    """

    votes: Ballots
    x: NDArray[np.float32]
    spread: Floats
    target: Floats
    block: NDArray[np.int64]
    lapse: bool = False

    @classmethod
    def of(
        cls, votes: Ballots, stock: Floats, block: NDArray[np.int64] | None = None, lapse: bool = False
    ) -> Problem:
        """Raises FitError when no column differs in any triplet."""
        block = np.zeros(len(stock), dtype=np.int64) if block is None else np.asarray(block, dtype=np.int64)
        spread = np.sqrt(np.mean(votes.difference**2, axis=0))
        if spread.max() == 0:
            raise FitError("Both reconstructions of every triplet are equally far from their reference.")
        # The floor keeps a channel that hardly ever differs finite; the penalty then keeps it at stock.
        for number in range(block.max() + 1):
            own = block == number
            spread[own] = np.maximum(spread[own], 1e-6 * (spread[own].max() or 1.0))
        target = stock * spread
        lengths = np.sqrt(np.bincount(block, target**2))
        target = target / np.where(lengths > 0, lengths, 1.0)[block]
        return cls(votes, (votes.difference / spread).astype(np.float32), spread, target, block, lapse)

    def log_odds(self, solution: Solution) -> Floats:
        """Log-odds of p1 for each triplet and side, lapses included, (N, S)."""
        odds = self._odds(solution.z) + solution.side_bias * self.votes.side
        if solution.lapse == 0:
            return odds
        return np.asarray(logit(solution.lapse / 2 + (1 - solution.lapse) * expit(odds)))

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
        found = _minimise(loss, np.zeros(count), np.zeros(count), np.full(count, WIDEST_LOG_ODDS))
        scales = found[0] / widest
        return Solution(scales[self.block] * self.target, scales, lapse=LAPSE_START if self.lapse else 0.0)

    def solve(self, p1: Floats, total: Floats, strength: float, near: Solution) -> Solution:
        """The best parameters for these votes, both (N, S), found from `near`."""
        free = np.inf if self.votes.side.any() else 0.0
        count = len(near.z) + len(near.scales)
        lapses = LAPSE_BOUNDS if self.lapse else (0.0, 0.0)
        low = np.concatenate([np.zeros(count), [-free, lapses[0]]])
        high = np.concatenate([np.full(count, np.inf), [free, lapses[1]]])
        first = np.concatenate([near.z, near.scales, [near.side_bias, near.lapse]])
        found, converged = _minimise(
            lambda p: self._loss(p, p1, total, strength), first, low, high, exact=self.lapse
        )
        z, scales = found[: len(near.z)], found[len(near.z) : -2]
        return Solution(z, scales, float(found[-2]), float(found[-1]), converged)

    def _loss(self, parameters: Floats, p1: Floats, total: Floats, strength: float) -> tuple[float, Floats]:
        columns = len(self.target)
        z, scales, (b, lapse) = parameters[:columns], parameters[columns:-2], parameters[-2:]
        odds = self._odds(z) + b * self.votes.side
        away = z - scales[self.block] * self.target
        value, by_odds, by_lapse = _likelihood(odds, p1, total, lapse)
        by_z = by_odds.sum(axis=1).astype(np.float32) @ self.x + strength * away
        by_scales = -strength * np.bincount(self.block, away * self.target, len(scales))
        by_b = float((by_odds * self.votes.side).sum())
        return value + strength / 2 * float(away @ away), np.concatenate([by_z, by_scales, [by_b, by_lapse]])

    def _odds(self, z: Floats) -> Floats:
        odds: Floats = (self.x @ z.astype(np.float32)).astype(np.float64)[:, None]
        return odds

    def _margins(self) -> Floats:
        """What each block says at the stock heads, (N, G)."""
        blocks = self.block[:, None] == np.arange(self.block.max() + 1)
        margins: Floats = (self.x @ (blocks * self.target[:, None]).astype(np.float32)).astype(np.float64)
        return margins


def _likelihood(odds: Floats, p1: Floats, total: Floats, lapse: float) -> tuple[float, Floats, float]:
    """Log-loss, and its derivatives by the log-odds (N, S) and by the lapse rate."""
    if lapse == 0:
        return log_loss(odds, p1, total), (total * expit(odds) - p1) / total.sum(), 0.0
    sigma = expit(odds)
    chance, other = lapse / 2 + (1 - lapse) * sigma, lapse / 2 + (1 - lapse) * expit(-odds)
    losses = p1 * np.log(chance) + (total - p1) * np.log(other)
    by_chance = ((total - p1) / other - p1 / chance) / total.sum()
    by_odds = by_chance * (1 - lapse) * sigma * expit(-odds)
    return float(-losses.sum() / total.sum()), by_odds, float((by_chance * (0.5 - sigma)).sum())


def _minimise(
    loss: Callable[[Floats], tuple[float, Floats]],
    first: Floats,
    low: Floats,
    high: Floats,
    *,
    exact: bool = False,
) -> tuple[Floats, bool]:
    tolerance = TOLERANCE_WITH_LAPSE if exact else TOLERANCE
    found = minimize(
        loss,
        first,
        jac=True,
        method="L-BFGS-B",
        bounds=Bounds(low, high),
        options={
            "maxiter": ITERATIONS_WITH_LAPSE if exact else ITERATIONS,
            "ftol": tolerance,
            "gtol": tolerance,
        },
    )
    return np.asarray(found.x), bool(found.success)
