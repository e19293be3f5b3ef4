"""One row of the table: a metric's figures overall and by group, its differences to others; how far people agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from metric.core.evaluation.diagnostics import (
    calibration_curve,
    calibration_error,
    calibration_interval,
    vote_groups,
)
from metric.core.evaluation.vote_means import VoteMeans
from metric.core.evaluation.votes import Candidate, Kind, Votes
from psychometrics.agreement import ceiling, human_score
from psychometrics.comparisons import Floats
from psychometrics.estimates import Estimate

SHARES = ("score", "low", "high")
PSNR = "psnr"
RIVALS = ("promoted", "stock", PSNR)


def empty_row(key: str, label: str, kind: Kind, reason: str | None) -> dict[str, Any]:
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


def metric_row(
    one: Candidate, odds: Floats | None, means: VoteMeans, seed: int, resamples: int
) -> dict[str, Any]:
    """All of `empty_row` but the differences. `odds`: what it states of each triplet, (N,), if anything."""
    row = empty_row(one.key, one.label, one.kind, one.reason)
    if one.test is None:
        return row | {"available": False, "reason": one.reason or "it was not computed"}
    distances, votes = one.test, means.votes
    known = votes.total >= 2
    row |= _by_group(lambda chosen: means.share(distances, on=chosen), votes, votes.total > 0)
    if known.any():
        row["score_where_known"] = means.share(distances, on=known).value
    if odds is not None:
        loss = means.mean(means.losses(odds))
        row |= {"log_loss": loss.value, "log_loss_low": loss.low, "log_loss_high": loss.high}
        chance = expit(odds)
        row["calibration"] = calibration_curve(chance, votes.p1, votes.total)
        row["calibration_error"] = calibration_error(row["calibration"])
        low, high = calibration_interval(chance, votes, seed, resamples)
        row |= {"calibration_error_low": low, "calibration_error_high": high}
    return row


def differences(
    one: Candidate,
    candidates: Sequence[Candidate],
    stock_key: str | None,
    odds: Mapping[str, Floats | None],
    means: VoteMeans,
) -> dict[str, dict[str, float | None] | None]:
    """Those of a row to the promoted version, the stock heads and PSNR, in score and in log-loss."""
    rivals = {
        "promoted": next((other for other in candidates if other.kind == "promoted"), None),
        "stock": next((other for other in candidates if other.key == stock_key), None),
        PSNR: next((other for other in candidates if other.key == PSNR), None),
    }
    return {
        key: value
        for name, rival in rivals.items()
        for key, value in (
            (f"difference_to_{name}", _difference(one, rival, means)),
            (f"log_loss_difference_to_{name}", _loss_difference(one, rival, odds, means)),
        )
    }


def _difference(one: Candidate, other: Candidate | None, means: VoteMeans) -> dict[str, float | None] | None:
    if other is None or one.key == other.key or one.test is None or other.test is None:
        return None
    return _as_difference(means.mean(means.agreeing(one.test) - means.agreeing(other.test)))


def _loss_difference(
    one: Candidate, other: Candidate | None, odds: Mapping[str, Floats | None], means: VoteMeans
) -> dict[str, float | None] | None:
    if other is None or one.key == other.key:
        return None
    own, its = odds[one.key], odds[other.key]
    if own is None or its is None:
        return None
    return _as_difference(means.mean(means.losses(own) - means.losses(its)))


def _as_difference(estimate: Estimate) -> dict[str, float | None]:
    return {"mean": estimate.value, "low": estimate.low, "high": estimate.high}


def people_rows(votes: Votes, whose: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """How far people agree, from the triplets with two votes or more, as everywhere (`psychometrics.agreement`)."""
    known = votes.total >= 2
    reason = None if known.any() else "no triplet was judged twice, so agreement among people is unknown"
    human = empty_row("human", f"{whose}: one with another", "people", reason)
    best = empty_row("ceiling", f"{whose}: best possible metric", "people", reason)
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
