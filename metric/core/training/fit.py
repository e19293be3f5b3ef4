"""Weights from votes on cached columns: not below zero, drawn towards stock, as strongly as held-out votes ask.

`metric.core.training.problem` says what is minimised; here its penalty is chosen by cross-validation, and the choice
curve is fitted to the distances of the folds that the weights did not see: on their own votes they look too good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from metric.core.config import STRENGTHS
from metric.core.distance.choice import ChoiceCurve, fit_curve
from metric.core.evaluation.folds import FoldError, group_folds
from metric.core.snapshot.answers import SingleAnswers
from metric.core.training.problem import Design, FitError, Floats, Problem, Solution
from metric.core.training.reliability import fit_reliable
from psychometrics.likelihood import log_loss
from psychometrics.metric_comparison import agreeing

__all__ = ["Design", "Fit", "FitError", "Fold", "agreement", "design", "fit_heads"]

HELD_OUT = "held-out folds of the train split"
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
    """Fitted weights. `weights` (D,) keep the stock distance's mean; `slope` is that of the fit itself.

    `curve`: from distances to chances, fitted on folds that the weights did not see. Losses are in nats a vote.
    `scales`: the multiple of stock that each block was drawn to. `blocks`: which way of blocks was chosen.
    `reliability`: per annotator, empty unless it is fitted.
    """

    weights: Floats
    slope: float
    side_bias: float
    strength: float
    folds: tuple[Fold, ...]
    log_loss_train: float
    log_loss_held_out: float
    converged: bool
    curve: ChoiceCurve
    scales: tuple[float, ...] = ()
    blocks: int = 0
    reliability: tuple[float, ...] = ()


def design(
    v0: NDArray[np.float32],
    v1: NDArray[np.float32],
    *,
    n_p0: NDArray[np.int64],
    n_p1: NDArray[np.int64],
    n_tie: NDArray[np.int64],
    groups: Sequence[str],
    side: Sequence[float] = (0.0,),
) -> Design:
    """Check and assemble votes. `v0`, `v1`: (N, D). Counts: (N,) or (N, S) with S = len(side). Raises
    FitError.
    """
    counts = [np.atleast_2d(np.asarray(c, dtype=np.float64).T).T for c in (n_p0, n_p1, n_tie)]
    expected = (len(v0), len(side))
    if v0.shape != v1.shape or any(c.shape != expected for c in counts) or len(groups) != len(v0):
        shapes = [c.shape for c in counts]
        raise ValueError(
            f"Shapes disagree: vectors {v0.shape} {v1.shape}, votes {shapes}, sides {len(side)}."
        )
    total = counts[0] + counts[1] + counts[2]
    if total.sum() == 0:
        raise FitError("There are no votes to fit.")
    p1, sides = counts[1] + counts[2] / 2, np.asarray(side, dtype=np.float64)
    return Design(v0, v1, p1, total, sides, np.asarray(groups))


def fit_heads(
    votes: Design,
    stock: Floats,
    mean_vector: Floats,
    *,
    blocks: NDArray[np.int64] | None = None,
    scale: Floats | None = None,
    even: NDArray[np.bool_] | None = None,
    strengths: Sequence[float] = STRENGTHS,
    folds: int = 5,
    seed: int = 0,
    lapse: bool = True,
    answers: SingleAnswers | None = None,
) -> Fit:
    """Fit on `votes`, choosing the strength by cross-validation that keeps each photograph in one fold.

    `stock`: (D,) heads to shrink towards. `mean_vector`: (D,) mean of all pair vectors; it sets the scale of
    the result, so that its mean distance is that of the stock heads, or of the heads `scale` (D,). `blocks`:
    (D,), block of each column, or (A, D), ways of blocks that cross-validation chooses from. `even`:
    columns (D,) drawn to equal parts in the distance, whatever their units, in place of `stock`. `lapse`: fit a rate
    of random answers in the choice curve. `answers`: the same votes by annotator; then each one's reliability is
    fitted too. Deterministic. Raises FitError when there are fewer than two photographs, or nothing to learn.
    """
    if stock.shape != votes.v0.shape[1:] or np.any(stock < 0):
        raise ValueError(f"Stock heads must be {votes.v0.shape[1]} numbers not below zero.")
    ways = np.atleast_2d(np.zeros(len(stock), dtype=np.int64) if blocks is None else blocks)
    ordered = sorted(strengths, reverse=True)
    parts = _folds(votes, folds, seed)
    # These products are too small to share out: on a busy machine threads made the fit ten times slower.
    with _thread_pools().limit(limits=1):
        problems = [Problem.of(votes, stock, way, even) for way in ways]
        tried = [
            one
            for number, problem in enumerate(problems)
            for one in _cross_validate(problem, number, ordered, parts)
        ]
        best = min(tried, key=lambda one: (one.fold.log_loss, -one.fold.strength))
        problem = problems[best.fold.blocks]
        solution = _solved(problem, votes, ordered[: ordered.index(best.fold.strength) + 1])
        curve = _curve(problem, best.solutions, parts, lapse)
        reliability: Floats = np.empty(0)
        if answers is not None:
            plain = solution
            solution, reliability = fit_reliable(problem, answers, best.fold.strength, solution)
            # Trusting people makes the weights steeper; the curve is that of everybody's answers.
            curve = _rescaled(curve, _spread(problem, solution) / _spread(problem, plain))
    table = tuple(one.fold for one in tried)
    fit = _as_fit(problem, solution, stock if scale is None else scale, mean_vector, best.fold, table, curve)
    return replace(fit, reliability=tuple(float(share) for share in reliability))


@cache
def _thread_pools() -> ThreadpoolController:
    """The libraries with threads: to look for them takes as long as a small fit, and a curve has 30 of those."""
    return ThreadpoolController()


def _folds(votes: Design, folds: int, seed: int) -> NDArray[np.int64]:
    try:
        return group_folds(votes.groups, folds, seed)
    except FoldError as error:
        raise FitError(str(error)) from error


def _solved(problem: Problem, votes: Design, strengths: Sequence[float]) -> Solution:
    """At the last of the strengths, from the solution at the one before."""
    solution = problem.start(votes.p1, votes.total)
    for strength in strengths:
        solution = problem.solve(votes.p1, votes.total, strength, solution)
    return solution


def agreement(log_odds: Floats, p1: Floats, total: Floats) -> float:
    """Share of votes that agree with the sign of the log-odds; a zero agrees with half of them."""
    return float(agreeing(log_odds, p1, total).sum() / total.sum())


@dataclass(frozen=True)
class _Tried:
    """A strength, and the solution of each fold without the fold's own votes."""

    fold: Fold
    solutions: tuple[Solution, ...]


