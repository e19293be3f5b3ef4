"""The panel of agreement: how close any metrics come to the same answers of people, by every usual figure.

2AFC score and log-loss are as in `evaluate`, with intervals over sources and annotators; correlations are with a scale
of people's choices within each source, and their differences are tested as Meng, Rosenthal and Rubin do; Krasula's two
areas say whether a metric tells which pairs people tell apart, and which of the two they prefer. The tests themselves
are those of `psychometrics`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import expit
from scipy.stats import kendalltau, pearsonr, spearmanr

from metric.core.evaluation.diagnostics import calibration_curve, calibration_error
from metric.core.evaluation.odds import Odds, log_odds
from metric.core.evaluation.vote_means import VoteMeans
from metric.core.evaluation.votes import Candidate, Votes
from metric.core.snapshot.answers import SingleAnswers
from psychometrics.agreement import ceiling, human_score
from psychometrics.comparisons import Comparisons, Floats, Ints, ScaleError
from psychometrics.differences import holm
from psychometrics.estimates import Estimate
from psychometrics.metric_comparison import krasula, meng_rosenthal_rubin
from psychometrics.scaling import fit

# Conditions of a source, below which a correlation within it says nothing.
FEWEST_CONDITIONS = 3


@dataclass(frozen=True)
class Scale:
    """People's scale within each source: `value` (C,) in JND with mean 0 in its `source` (C,), and where the two
    conditions of each triplet are in it, (N, 2); −1 in sources with too few conditions."""

    value: Floats
    source: Ints
    place: Ints


def panel(
    votes: Votes, answers: SingleAnswers | None, names: NDArray[np.str_], candidates: Sequence[Candidate]
) -> dict[str, Any]:
    """`metric_panel` of these answers, with choice curves fitted on other sources where a candidate has none."""
    return metric_panel(VoteMeans(votes, answers), names, candidates, log_odds(candidates, votes))


def metric_panel(
    means: VoteMeans, names: NDArray[np.str_], candidates: Sequence[Candidate], odds: Odds
) -> dict[str, Any]:
    """Everything as a JSON-able dict: n_answers, n_pairs, n_sources, n_annotators (null if not known), people,
    {human_score, ceiling} with intervals; rows, one for each candidate in order, as `_row` lists them; pairs, for each
    two metrics the difference in score, with its interval, p and Holm's p, and Meng, Rosenthal and Rubin's z and p.

    `names`: what the two conditions of each triplet are called, (N, 2). `odds`: of `log_odds`.
    """
    votes, answers = means.votes, means.answers
    scale = people_scale(votes, names)
    known = [one for one in candidates if one.test is not None]
    return {
        "n_answers": int(votes.total.sum()),
        "n_pairs": len(votes.total),
        "n_sources": len(np.unique(votes.photograph)),
        "n_annotators": None if answers is None else len(np.unique(answers.annotator)),
        "people": people(votes),
        "rows": [_row(one, means, scale, odds[one.key]) for one in candidates],
        "pairs": _pairs(known, means, scale),
    }


def people(votes: Votes) -> dict[str, Any]:
    """Human score and the score of the best possible metric, over pairs with two votes or more."""
    counts = (votes.n_p0, votes.n_p1, votes.n_tie)
    return {
        "human_score": _as_json(human_score(*counts, source=votes.photograph)),
        "ceiling": _as_json(ceiling(*counts, source=votes.photograph)),
    }


def people_scale(votes: Votes, names: NDArray[np.str_]) -> Scale:
    """Bradley–Terry strengths of the conditions of each source, from its own votes."""
    source = np.unique(votes.photograph, return_inverse=True)[1]
    labels = np.char.add(np.char.add(source.astype(np.str_)[:, None], "\n"), names)
    kinds, place = np.unique(labels, return_inverse=True)
    place = place.reshape(-1, 2)
    of_condition = np.array([int(label.split("\n", 1)[0]) for label in kinds])
    value = np.full(len(kinds), np.nan)
    for number in np.unique(source):
        own = np.flatnonzero(of_condition == number)
        if len(own) < FEWEST_CONDITIONS:
            continue
        inside = source == number
        first, second = (np.searchsorted(own, place[inside, side]) for side in (0, 1))
        counts = np.stack([votes.n_p0[inside], votes.n_p1[inside], votes.n_tie[inside]], axis=1)
        try:
            value[own] = fit(Comparisons(tuple(kinds[own]), first, second, counts), ties="half").values
        except ScaleError:  # its comparisons fall into groups that nothing joins
            continue
    return Scale(value, of_condition, np.where(np.isnan(value)[place], -1, place))


def _row(one: Candidate, means: VoteMeans, scale: Scale, odds: Floats | None) -> dict[str, Any]:
    """key, label, available, reason; score, log_loss as {value, low, high}; calibration_error; srocc, krocc (means
    over sources, by conditions), plcc and rmse in JND (over all, after a logistic); different, better as {value, low,
    high}, correct, pairs_different, pairs_similar. Null where unknown."""
    row: dict[str, Any] = {"key": one.key, "label": one.label, "available": one.test is not None}
    row["reason"] = one.reason
    if one.test is None:
        return row
    margin, votes = one.test[:, 0] - one.test[:, 1], means.votes
    row["score"] = _as_json(means.share(one.test))
    row |= _chances(odds, means)
    row |= correlations(one.test, scale)
    areas = krasula(margin, votes.n_p0.astype(np.int64), votes.n_p1.astype(np.int64))
    return row | {
        "different": _as_json(areas.different),
        "better": _as_json(areas.better),
        "correct": areas.correct,
        "pairs_different": areas.pairs_different,
        "pairs_similar": areas.pairs_similar,
    }


def _chances(odds: Floats | None, means: VoteMeans) -> dict[str, Any]:
    if odds is None:
        return {"log_loss": None, "calibration_error": None}
    curve = calibration_curve(expit(odds), means.votes.p1, means.votes.total)
    loss = means.mean(means.losses(odds))
    return {"log_loss": _as_json(loss), "calibration_error": calibration_error(curve)}


def condition_distances(distances: Floats, scale: Scale) -> Floats:
    """The distance of each condition of the scale, (C,), from those of triplets, (N, 2); NaN where none is known."""
    values = np.full(len(scale.value), np.nan)
    known = scale.place >= 0
    values[scale.place[known]] = distances[known]
    return values


def correlations(distances: Floats, scale: Scale) -> dict[str, float | None]:
    """srocc, krocc, plcc and rmse of a metric with people's scale."""
    distance = condition_distances(distances, scale)
    known = ~np.isnan(distance)
    nothing = dict.fromkeys(("srocc", "krocc", "plcc", "rmse"))
    if not known.any():
        return nothing
    by_source, weights = [], []
    for number in np.unique(scale.source[known]):
        own = known & (scale.source == number)
        if np.ptp(distance[own]) > 0 and np.ptp(scale.value[own]) > 0:
            pair = (-distance[own], scale.value[own])
            by_source.append((spearmanr(*pair).statistic, kendalltau(*pair).statistic))
            weights.append(int(own.sum()))
    if not by_source:
        return nothing
    srocc, krocc = np.average(np.array(by_source), axis=0, weights=weights)
    fitted = _after_logistic(distance[known], scale.value[known])
    fitted, value = (_centred(each, scale.source[known]) for each in (fitted, scale.value[known]))
    rmse = float(np.sqrt(np.mean((fitted - value) ** 2)))
    plcc = float(pearsonr(fitted, value).statistic) if np.ptp(fitted) > 0 else None
    return {"srocc": float(srocc), "krocc": float(krocc), "plcc": plcc, "rmse": rmse}


