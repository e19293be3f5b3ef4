"""The table of a run: who agrees with people how often, with intervals that know photographs are few.

The score is the published one: the share of votes that agree with the smaller distance, ties one half.
Intervals are percentiles of a bootstrap that draws whole photographs; all rows share its draws, so
differences are paired.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit

from metric.core.agreement import Floats, ceiling, pair_agreement
from metric.core.config import RESAMPLES
from metric.core.fit import log_loss
from metric.core.snapshot import SnapshotTriplet

Kind = Literal["baseline", "people", "promoted", "new"]

BINS = 10
SHARES = ("score", "low", "high")
FEW_PHOTOGRAPHS = "fewer than two photographs: no interval"


@dataclass(frozen=True)
class Votes:
    """Votes on N triplets of one split; every array is (N,)."""

    n_p0: Floats
    n_p1: Floats
    n_tie: Floats
    photograph: NDArray[np.str_]
    kind: NDArray[np.str_]
    target_bpp: NDArray[np.str_]

    @property
    def p1(self) -> Floats:
        """Votes for p1 with half of the ties."""
        return self.n_p1 + self.n_tie / 2

    @property
    def total(self) -> Floats:
        """All votes."""
        return self.n_p0 + self.n_p1 + self.n_tie


@dataclass(frozen=True)
class Candidate:
    """A row to be scored. `test` and `calibration` are distances (N, 2) to p0 and p1; None with a `reason`."""

    key: str
    label: str
    kind: Kind
    test: Floats | None
    calibration: Floats | None = None
    reason: str | None = None


def votes_of(triplets: Sequence[SnapshotTriplet]) -> Votes:
    """The votes of a snapshot's triplets, in their order."""
    counts = np.array([(t.n_p0, t.n_p1, t.n_tie) for t in triplets], dtype=np.float64).reshape(-1, 3)
    texts = np.array([(t.photograph, t.kind, t.target_bpp) for t in triplets], dtype=np.str_).reshape(-1, 3)
    return Votes(*counts.T, *texts.T)


def agreeing_votes(distances: Floats, votes: Votes) -> Floats:
    """Votes that agree with the smaller of two distances, per triplet: (N, 2) and N votes to (N,)."""
    margin = distances[:, 0] - distances[:, 1]
    p1 = votes.p1
    return np.where(margin > 0, p1, np.where(margin < 0, votes.total - p1, votes.total / 2))


def two_afc_score(distances: Floats, votes: Votes) -> float:
    """Share of votes that agree with the metric; a tie of either side counts one half. NaN without votes."""
    total = float(votes.total.sum())
    return float(agreeing_votes(distances, votes).sum()) / total if total else float("nan")


def fit_slope(distances: Floats, votes: Votes) -> float:
    """The a ≥ 0 for which σ(a·(d0 − d1)) gives these votes the smallest log-loss."""
    margin = distances[:, 0] - distances[:, 1]
    spread = float(np.sqrt(np.average(margin**2, weights=votes.total)))
    if spread == 0:
        return 0.0
    found = minimize_scalar(
        lambda a: log_loss(a * margin / spread, votes.p1, votes.total), bounds=(0.0, 50.0), method="bounded"
    )
    return float(found.x) / spread


