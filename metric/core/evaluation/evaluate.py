"""The table of a run: who agrees with people how often, and how true the stated chances are.

The score is the published one: the share of votes that agree with the smaller distance, ties one half. Intervals and
paired differences are ratios with a t interval over sources and, where it is known who answered, annotators
(`psychometrics.estimates.ratio`): both are few, and answers about one source or by one person are not independent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from metric.core.distance.choice import fit_curve
from metric.core.evaluation.answered import Answered
from metric.core.evaluation.diagnostics import (
    calibration_curve,
    calibration_error,
    calibration_interval,
    disagreements,
    vote_groups,
)
from metric.core.evaluation.folds import FoldError, cross_fitted
from metric.core.evaluation.votes import (
    Candidate,
    Kind,
    SingleAnswers,
    Votes,
    agreeing_votes,
    two_afc_score,
    votes_of,
)
from psychometrics.agreement import ceiling, human_score
from psychometrics.comparisons import Floats
from psychometrics.estimates import Estimate

__all__ = [
    "Candidate",
    "Kind",
    "Votes",
    "agreeing_votes",
    "calibration_error",
    "evaluate",
    "paired_difference",
    "two_afc_score",
    "votes_of",
]

SHARES = ("score", "low", "high")
FEW_PHOTOGRAPHS = "fewer than two photographs: no interval"
OTHER_SOURCES = "other sources of the same votes"
PSNR = "psnr"
RIVALS = ("promoted", "stock", PSNR)


def evaluate(
    votes: Votes,
    candidates: Sequence[Candidate],
    *,
    answers: SingleAnswers | None = None,
    calibration: Votes | None = None,
    calibrated_on: str = "val",
    split: str = "test",
    simulated: bool = False,
    stock_key: str | None = None,
    seed: int = 0,
    resamples: int = 2000,
) -> dict[str, Any]:
    """The whole evaluation as a JSON-able dict.

    Its keys: split, simulated, seed, resamples, calibrated_on, n_triplets, n_votes, n_photographs, n_triplets_twice;
    interval_reason, why there is no interval, or null; people, how far they agree ({human_score, ceiling,
    n_votes of pairs judged twice or more, reason}); rows, people first and then `candidates` in order, each as
    `_empty_row` lists it; disagreements, those of `diagnostics.disagreements` for the row of kind "new".

    `answers`: the single answers behind the votes; intervals are then over sources and annotators. `calibration`: votes
    of another split, on which the choice curves of rows without one of their own are fitted;
    None: on the other sources of these votes. `stock_key`: the row that `difference_to_stock` compares with. `seed` and
    `resamples`: of the bootstrap behind the interval of the calibration error. Raises ValueError when there are no
    votes.
    """
    if votes.total.sum() == 0:
        raise ValueError(f"There are no votes in the {split} split to evaluate on.")
    people, people_rows = _people(votes, "Simulated" if simulated else "People")
    odds = {one.key: log_odds_of(one, votes, calibration) for one in candidates}
    answered = Answered.of(votes, answers)
    rows = [_row(one, odds[one.key], votes, answered, seed, resamples) for one in candidates]
    rivals = {
        "promoted": next((one for one in candidates if one.kind == "promoted"), None),
        "stock": next((one for one in candidates if one.key == stock_key), None),
        PSNR: next((one for one in candidates if one.key == PSNR), None),
    }
    for row, one in zip(rows, candidates, strict=True):
        for name, rival in rivals.items():
            row[f"difference_to_{name}"] = _difference(one, rival, answered)
            row[f"log_loss_difference_to_{name}"] = _loss_difference(one, rival, odds, answered)
    sources = len(np.unique(votes.photograph))
    return {
        "split": split,
        "simulated": simulated,
        "seed": seed,
        "resamples": resamples,
        "calibrated_on": calibrated_on if calibration is not None else OTHER_SOURCES,
        "n_triplets": len(votes.total),
        "n_votes": int(votes.total.sum()),
        "n_photographs": sources,
        "n_triplets_twice": int(np.count_nonzero(votes.total >= 2)),
        "interval_reason": FEW_PHOTOGRAPHS if sources < 2 else None,
        "people": people,
        "rows": people_rows + rows,
        "disagreements": _disagreements(candidates, odds, votes),
    }


def untested(label: str, reason: str, *, simulated: bool) -> dict[str, Any]:
    """The evaluation of a metric that has no test split: the keys of `evaluate`, and one row that gives the reason."""
    row = _empty_row("new", label, "new", reason)
    return {
        "split": None,
        "simulated": simulated,
        "seed": 0,
        "resamples": 0,
        "calibrated_on": None,
        "n_triplets": 0,
        "n_votes": 0,
        "n_photographs": 0,
        "interval_reason": reason,
        "people": {"human_score": None, "ceiling": None, "n_votes": 0, "reason": reason},
        "rows": [row],
        "disagreements": [],
    }


def paired_difference(first: Candidate, second: Candidate, votes: Votes) -> dict[str, float | None] | None:
    """How much more votes agree with `first` than with `second`: {"mean", "low", "high"}, null where unknown."""
    return _difference(first, second, Answered.of(votes))


def log_odds_of(one: Candidate, votes: Votes, calibration: Votes | None) -> Floats | None:
    """Log-odds (N,) of p1 by a row's own curve, by one fitted on `calibration`, or on other sources; else None."""
    if one.test is None:
        return None
    if one.curve is not None:
        return one.curve.log_odds(one.test)
    if calibration is not None:
        if one.calibration is None or not calibration.total.sum():
            return None
        return fit_curve(one.calibration, calibration.p1, calibration.total).log_odds(one.test)
    try:
        return cross_fitted(one.test, votes)
    except FoldError:
        return None


