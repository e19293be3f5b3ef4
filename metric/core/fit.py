"""The heads as a convex problem: votes on cached pair vectors, weights not below zero, drawn towards stock.

For a triplet with pair vectors v0, v1, P(a person prefers p1) = σ(w·(v0 − v1) + b·side), where `side` is +1
when p1 was shown on the right and b is the annotators' habit of picking that side. The votes are binomial; a
tie is half a vote for each. In units z_c = w_c · rms(v0_c − v1_c), the penalty is strength/2 · Σ (z_c −
s·z_stock_c)² with a free scale s ≥ 0: strength towards infinity leaves the stock heads with the best slope,
zero leaves maximum likelihood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize, minimize_scalar
from scipy.special import expit
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from metric.core.config import STRENGTHS

Floats = NDArray[np.float64]

PATIENCE = 2
ITERATIONS = 300
FTOL = 1e-6
GTOL = 1e-6


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
class Fold:
    """Held-out mean log-loss, in nats a vote, of one strength, over all folds."""

    strength: float
    log_loss: float
    score: float


@dataclass(frozen=True)
class Fit:
    """Fitted heads. `weights` (D,) keep the stock distance's mean; `slope` turns distances into log-odds.

    P(p1) = σ(slope·(d0 − d1) + side_bias·side). Losses are in nats a vote.
    """

    weights: Floats
    slope: float
    side_bias: float
    strength: float
    folds: tuple[Fold, ...]
    log_loss_train: float
    log_loss_held_out: float
    converged: bool


def ballots(
    v0: NDArray[np.float32],
    v1: NDArray[np.float32],
    *,
    n_p0: NDArray[np.int64],
    n_p1: NDArray[np.int64],
    n_tie: NDArray[np.int64],
    groups: Sequence[str],
    side: Sequence[float] = (0.0,),
) -> Ballots:
    """Check and assemble votes. `v0`, `v1`: (N, D). Counts: (N,) or (N, S) with S = len(side). Raises
    FitError.
    """
    counts = [np.atleast_2d(np.asarray(c, dtype=np.float64).T).T for c in (n_p0, n_p1, n_tie)]
    wanted = (len(v0), len(side))
    if v0.shape != v1.shape or any(c.shape != wanted for c in counts) or len(groups) != len(v0):
        shapes = [c.shape for c in counts]
        raise FitError(f"Shapes disagree: vectors {v0.shape} {v1.shape}, votes {shapes}, sides {len(side)}.")
    total = counts[0] + counts[1] + counts[2]
    if total.sum() == 0:
        raise FitError("There are no votes to fit.")
    difference = v0.astype(np.float64) - v1.astype(np.float64)
    return Ballots(
        difference, counts[1] + counts[2] / 2, total, np.asarray(side, dtype=np.float64), np.asarray(groups)
    )


def fit_heads(
    votes: Ballots,
    stock: Floats,
    mean_vector: Floats,
    *,
    strengths: Sequence[float] = STRENGTHS,
    folds: int = 5,
    seed: int = 0,
) -> Fit:
    """Fit on `votes`, choosing the strength by cross-validation that keeps each photograph in one fold.

    `stock`: (D,) heads to shrink towards. `mean_vector`: (D,) mean of all pair vectors; it sets the scale of
    the result, so that its mean distance is that of the stock heads. Deterministic. Raises FitError when
    there are fewer than two photographs, or nothing to learn.
    """
    if stock.shape != votes.difference.shape[1:] or np.any(stock < 0):
        raise FitError(f"Stock heads must be {votes.difference.shape[1]} numbers not below zero.")
    ordered = sorted(strengths, reverse=True)
    parts = group_folds(votes.groups, folds, seed)
    # These products are too small to share out: on a busy machine threads made the fit ten times slower.
    with threadpool_limits(limits=1):
        problem = _Problem.of(votes, stock)
        table = _cross_validate(problem, ordered, parts)
        best = min(table, key=lambda fold: (fold.log_loss, -fold.strength))
        solution = problem.start(votes.total)
        for strength in ordered[: ordered.index(best.strength) + 1]:
            solution = problem.solve(votes.total, strength, solution)
    return _as_fit(problem, solution, stock, mean_vector, best, table)


def group_folds(groups: NDArray[np.str_], folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of each triplet, (N,): all triplets of a photograph share one, and folds are about equal in size.

    min(folds, photographs) folds. Raises FitError for a single photograph.
    """
    names, index, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise FitError("Cross-validation needs at least two photographs in the train split. Add photographs.")
    count = min(folds, len(names))
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-sizes[order], kind="stable")]
    filled = np.zeros(count)
    fold_of = np.zeros(len(names), dtype=np.int64)
    for name in order:
        fold_of[name] = int(np.argmin(filled))
        filled[fold_of[name]] += sizes[name]
    return fold_of[index]


def log_loss(log_odds: Floats, p1: Floats, total: Floats) -> float:
    """Mean binomial log-loss in nats a vote, where σ(log_odds) is the predicted chance of p1."""
    losses = p1 * np.logaddexp(0, -log_odds) + (total - p1) * np.logaddexp(0, log_odds)
    return float(losses.sum() / total.sum())


def agreement(log_odds: Floats, p1: Floats, total: Floats) -> float:
    """Share of votes that agree with the sign of the log-odds; a zero agrees with half of them."""
    share = np.where(log_odds > 0, p1, np.where(log_odds < 0, total - p1, total / 2))
    return float(share.sum() / total.sum())


@dataclass(frozen=True)
class _Solution:
    """`parameters`: z (D,) in units of the channels' spread, then the stock scale s, then the side bias b."""

    parameters: Floats
    converged: bool = True


