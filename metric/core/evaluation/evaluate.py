"""The table of a run: who agrees with people how often, and how true the stated chances are.

The score is the published one: the share of votes that agree with the smaller distance, ties one half. Intervals and
paired differences are ratios with a t interval over sources and, where it is known who answered, annotators
(`psychometrics.estimates.ratio`): both are few, and answers about one source or by one person are not independent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from metric.core.errors import InputError
from metric.core.evaluation.diagnostics import disagreements
from metric.core.evaluation.odds import log_odds
from metric.core.evaluation.panel import metric_panel
from metric.core.evaluation.rows import differences, empty_row, metric_row, people_rows
from metric.core.evaluation.vote_means import VoteMeans
from metric.core.evaluation.votes import Candidate, Votes
from metric.core.snapshot.answers import SingleAnswers
from psychometrics.comparisons import Floats

FEW_PHOTOGRAPHS = "fewer than two photographs: no interval"
OTHER_SOURCES = "other sources of the same votes"


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
    conditions: NDArray[np.str_] | None = None,
    seed: int = 0,
    resamples: int = 2000,
) -> dict[str, Any]:
    """The whole evaluation as a JSON-able dict.

    Its keys: split, simulated, seed, resamples, calibrated_on, n_triplets, n_votes, n_photographs, n_triplets_twice;
    interval_reason, why there is no interval, or null; people, how far they agree ({human_score, ceiling,
    n_votes of pairs judged twice or more, reason}); rows, people first and then `candidates` in order, each as
    `empty_row` lists it; disagreements, those of `diagnostics.disagreements` for the row of kind "new"; panel, what
    `panel` gives, where `conditions` are known: the names of the two of each triplet, (N, 2).

    `answers`: the single answers behind the votes; intervals are then over sources and annotators. `calibration`: votes
    of another split, on which the choice curves of rows without one of their own are fitted;
    None: on the other sources of these votes. `stock_key`: the row that `difference_to_stock` compares with. `seed` and
    `resamples`: of the bootstrap behind the interval of the calibration error. Raises ValueError when there are no
    votes.
    """
    if votes.total.sum() == 0:
        raise InputError(f"There are no votes in the {split} split for an evaluation.")
    people, agreement = people_rows(votes, "Simulated" if simulated else "People")
    odds = log_odds(candidates, votes, calibration)
    means = VoteMeans(votes, answers)
    rows = [metric_row(one, odds[one.key], means, seed, resamples) for one in candidates]
    for row, one in zip(rows, candidates, strict=True):
        row |= differences(one, candidates, stock_key, odds, means)
    table = {
        "split": split,
        "simulated": simulated,
        "seed": seed,
        "resamples": resamples,
        "calibrated_on": calibrated_on if calibration is not None else OTHER_SOURCES,
        **_sizes(votes),
        "people": people,
        "rows": agreement + rows,
        "disagreements": _disagreements(candidates, odds, votes),
    }
    if conditions is not None:
        table["panel"] = metric_panel(means, conditions, candidates, odds)
    return table


def _sizes(votes: Votes) -> dict[str, Any]:
    sources = len(np.unique(votes.photograph))
    return {
        "n_triplets": len(votes.total),
        "n_votes": int(votes.total.sum()),
        "n_photographs": sources,
        "n_triplets_twice": int(np.count_nonzero(votes.total >= 2)),
        "interval_reason": FEW_PHOTOGRAPHS if sources < 2 else None,
    }


def untested(label: str, reason: str, *, simulated: bool) -> dict[str, Any]:
    """The evaluation of a metric that has no test split: the keys of `evaluate`, and one row that gives the reason."""
    return {
        "split": None,
        "simulated": simulated,
        "seed": 0,
        "resamples": 0,
        "calibrated_on": None,
        "n_triplets": 0,
        "n_votes": 0,
        "n_photographs": 0,
        "n_triplets_twice": 0,
        "interval_reason": reason,
        "people": {"human_score": None, "ceiling": None, "n_votes": 0, "reason": reason},
        "rows": [empty_row("new", label, "new", reason)],
        "disagreements": [],
    }


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
