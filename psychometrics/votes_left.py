"""How many more answers a running study needs, from the uncertainty that remains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri, stdtrit

from psychometrics.comparisons import Floats, pair_indices
from psychometrics.estimates import CONFIDENCE
from psychometrics.ranking import Ranking
from psychometrics.scaling import UNIT
from psychometrics.spread import spreads, steepness


@dataclass(frozen=True)
class VotesLeft:
    """Answers that are missing until every difference is inside ± `halfwidth` JND; 0 when all are.

    `low` to `high` is the range that the spread between photographs leaves open (80 % interval). None where no number
    of answers about these photographs will do: then `floor` is the half-width that they leave, and more photographs are
    needed.
    """

    halfwidth: float
    now: float
    left: int | None
    low: int | None
    high: int | None
    floor: float


def votes_left(ranking: Ranking, halfwidth: float) -> VotesLeft:
    """How many more answers `ranking` needs, by as many more people as it takes, about the same photographs."""
    size = len(ranking.names)
    low, high = pair_indices(size)
    contrasts = np.eye(size)[low] - np.eye(size)[high]
    errors = ranking.uncertainty.errors(contrasts)
    quantile = np.asarray(stdtrit(errors.df, (1 + CONFIDENCE) / 2), dtype=np.float64)
    answers, sources, df = _variances(ranking, contrasts, errors.standard**2)
    left = _more(answers, sources, quantile, halfwidth, ranking.judgments)
    scaled = [sources * df / chdtri(df, tail) for tail in (0.1, 0.9)]
    scaled.append(np.maximum(scaled[1], unseen_variance(ranking)))
    tails = [_more(answers, own, quantile, halfwidth, ranking.judgments) for own in scaled]
    bounds = sorted(np.inf if each is None else float(each) for each in (*tails, left))
    return VotesLeft(
        halfwidth=halfwidth,
        now=ranking.halfwidth,
        left=left,
        low=_finite(bounds[0]),
        high=_finite(bounds[-1]),
        floor=float((quantile * np.sqrt(sources)).max()),
    )


def _variances(ranking: Ranking, contrasts: Floats, whole: Floats) -> tuple[Floats, Floats, float]:
    """Variance in JND^2 that more answers by more people shrink, that which more photographs alone do, and its df."""
    for part in ranking.uncertainty.parts:
        if part.way == "sources":
            own = np.maximum(np.einsum("ci,ij,cj->c", contrasts, part.excess, contrasts), 0.0) / UNIT**2
            return np.maximum(whole - own, 0.0), own, float(part.groups - 1)
    return whole, np.zeros_like(whole), 1.0


def unseen_variance(ranking: Ranking, *, confidence: float = 0.8) -> float:
    """Variance in JND^2 of a difference if photographs differ by as much as the answers leave open at `confidence`.

    Where no spread is seen, it is not proved that there is none. A spread is given on the scale of single people and
    photographs; the variance is one of the common scale, which is flatter.
    """
    for one in spreads(ranking.uncertainty, confidence=confidence):
        if one.way == "sources" and one.high is not None:
            return 2 * one.high**2 / steepness(ranking.uncertainty) / one.groups
    return 0.0


def _more(answers: Floats, sources: Floats, quantile: Floats, halfwidth: float, judgments: int) -> int | None:
    room = (halfwidth / quantile) ** 2 - sources
    if (room <= 0).any():
        return None
    return max(0, int(np.ceil(judgments * ((answers / room).max() - 1))))


def _finite(count: float) -> int | None:
    return None if np.isinf(count) else int(count)