def _cross_validate(
    problem: Problem, number: int, strengths: Sequence[float], parts: NDArray[np.int64]
) -> list[_Tried]:
    """From the strongest penalty down, until PATIENCE held-out losses in a row were above the best."""
    votes = problem.votes
    seen = []
    for part in range(parts.max() + 1):
        held = (parts == part)[:, None]
        seen.append((np.where(held, 0.0, votes.p1), np.where(held, 0.0, votes.total)))
    near = [problem.start(*counts) for counts in seen]
    tried: list[_Tried] = []
    for strength in strengths:
        odds = np.zeros_like(votes.p1)
        for part, counts in enumerate(seen):
            near[part] = problem.solve(*counts, strength, near[part])
            odds[parts == part] = problem.log_odds(near[part])[parts == part]
        loss = log_loss(odds, votes.p1, votes.total)
        fold = Fold(strength, loss, agreement(odds, votes.p1, votes.total), number)
        tried.append(_Tried(fold, tuple(near)))
        best = min(one.fold.log_loss for one in tried)
        if len(tried) > PATIENCE and all(one.fold.log_loss > best for one in tried[-PATIENCE:]):
            break
    return tried


def _curve(
    problem: Problem, solutions: Sequence[Solution], parts: NDArray[np.int64], lapse: bool
) -> ChoiceCurve:
    """The choice curve of distances in log-odds, each by the fold that did not see its source."""
    votes = problem.votes
    distances, offset = np.empty((len(parts), 2)), np.empty_like(votes.total)
    for part, solution in enumerate(solutions):
        held = parts == part
        distances[held] = votes.distances(problem.weights(solution))[held]
        offset[held] = solution.side_bias * votes.side
    sides = len(votes.side)
    return fit_curve(
        np.repeat(distances, sides, axis=0), votes.p1.ravel(), votes.total.ravel(),
        offset=offset.ravel(), lapse=lapse, calibrated_on=HELD_OUT,
    )  # fmt: skip


def _rescaled(curve: ChoiceCurve, unit: float) -> ChoiceCurve:
    """The same curve of distances that are `unit` times as large."""
    bend = None if curve.bend is None else curve.bend * unit
    return replace(curve, slope=curve.slope / unit, bend=bend)


def _spread(problem: Problem, solution: Solution) -> float:
    return float(np.sqrt(np.mean(np.diff(problem.votes.distances(problem.weights(solution)), axis=1) ** 2)))


def _as_fit(
    problem: Problem,
    solution: Solution,
    stock: Floats,
    mean_vector: Floats,
    best: Fold,
    table: tuple[Fold, ...],
    curve: ChoiceCurve,
) -> Fit:
    weights = problem.weights(solution)
    mean = float(mean_vector @ weights)
    if mean <= 0:
        raise FitError(
            "Every weight came out as zero: these judgments agree with no weighting of the metric's features. Collect "
            "more judgments, and check the annotators' agreement and that the answers name the closer picture."
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
        curve=_rescaled(curve, ratio),
        scales=tuple(float(scale) for scale in solution.scales),
        blocks=best.blocks,
    )
