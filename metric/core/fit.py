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
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from metric.core.config import STRENGTHS

Floats = NDArray[np.float64]

PATIENCE = 2
ITERATIONS = 300
FTOL = 1e-8
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

    def at(self, rows: NDArray[np.bool_]) -> Ballots:
        """The same for some of the triplets."""
        return Ballots(self.difference[rows], self.p1[rows], self.total[rows], self.side, self.groups[rows])


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
        table = _cross_validate(votes, stock, ordered, parts)
        best = min(table, key=lambda fold: (fold.log_loss, -fold.strength))
        solution = _solve(votes, stock, ordered[0], None)
        for strength in ordered[1 : ordered.index(best.strength) + 1]:
            solution = _solve(votes, stock, strength, solution)
    return _as_fit(solution, votes, stock, mean_vector, best, table)


def group_folds(groups: NDArray[np.str_], folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of each triplet; all triplets of a photograph share it. min(folds, photographs) folds, even in
    size.
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
    """`z` (D,) in units of `spread` (D,); `stock_scale` is s, `side_bias` is b."""

    z: Floats
    spread: Floats
    stock_scale: float
    side_bias: float
    converged: bool

    @property
    def weights(self) -> Floats:
        return np.asarray(self.z / self.spread)

    def log_odds(self, votes: Ballots) -> Floats:
        return np.asarray((votes.difference @ self.weights)[:, None] + self.side_bias * votes.side)

    def parameters_for(self, spread: Floats) -> Floats:
        """Where to start on other triplets or with another strength."""
        return np.concatenate([self.weights * spread, [self.stock_scale, self.side_bias]])


def _solve(votes: Ballots, stock: Floats, strength: float, near: _Solution | None) -> _Solution:
    spread = np.sqrt(np.mean(votes.difference**2, axis=0))
    if spread.max() == 0:
        raise FitError("Both reconstructions of every triplet are equally far from their reference.")
    # The floor keeps a channel that hardly ever differs finite; the penalty then keeps it at stock.
    spread = np.maximum(spread, 1e-6 * spread.max())
    x = votes.difference / spread
    target = stock * spread
    if target.any():
        stock = stock / np.linalg.norm(target)
        target = target / np.linalg.norm(target)
    total = votes.total.sum()

    def loss(parameters: Floats) -> tuple[float, Floats]:
        z, s, b = parameters[:-2], parameters[-2], parameters[-1]
        odds = (x @ z)[:, None] + b * votes.side
        away = z - s * target
        value = log_loss(odds, votes.p1, votes.total) + strength / 2 * float(away @ away)
        error = (votes.total * expit(odds) - votes.p1) / total
        by_z = x.T @ error.sum(axis=1) + strength * away
        return value, np.concatenate(
            [by_z, [-strength * float(away @ target), float((error * votes.side).sum())]]
        )

    free = (None, None) if votes.side.any() else (0.0, 0.0)
    if near:
        first = near.parameters_for(spread)
    else:
        scale = _scale_of(x @ target, votes)
        first = np.concatenate([scale * target, [scale, 0.0]])
    found = minimize(
        loss,
        first,
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * (len(target) + 1) + [free],
        options={"maxiter": ITERATIONS, "ftol": FTOL, "gtol": GTOL},
    )
    best = np.asarray(found.x)
    return _Solution(best[:-2], spread, float(best[-2]), float(best[-1]), bool(found.success))


def _scale_of(margin: Floats, votes: Ballots) -> float:
    """The best slope of the stock heads: where a strong penalty ends, and too far for small steps to go."""
    found = minimize_scalar(
        lambda scale: log_loss(scale * margin[:, None] + 0 * votes.side, votes.p1, votes.total),
        bounds=(0.0, 100.0 / max(float(np.abs(margin).max()), 1e-12)),
        method="bounded",
    )
    return float(found.x)


def _cross_validate(
    votes: Ballots, stock: Floats, strengths: Sequence[float], parts: NDArray[np.int64]
) -> tuple[Fold, ...]:
    """From the strongest penalty down, until the held-out loss has been above its best PATIENCE times in a
    row.
    """
    near: dict[int, _Solution] = {}
    table: list[Fold] = []
    for strength in strengths:
        odds = np.zeros_like(votes.p1)
        for part in range(parts.max() + 1):
            near[part] = _solve(votes.at(parts != part), stock, strength, near.get(part))
            odds[parts == part] = near[part].log_odds(votes.at(parts == part))
        loss = log_loss(odds, votes.p1, votes.total)
        table.append(Fold(strength, loss, agreement(odds, votes.p1, votes.total)))
        best = min(fold.log_loss for fold in table)
        if len(table) > PATIENCE and all(fold.log_loss > best for fold in table[-PATIENCE:]):
            break
    return tuple(table)


def _as_fit(
    solution: _Solution,
    votes: Ballots,
    stock: Floats,
    mean_vector: Floats,
    best: Fold,
    table: tuple[Fold, ...],
) -> Fit:
    mean = float(mean_vector @ solution.weights)
    if mean <= 0:
        raise FitError(
            "Every weight came out as zero: these judgments agree with no weighting of what the trunk sees. "
            "Collect more judgments, or look at the annotators' agreement first."
        )
    ratio = float(mean_vector @ stock) / mean
    if ratio <= 0:
        raise FitError("The stock heads see no difference in any triplet, so they cannot set the scale.")
    return Fit(
        weights=solution.weights * ratio,
        slope=1 / ratio,
        side_bias=solution.side_bias,
        strength=best.strength,
        folds=table,
        log_loss_train=log_loss(solution.log_odds(votes), votes.p1, votes.total),
        log_loss_held_out=best.log_loss,
        converged=solution.converged,
    )
