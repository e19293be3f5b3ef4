"""The log-odds that each row of a table states of each triplet: what its log-loss and calibration are taken from."""

from __future__ import annotations

from collections.abc import Sequence

from metric.core.distance.choice import fit_curve
from metric.core.evaluation.folds import FoldError, cross_fitted
from metric.core.evaluation.votes import Candidate, Votes
from psychometrics.comparisons import Floats

# By the key of a candidate; None where it states none.
Odds = dict[str, Floats | None]


def log_odds(candidates: Sequence[Candidate], votes: Votes, calibration: Votes | None = None) -> Odds:
    """Log-odds (N,) of p1 by a row's own curve, by one fitted on `calibration`, or on other sources of `votes`."""
    return {one.key: _of_one(one, votes, calibration) for one in candidates}


def _of_one(one: Candidate, votes: Votes, calibration: Votes | None) -> Floats | None:
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