def _after_logistic(distance: Floats, value: Floats) -> Floats:
    """Values that a falling logistic of four parameters expects; a straight line where that does not settle."""
    middle, width = float(np.median(distance)), float(np.std(distance)) or 1.0
    span = float(np.ptp(value)) or 1.0

    def curve(parameters: Floats) -> Floats:
        top, bottom, at, scale = parameters
        return np.asarray(bottom + (top - bottom) * expit((at - distance) / scale))

    def residuals(parameters: Floats) -> Floats:
        return curve(parameters) - value

    def slopes(parameters: Floats) -> Floats:
        top, bottom, at, scale = parameters
        share = expit((at - distance) / scale)
        by_at = (top - bottom) * share * (1 - share) / scale
        return np.stack([share, 1 - share, by_at, -by_at * (at - distance) / scale], axis=1)

    start = (span / 2, -span / 2, middle, width)
    bounds = [-np.inf, -np.inf, -np.inf, 1e-3 * width], [np.inf, np.inf, np.inf, 1e3 * width]
    fitted = least_squares(residuals, start, jac=slopes, bounds=bounds, max_nfev=2000)
    if not fitted.success:
        return np.asarray(np.polyval(np.polyfit(distance, value, 1), distance))
    return curve(fitted.x)


def _centred(values: Floats, source: Ints) -> Floats:
    """Values less the mean of their source: a scale within sources knows no difference between them."""
    number = np.unique(source, return_inverse=True)[1]
    return np.asarray(values - (np.bincount(number, values) / np.bincount(number))[number])


def _pairs(known: Sequence[Candidate], means: VoteMeans, scale: Scale) -> list[dict[str, Any]]:
    """{first, second, difference {value, low, high}, p, p_holm, z_mrr, p_mrr} of each two: first less second."""
    right = {one.key: means.agreeing(one.test) for one in known if one.test is not None}
    rows: list[dict[str, Any]] = []
    for a, b in combinations(known, 2):
        gain = right[a.key] - right[b.key]
        tests = {"p": means.p_of_zero(gain), "p_holm": None, **_mrr(a, b, scale)}
        rows.append({"first": a.key, "second": b.key, "difference": _as_json(means.mean(gain)), **tests})
    tested = [row for row in rows if row["p"] is not None]
    for row, adjusted in zip(tested, holm([row["p"] for row in tested]), strict=True):
        row["p_holm"] = float(adjusted)
    return rows


def _mrr(a: Candidate, b: Candidate, scale: Scale) -> dict[str, float | None]:
    """Meng, Rosenthal and Rubin's test of the two linear correlations with people's scale, within sources."""
    assert a.test is not None and b.test is not None
    first, second = condition_distances(a.test, scale), condition_distances(b.test, scale)
    known = ~np.isnan(first) & ~np.isnan(second)
    if known.sum() <= FEWEST_CONDITIONS:
        return {"z_mrr": None, "p_mrr": None}
    columns = [_centred(each[known], scale.source[known]) for each in (-first, -second, scale.value)]
    if any(np.ptp(each) == 0 for each in columns):
        return {"z_mrr": None, "p_mrr": None}
    r = np.asarray(np.corrcoef(columns))
    try:
        test = meng_rosenthal_rubin(float(r[0, 2]), float(r[1, 2]), float(r[0, 1]), int(known.sum()))
    except ValueError:  # one is the other
        return {"z_mrr": None, "p_mrr": None}
    return {"z_mrr": test.z, "p_mrr": test.p}


def _as_json(estimate: Estimate) -> dict[str, float | None]:
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}
