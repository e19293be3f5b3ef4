"""Weights from votes on cached columns: not below zero, drawn towards stock, as strongly as held-out votes ask.

`metric.core.training.problem` says what is minimised; here its penalty is chosen by cross-validation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from metric.core.config import STRENGTHS
from metric.core.snapshot.answers import Answers
from metric.core.training.problem import Ballots, FitError, Floats, Problem, Solution
from metric.core.training.reliability import fit_reliable
from psychometrics.likelihood import log_loss

__all__ = [
    "Ballots",
    "Fit",
    "FitError",
    "Fold",
    "agreement",
    "ballots",
    "fit_heads",
    "group_folds",
]

PATIENCE = 2


@dataclass(frozen=True)
class Fold:
    """Held-out mean log-loss, in nats a vote, of one strength and one way of blocks, over all folds."""

    strength: float
    log_loss: float
    score: float
    blocks: int = 0


@dataclass(frozen=True)
class Fit:
    """Fitted weights. `weights` (D,) keep the stock distance's mean; `slope` turns distances into log-odds.

    P(p1) = lapse/2 + (1 − lapse)·σ(slope·(d0 − d1) + side_bias·side). Losses are in nats a vote. `scales`: the
    multiple of stock that each block was drawn to. `blocks`: which way of blocks was chosen. `reliability`: per
    annotator, empty unless asked for.
    """

    weights: Floats
    slope: float
    side_bias: float
    strength: float
    folds: tuple[Fold, ...]
    log_loss_train: float
    log_loss_held_out: float
    converged: bool
    lapse: float = 0.0
    scales: tuple[float, ...] = ()
    blocks: int = 0
    reliability: tuple[float, ...] = ()


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
    blocks: NDArray[np.int64] | None = None,
    scale: Floats | None = None,
    strengths: Sequence[float] = STRENGTHS,
    folds: int = 5,
    seed: int = 0,
    lapse: bool = False,
    answers: Answers | None = None,
) -> Fit:
    """Fit on `votes`, choosing the strength by cross-validation that keeps each photograph in one fold.

    `stock`: (D,) heads to shrink towards. `mean_vector`: (D,) mean of all pair vectors; it sets the scale of
    the result, so that its mean distance is that of the stock heads, or of the heads `scale` (D,). `blocks`:
    (D,), block of each column, or (A, D), ways of blocks that cross-validation chooses from. `lapse`: fit a rate
    of random answers too. `answers`: the same votes by annotator; then each one's reliability is fitted too.
    Deterministic. Raises FitError when there are fewer than two photographs, or nothing to learn.
    """
    if stock.shape != votes.difference.shape[1:] or np.any(stock < 0):
        raise FitError(f"Stock heads must be {votes.difference.shape[1]} numbers not below zero.")
    ways = np.atleast_2d(np.zeros(len(stock), dtype=np.int64) if blocks is None else blocks)
    ordered = sorted(strengths, reverse=True)
    parts = group_folds(votes.groups, folds, seed)
    # These products are too small to share out: on a busy machine threads made the fit ten times slower.
    with threadpool_limits(limits=1):
        problems = [Problem.of(votes, stock, way, lapse) for way in ways]
        table = [
            fold
            for number, problem in enumerate(problems)
            for fold in _cross_validate(problem, number, ordered, parts)
        ]
        best = min(table, key=lambda fold: (fold.log_loss, -fold.strength))
        problem = problems[best.blocks]
        solution = problem.start(votes.p1, votes.total)
        for strength in ordered[: ordered.index(best.strength) + 1]:
            solution = problem.solve(votes.p1, votes.total, strength, solution)
        reliability: Floats = np.empty(0)
        if answers is not None:
            solution, reliability = fit_reliable(problem, answers, best.strength, solution)
    fit = _as_fit(problem, solution, stock if scale is None else scale, mean_vector, best, tuple(table))
    return replace(fit, reliability=tuple(float(share) for share in reliability))


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


def agreement(log_odds: Floats, p1: Floats, total: Floats) -> float:
    """Share of votes that agree with the sign of the log-odds; a zero agrees with half of them."""
    share = np.where(log_odds > 0, p1, np.where(log_odds < 0, total - p1, total / 2))
    return float(share.sum() / total.sum())


def _cross_validate(
    problem: Problem, number: int, strengths: Sequence[float], parts: NDArray[np.int64]
) -> tuple[Fold, ...]:
    """From the strongest penalty down, until PATIENCE held-out losses in a row were above the best."""
    votes = problem.votes
    seen = []
    for part in range(parts.max() + 1):
        held = (parts == part)[:, None]
        seen.append((np.where(held, 0.0, votes.p1), np.where(held, 0.0, votes.total)))
    near = [problem.start(*counts) for counts in seen]
    table: list[Fold] = []
    for strength in strengths:
        odds = np.zeros_like(votes.p1)
        for part, counts in enumerate(seen):
            near[part] = problem.solve(*counts, strength, near[part])
            odds[parts == part] = problem.log_odds(near[part])[parts == part]
        loss = log_loss(odds, votes.p1, votes.total)
        table.append(Fold(strength, loss, agreement(odds, votes.p1, votes.total), number))
        best = min(fold.log_loss for fold in table)
        if len(table) > PATIENCE and all(fold.log_loss > best for fold in table[-PATIENCE:]):
            break
    return tuple(table)


def _as_fit(
    problem: Problem,
    solution: Solution,
    stock: Floats,
    mean_vector: Floats,
    best: Fold,
    table: tuple[Fold, ...],
) -> Fit:
    weights = solution.z / problem.spread
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
        side_bias=solution.side_bias,
        strength=best.strength,
        folds=table,
        log_loss_train=log_loss(problem.log_odds(solution), votes.p1, votes.total),
        log_loss_held_out=best.log_loss,
        converged=solution.converged,
        lapse=solution.lapse,
        scales=tuple(float(scale) for scale in solution.scales),
        blocks=best.blocks,
    )