def _disagreements(
    candidates: Sequence[Candidate], odds: Mapping[str, Floats | None], votes: Votes
) -> list[dict[str, Any]]:
    new = next((one for one in candidates if one.kind == "new"), None)
    own = odds[new.key] if new is not None else None
    if new is None or new.test is None or own is None:
        return []
    described = {"photograph": votes.photograph, "kind": votes.kind, "target_bpp": votes.target_bpp}
    if votes.label is not None:
        described["label"] = votes.label
    return disagreements(new.test, expit(own), (votes.n_p0, votes.n_p1, votes.n_tie), described)


def _empty_row(key: str, label: str, kind: Kind, reason: str | None) -> dict[str, Any]:
    """A row of which nothing is known yet: null, or an empty dict for what is given in groups.

    score, low, high: share in 0..1 and its 95 % interval. by_kind, by_bpp, by_votes (number of votes of a
    triplet): {group: {score, low, high, n_votes, n_triplets, n_photographs}}. log_loss: nats a vote, with
    log_loss_low and log_loss_high; calibration_error, mean gap of stated and seen shares, with its low and high;
    calibration: bins of `diagnostics.calibration_curve`; null for people and without a curve.
    difference_to_promoted, _stock, _psnr: of the score, {mean, low, high}, paired; log_loss_difference_to_...: the
    same, below zero where this row is better. score_where_known: the score over pairs with two votes or more, on which
    the best possible metric is known.
    """
    row: dict[str, Any] = {
        "key": key,
        "label": label,
        "kind": kind,
        "available": reason is None,
        "reason": reason,
    }
    row |= dict.fromkeys((*SHARES, "score_where_known", "log_loss", "log_loss_low", "log_loss_high"))
    row |= dict.fromkeys(
        ("calibration_error", "calibration_error_low", "calibration_error_high", "calibration")
    )
    row |= {"by_kind": {}, "by_bpp": {}, "by_votes": {}}
    return row | {
        f"{part}_to_{name}": None for part in ("difference", "log_loss_difference") for name in RIVALS
    }