@dataclass(frozen=True)
class _Problem:
    """All triplets, standardised once. A fold is the same problem with its own triplets' votes taken out.

    `x`: difference / spread, (N, D), in float32: as exact as the vectors are, and twice as fast. `target`: the
    stock heads in units of spread, at length one, (D,).
    """

    votes: Ballots
    x: NDArray[np.float32]
    spread: Floats
    target: Floats

    @classmethod
    def of(cls, votes: Ballots, stock: Floats) -> _Problem:
        spread = np.sqrt(np.mean(votes.difference**2, axis=0))
        if spread.max() == 0:
            raise FitError("Both reconstructions of every triplet are equally far from their reference.")
        # The floor keeps a channel that hardly ever differs finite; the penalty then keeps it at stock.
        spread = np.maximum(spread, 1e-6 * spread.max())
        target = stock * spread
        length = float(np.linalg.norm(target))
        x = (votes.difference / spread).astype(np.float32)
        return cls(votes, x, spread, target / length if length else target)

    def log_odds(self, solution: _Solution) -> Floats:
        """(N, S)."""
        odds: Floats = self._odds(solution.parameters[:-2]) + solution.parameters[-1] * self.votes.side
        return odds

    def start(self, total: Floats) -> _Solution:
        """The stock heads at their best slope: where a strong penalty ends, and too far for small steps to go."""
        margin = self._odds(self.target) + 0 * self.votes.side
        p1 = self._p1(total)
        widest = max(float(np.abs(margin).max()), 1e-12)
        found = minimize_scalar(
            lambda scale: log_loss(scale * margin, p1, total), bounds=(0.0, 100 / widest), method="bounded"
        )
        return _Solution(np.concatenate([found.x * self.target, [found.x, 0.0]]))

    def solve(self, total: Floats, strength: float, near: _Solution) -> _Solution:
        """The best parameters for the votes counted in `total` (N, S), found from `near`."""
        p1 = self._p1(total)
        free = np.inf if self.votes.side.any() else 0.0
        low = np.concatenate([np.zeros(len(self.target) + 1), [-free]])
        high = np.concatenate([np.full(len(self.target) + 1, np.inf), [free]])

        def loss(parameters: Floats) -> tuple[float, Floats]:
            return self._loss(parameters, p1, total, strength)

        found = minimize(
            loss,
            near.parameters,
            jac=True,
            method="L-BFGS-B",
            bounds=Bounds(low, high),
            options={"maxiter": ITERATIONS, "ftol": FTOL, "gtol": GTOL},
        )
        return _Solution(np.asarray(found.x), bool(found.success))

    def _loss(self, parameters: Floats, p1: Floats, total: Floats, strength: float) -> tuple[float, Floats]:
        z, s, b = parameters[:-2], parameters[-2], parameters[-1]
        odds = self._odds(z) + b * self.votes.side
        away = z - s * self.target
        value = log_loss(odds, p1, total) + strength / 2 * float(away @ away)
        error = (total * expit(odds) - p1) / total.sum()
        by_z = error.sum(axis=1).astype(np.float32) @ self.x + strength * away
        by_s, by_b = -strength * float(away @ self.target), float((error * self.votes.side).sum())
        return value, np.concatenate([by_z, [by_s, by_b]])

    def _odds(self, z: Floats) -> Floats:
        odds: Floats = (self.x @ z.astype(np.float32)).astype(np.float64)[:, None]
        return odds

    def _p1(self, total: Floats) -> Floats:
        return np.where(total > 0, self.votes.p1, 0.0)


def _cross_validate(
    problem: _Problem, strengths: Sequence[float], parts: NDArray[np.int64]
) -> tuple[Fold, ...]:
    """From the strongest penalty down, until PATIENCE held-out losses in a row were above the best."""
    votes = problem.votes
    seen = [np.where((parts == part)[:, None], 0.0, votes.total) for part in range(parts.max() + 1)]
    near = [problem.start(total) for total in seen]
    table: list[Fold] = []
    for strength in strengths:
        odds = np.zeros_like(votes.p1)
        for part, total in enumerate(seen):
            near[part] = problem.solve(total, strength, near[part])
            odds[parts == part] = problem.log_odds(near[part])[parts == part]
        loss = log_loss(odds, votes.p1, votes.total)
        table.append(Fold(strength, loss, agreement(odds, votes.p1, votes.total)))
        best = min(fold.log_loss for fold in table)
        if len(table) > PATIENCE and all(fold.log_loss > best for fold in table[-PATIENCE:]):
            break
    return tuple(table)


def _as_fit(
    problem: _Problem,
    solution: _Solution,
    stock: Floats,
    mean_vector: Floats,
    best: Fold,
    table: tuple[Fold, ...],
) -> Fit:
    weights = solution.parameters[:-2] / problem.spread
    mean = float(mean_vector @ weights)
    if mean <= 0:
        raise FitError(
            "Every weight came out as zero: these judgments agree with no weighting of what the trunk sees. "
            "Collect more judgments, or look at the annotators' agreement first."
        )
    ratio = float(mean_vector @ stock) / mean
    if ratio <= 0:
        raise FitError("The stock heads see no difference in any triplet, so they cannot set the scale.")
    votes = problem.votes
    return Fit(
        weights=weights * ratio,
        slope=1 / ratio,
        side_bias=float(solution.parameters[-1]),
        strength=best.strength,
        folds=table,
        log_loss_train=log_loss(problem.log_odds(solution), votes.p1, votes.total),
        log_loss_held_out=best.log_loss,
        converged=solution.converged,
    )