def calibration_error(chance: Floats, votes: Votes) -> float:
    """Mean gap between the stated chance of the favourite and how often it won, over ten bins, by votes."""
    favourite = np.maximum(chance, 1 - chance)
    won = np.where(chance >= 0.5, votes.p1, votes.total - votes.p1)
    bins = np.minimum((favourite - 0.5) / 0.5 * BINS, BINS - 1).astype(np.int64)
    n = np.bincount(bins, votes.total, BINS)
    stated, seen = np.bincount(bins, favourite * votes.total, BINS), np.bincount(bins, won, BINS)
    return float(np.abs(stated - seen).sum() / n.sum())


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
    """The whole evaluation as a JSON-able dict:

        {"split", "simulated", "seed", "resamples", "calibrated_on": str | null, "n_triplets", "n_votes",
         "n_photographs", "interval_reason": str | null,
         "people": {"human_score": float | null, "ceiling": float | null, "n_votes": votes in triplets with
         two or
                    more, "reason": str | null},
         "rows": [{"key", "label", "kind", "available", "reason",
                   "score", "low", "high",                    share in 0..1, 95 % interval, null where unknown
                   "by_kind", "by_bpp": {name: {"score", "low", "high", "n_votes", "n_triplets",
                   "n_photographs"}}, "log_loss", "calibration_error",           nats a vote; null for people
                   and without calibration "difference_to_promoted", "difference_to_stock": {"mean", "low",
                   "high"} | null}]}

    `calibration`: votes of another split, on which the slope of the log-loss is fitted, never on the test
    split. `stock_key`: the row that `difference_to_stock` compares with. People come first, then `candidates`
    in order. Raises ValueError when there are no votes.
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
    }


def _empty_row(key: str, label: str, kind: Kind, reason: str | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "key": key,
        "label": label,
        "kind": kind,
        "available": reason is None,
        "reason": reason,
    }
    row |= dict.fromkeys(("score", "low", "high", "log_loss", "calibration_error"))
    return row | {"by_kind": {}, "by_bpp": {}, "difference_to_promoted": None, "difference_to_stock": None}


def _row(
    candidate: Candidate, votes: Votes, calibration: Votes | None, bootstrap: Bootstrap
) -> dict[str, Any]:
    row = _empty_row(candidate.key, candidate.label, candidate.kind, candidate.reason)
    if candidate.test is None:
        return row | {"available": False, "reason": candidate.reason or "it was not computed"}
    row |= _scores(agreeing_votes(candidate.test, votes), votes.total, votes, bootstrap)
    if calibration is not None and candidate.calibration is not None and calibration.total.sum():
        slope = fit_slope(candidate.calibration, calibration)
        log_odds = slope * (candidate.test[:, 0] - candidate.test[:, 1])
        row["log_loss"] = log_loss(log_odds, votes.p1, votes.total)
        row["calibration_error"] = calibration_error(expit(log_odds), votes)
    return row


def _scores(agreeing: Floats, total: Floats, votes: Votes, bootstrap: Bootstrap) -> dict[str, Any]:
    """Score and interval overall, by pair kind and by bitrate; triplets with a total of zero are left out."""
    overall = _share(agreeing, total, total > 0, bootstrap)
    return {name: overall[name] for name in SHARES} | {
        "by_kind": _by(votes.kind, agreeing, total, bootstrap),
        "by_bpp": _by(votes.target_bpp, agreeing, total, bootstrap),
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
    each = pair_agreement(votes.n_p0, votes.n_p1, votes.n_tie)
    known = ~np.isnan(each)
    reason = None if known.any() else "no triplet was judged twice, so how far people agree is not known"
    human = _empty_row("human", f"{whose}: one with another", "people", reason)
    best = _empty_row("ceiling", f"{whose}: best possible metric", "people", reason)
    if known.any():
        weight = np.where(known, votes.total, 0.0)
        scores = _scores(np.where(known, each, 0.0) * weight, weight, votes, bootstrap)
        human |= scores
        best |= _at_ceiling(scores)
    people = {
        "human_score": human["score"],
        "ceiling": best["score"],
        "n_votes": int(votes.total[known].sum()),
        "reason": reason,
    }
    return people, [human, best]


def _at_ceiling(scores: Mapping[str, Any]) -> dict[str, Any]:
    """The same with each share raised to its ceiling, which grows with it, so that low stays below high."""
    raised: dict[str, Any] = {}
    for name, value in scores.items():
        if isinstance(value, Mapping):
            raised[name] = _at_ceiling(value)
        else:
            raised[name] = float(ceiling(value)) if name in SHARES and value is not None else value
    return raised