def _row(
    one: Candidate, odds: Floats | None, votes: Votes, answered: Answered, seed: int, resamples: int
) -> dict[str, Any]:
    row = _empty_row(one.key, one.label, one.kind, one.reason)
    if one.test is None:
        return row | {"available": False, "reason": one.reason or "it was not computed"}
    distances, known = one.test, votes.total >= 2
    row |= _by_group(lambda chosen: answered.on(chosen).share(distances), votes, votes.total > 0)
    if known.any():
        row["score_where_known"] = answered.on(known).share(distances).value
    if odds is not None:
        loss = answered.mean(answered.losses(odds))
        row |= {"log_loss": loss.value, "log_loss_low": loss.low, "log_loss_high": loss.high}
        chance = expit(odds)
        row["calibration"] = calibration_curve(chance, votes.p1, votes.total)
        row["calibration_error"] = calibration_error(row["calibration"])
        low, high = calibration_interval(chance, votes, seed, resamples)
        row |= {"calibration_error_low": low, "calibration_error_high": high}
    return row


def _by_group(
    figure: Callable[[NDArray[np.bool_]], Estimate], votes: Votes, known: NDArray[np.bool_]
) -> dict[str, Any]:
    """A figure of the triplets `known`: overall, by pair kind, by bitrate and by number of votes."""

    def of(chosen: NDArray[np.bool_]) -> dict[str, float | int | None]:
        estimate = figure(chosen)
        return {
            **dict(zip(SHARES, (estimate.value, estimate.low, estimate.high), strict=True)),
            "n_votes": int(votes.total[chosen].sum()),
            "n_triplets": int(np.count_nonzero(chosen)),
            "n_photographs": len(np.unique(votes.photograph[chosen])),
        }

    def by(names: NDArray[np.str_]) -> dict[str, dict[str, float | int | None]]:
        return {name: of(known & (names == name)) for name in _in_order(names[known])}

    overall = of(known)
    return {name: overall[name] for name in SHARES} | {
        "by_kind": by(votes.kind),
        "by_bpp": by(votes.target_bpp),
        "by_votes": by(vote_groups(votes.total)),
    }


def _in_order(names: Iterable[str]) -> list[str]:
    """Numbers by value (bitrates), then other names by letter."""
    return sorted({str(name) for name in names}, key=lambda name: (_number(name), name))


def _number(name: str) -> float:
    try:
        return float(name)
    except ValueError:
        return np.inf


def _difference(
    one: Candidate, other: Candidate | None, answered: Answered
) -> dict[str, float | None] | None:
    if other is None or one.key == other.key or one.test is None or other.test is None:
        return None
    return _as_difference(answered.mean(answered.agreeing(one.test) - answered.agreeing(other.test)))


def _loss_difference(
    one: Candidate, other: Candidate | None, odds: Mapping[str, Floats | None], answered: Answered
) -> dict[str, float | None] | None:
    if other is None or one.key == other.key:
        return None
    own, its = odds[one.key], odds[other.key]
    if own is None or its is None:
        return None
    return _as_difference(answered.mean(answered.losses(own) - answered.losses(its)))


def _as_difference(estimate: Estimate) -> dict[str, float | None]:
    return {"mean": estimate.value, "low": estimate.low, "high": estimate.high}


def _people(votes: Votes, whose: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """How far people agree, from the triplets with two votes or more, as everywhere (`psychometrics.agreement`)."""
    known = votes.total >= 2
    reason = None if known.any() else "no triplet was judged twice, so how far people agree is not known"
    human = _empty_row("human", f"{whose}: one with another", "people", reason)
    best = _empty_row("ceiling", f"{whose}: best possible metric", "people", reason)
    if known.any():
        human |= _by_group(lambda chosen: _agreement(human_score, votes, chosen), votes, known)
        best |= _by_group(lambda chosen: _agreement(ceiling, votes, chosen), votes, known)
    for row in (human, best):
        row["score_where_known"] = row["score"]
    people = {
        "human_score": human["score"],
        "ceiling": best["score"],
        "n_votes": int(votes.total[known].sum()),
        "reason": reason,
    }
    return people, [human, best]


def _agreement(figure: Callable[..., Estimate], votes: Votes, chosen: NDArray[np.bool_]) -> Estimate:
    counts = (votes.n_p0[chosen], votes.n_p1[chosen], votes.n_tie[chosen])
    return figure(*counts, source=votes.photograph[chosen])
