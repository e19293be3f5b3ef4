"""The table of a run: who agrees with people how often, with intervals that know photographs are few.

The score is the published one: the share of votes that agree with the smaller distance, ties one half.
Intervals are percentiles of a bootstrap that draws whole photographs; all rows share its draws, so
differences are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from metric.core.config import RESAMPLES
from metric.core.evaluation.diagnostics import calibration_curve, disagreements, vote_groups
from metric.core.evaluation.questions import chances
from metric.core.evaluation.votes import (
    Candidate,
    Kind,
    Votes,
    agreeing_votes,
    fit_slope,
    slope_of,
    two_afc_score,
    votes_of,
)
from psychometrics.agreement import ceiling, human_score
from psychometrics.comparisons import Floats
from psychometrics.estimates import Estimate
from psychometrics.likelihood import log_loss

__all__ = [
    "Bootstrap",
    "Candidate",
    "Kind",
    "Votes",
    "agreeing_votes",
    "calibration_error",
    "evaluate",
    "fit_slope",
    "paired_difference",
    "slope_of",
    "two_afc_score",
    "votes_of",
]

SHARES = ("score", "low", "high")
FEW_PHOTOGRAPHS = "fewer than two photographs: no interval"


def calibration_error(curve: Sequence[Mapping[str, float]]) -> float:
    """Mean gap between the stated chance of the favourite and how often it won, by votes."""
    gaps = [abs(b["stated"] - b["seen"]) * b["n_votes"] for b in curve]
    return sum(gaps) / sum(b["n_votes"] for b in curve)


def paired_difference(
    first: Candidate, second: Candidate, votes: Votes, *, seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, float | None] | None:
    """How much more votes agree with `first` than with `second`: {"mean", "low", "high"}, null where unknown."""
    return _difference(first, second, votes, Bootstrap(votes.photograph, seed, resamples))


class Bootstrap:
    """Draws of whole photographs: how often each was drawn, in (resamples, photographs). Seeded."""

    def __init__(self, photographs: NDArray[np.str_], seed: int, resamples: int = RESAMPLES) -> None:
        names, self.index = np.unique(photographs, return_inverse=True)
        self.count = len(names)
        rng = np.random.default_rng(seed)
        chances = np.full(self.count, 1 / self.count) if self.count else np.empty(0)
        self.draws = rng.multinomial(self.count, chances, size=resamples).astype(np.float64)

    def ratios(self, top: Floats, bottom: Floats) -> Floats:
        """Σ top / Σ bottom of each draw, from values per triplet; NaN where a draw has nothing below."""
        sums = [self.draws @ np.bincount(self.index, values, self.count) for values in (top, bottom)]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(sums[0] / sums[1])


def _interval(values: Floats, photographs: int) -> dict[str, float | None]:
    known = values[~np.isnan(values)]
    if photographs < 2 or not len(known):
        return {"low": None, "high": None}
    low, high = np.percentile(known, [2.5, 97.5])
    return {"low": float(low), "high": float(high)}


def evaluate(
    votes: Votes,
    candidates: Sequence[Candidate],
    *,
    calibration: Votes | None = None,
    calibrated_on: str = "val",
    split: str = "test",
    simulated: bool = False,
    stock_key: str | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """The whole evaluation as a JSON-able dict.

    Its keys: split, simulated, seed, resamples, calibrated_on, n_triplets, n_votes, n_photographs;
    interval_reason, why there is no interval, or null; people, how far they agree ({human_score, ceiling,
    n_votes of pairs judged twice or more, reason}); rows, people first and then `candidates` in order, each as
    `_empty_row` lists it; disagreements, those of `diagnostics.disagreements` for the row of kind "new".

    `calibration`: votes of another split, on which the slope of the log-loss is fitted, never on the test split.
    `stock_key`: the row that `difference_to_stock` compares with. Raises ValueError when there are no votes.
    """
    if votes.total.sum() == 0:
        raise ValueError(f"There are no votes in the {split} split to evaluate on.")
    bootstrap = Bootstrap(votes.photograph, seed, resamples)
    people, people_rows = _people(votes, bootstrap, "Simulated" if simulated else "People")
    rows = [_row(candidate, votes, calibration, bootstrap) for candidate in candidates]
    promoted = next((c for c in candidates if c.kind == "promoted"), None)
    stock = next((c for c in candidates if c.key == stock_key), None)
    for row, candidate in zip(rows, candidates, strict=True):
        row["difference_to_promoted"] = _difference(candidate, promoted, votes, bootstrap)
        row["difference_to_stock"] = _difference(candidate, stock, votes, bootstrap)
    return {
        "split": split,
        "simulated": simulated,
        "seed": seed,
        "resamples": resamples,
        "calibrated_on": calibrated_on if calibration is not None else None,
        "n_triplets": len(votes.total),
        "n_votes": int(votes.total.sum()),
        "n_photographs": bootstrap.count,
        "interval_reason": FEW_PHOTOGRAPHS if bootstrap.count < 2 else None,
        "people": people,
        "rows": people_rows + rows,
        "disagreements": _disagreements(candidates, votes, calibration),
    }


def _disagreements(
    candidates: Sequence[Candidate], votes: Votes, calibration: Votes | None
) -> list[dict[str, Any]]:
    new = next((c for c in candidates if c.kind == "new"), None)
    if (
        new is None
        or new.test is None
        or (new.slope is None and (new.calibration is None or calibration is None))
    ):
        return []
    chance = chances(new.test, _slope(new, calibration) or 0.0)
    described = {"photograph": votes.photograph, "kind": votes.kind, "target_bpp": votes.target_bpp}
    if votes.label is not None:
        described["label"] = votes.label
    return disagreements(new.test, chance, (votes.n_p0, votes.n_p1, votes.n_tie), described)


def _empty_row(key: str, label: str, kind: Kind, reason: str | None) -> dict[str, Any]:
    """A row of which nothing is known yet: null, or an empty dict for what is given in groups.

    score, low, high: share in 0..1 and its 95 % interval. by_kind, by_bpp, by_votes (number of votes of a
    triplet): {group: {score, low, high, n_votes, n_triplets, n_photographs}}. log_loss: nats a vote;
    calibration: bins of `diagnostics.calibration_curve`; null for people and without a slope.
    difference_to_promoted, difference_to_stock: {mean, low, high}, paired.
    """
    row: dict[str, Any] = {
        "key": key,
        "label": label,
        "kind": kind,
        "available": reason is None,
        "reason": reason,
    }
    row |= dict.fromkeys(("score", "low", "high", "log_loss", "calibration_error", "calibration"))
    return row | {
        "by_kind": {},
        "by_bpp": {},
        "by_votes": {},
        "difference_to_promoted": None,
        "difference_to_stock": None,
    }


def _row(
    candidate: Candidate, votes: Votes, calibration: Votes | None, bootstrap: Bootstrap
) -> dict[str, Any]:
    row = _empty_row(candidate.key, candidate.label, candidate.kind, candidate.reason)
    if candidate.test is None:
        return row | {"available": False, "reason": candidate.reason or "it was not computed"}
    row |= _scores(agreeing_votes(candidate.test, votes), votes.total, votes, bootstrap)
    slope = _slope(candidate, calibration)
    if slope is not None:
        log_odds = slope * (candidate.test[:, 0] - candidate.test[:, 1])
        row["log_loss"] = log_loss(log_odds, votes.p1, votes.total)
        row["calibration"] = calibration_curve(expit(log_odds), votes.p1, votes.total)
        row["calibration_error"] = calibration_error(row["calibration"])
    return row


def _slope(candidate: Candidate, calibration: Votes | None) -> float | None:
    """Of its own training, or fitted on the calibration split; None where neither can be had."""
    if candidate.slope is not None:
        return candidate.slope
    if calibration is None or candidate.calibration is None or not calibration.total.sum():
        return None
    return fit_slope(candidate.calibration, calibration)


def _scores(agreeing: Floats, total: Floats, votes: Votes, bootstrap: Bootstrap) -> dict[str, Any]:
    """Score and interval overall, by pair kind and by bitrate; triplets with a total of zero are left out."""
    overall = _share(agreeing, total, total > 0, bootstrap)
    return {name: overall[name] for name in SHARES} | {
        "by_kind": _by(votes.kind, agreeing, total, bootstrap),
        "by_bpp": _by(votes.target_bpp, agreeing, total, bootstrap),
        "by_votes": _by(vote_groups(votes.total), agreeing, total, bootstrap),
    }


def _share(
    agreeing: Floats, total: Floats, chosen: NDArray[np.bool_], bootstrap: Bootstrap
) -> dict[str, float | int | None]:
    top, bottom = np.where(chosen, agreeing, 0.0), np.where(chosen, total, 0.0)
    photographs = len(np.unique(bootstrap.index[chosen]))
    return {
        "score": float(top.sum() / bottom.sum()),
        **_interval(bootstrap.ratios(top, bottom), photographs),
        "n_votes": int(bottom.sum()),
        "n_triplets": int(np.count_nonzero(chosen)),
        "n_photographs": photographs,
    }


def _by(
    names: NDArray[np.str_], agreeing: Floats, total: Floats, bootstrap: Bootstrap
) -> dict[str, dict[str, float | int | None]]:
    known = total > 0
    return {
        str(name): _share(agreeing, total, known & (names == name), bootstrap)
        for name in _in_order(names[known])
    }


def _in_order(names: Iterable[str]) -> list[str]:
    """Numbers by value (bitrates), other names by letter."""
    found = sorted(set(names))
    try:
        return sorted(found, key=float)
    except ValueError:
        return found


def _difference(
    candidate: Candidate, other: Candidate | None, votes: Votes, bootstrap: Bootstrap
) -> dict[str, float | None] | None:
    if other is None or candidate.key == other.key or candidate.test is None or other.test is None:
        return None
    gain = agreeing_votes(candidate.test, votes) - agreeing_votes(other.test, votes)
    mean = float(gain.sum() / votes.total.sum())
    return {"mean": mean, **_interval(bootstrap.ratios(gain, votes.total), bootstrap.count)}


def _people(votes: Votes, bootstrap: Bootstrap, whose: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """How far people agree, from the triplets with two votes or more, as everywhere (`psychometrics.agreement`)."""
    known = votes.total >= 2
    reason = None if known.any() else "no triplet was judged twice, so how far people agree is not known"
    human = _empty_row("human", f"{whose}: one with another", "people", reason)
    best = _empty_row("ceiling", f"{whose}: best possible metric", "people", reason)
    if known.any():
        human |= _agreement_by_group(human_score, votes, known, bootstrap)
        best |= _agreement_by_group(ceiling, votes, known, bootstrap)
    people = {
        "human_score": human["score"],
        "ceiling": best["score"],
        "n_votes": int(votes.total[known].sum()),
        "reason": reason,
    }
    return people, [human, best]


def _agreement_by_group(
    figure: Callable[..., Estimate], votes: Votes, known: NDArray[np.bool_], bootstrap: Bootstrap
) -> dict[str, Any]:
    """A figure of agreement overall, by pair kind, by bitrate and by number of votes, like `_scores`."""

    def of(chosen: NDArray[np.bool_]) -> dict[str, float | int | None]:
        counts = (votes.n_p0[chosen], votes.n_p1[chosen], votes.n_tie[chosen])
        found = figure(*counts, source=bootstrap.index[chosen])
        return {
            **dict(zip(SHARES, (found.value, found.low, found.high), strict=True)),
            "n_votes": int(votes.total[chosen].sum()),
            "n_triplets": int(np.count_nonzero(chosen)),
            "n_photographs": len(np.unique(bootstrap.index[chosen])),
        }

    def by(names: NDArray[np.str_]) -> dict[str, dict[str, float | int | None]]:
        return {str(name): of(known & (names == name)) for name in _in_order(names[known])}

    overall = of(known)
    return {name: overall[name] for name in SHARES} | {
        "by_kind": by(votes.kind),
        "by_bpp": by(votes.target_bpp),
        "by_votes": by(vote_groups(votes.total)),
    }
