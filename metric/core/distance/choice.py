"""From two distances to the share of people who find one picture closer: the choice curve.

P(the second is closer) = λ/2 + (1 − λ)·σ(s·(g(d₀) − g(d₁))), with g(d) = c·log(1 + d/c).

λ is the lapse rate, the share of answers that do not depend on the pictures (Wichmann and Hill, "The psychometric
function: I", Perception & Psychophysics 63, 2001); s the slope; c the bend: equal steps of a small distance count for
more than those of a large one, as in Fechner's law. Without a bend g(d) = d.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

Floats = NDArray[np.float64]

# Nobody's answers are without mistakes: with less, a single one on a clear pair would decide the slope.
LEAST_LAPSE, MOST_LAPSE = 0.01, 0.5
# The lapse rate has a Beta prior (as in Schütt et al., "Painfree and accurate Bayesian estimation of psychometric
# functions", Vision Research 122, 2016): close pairs alone hardly tell a flat curve from a steep one with lapses, and
# the likeliest rate is then anything up to the limit. Its mode is 1/12, its mean 1/7.
PRIOR = (2.0, 12.0)
LIKELIEST_LAPSE = (PRIOR[0] - 1) / (sum(PRIOR) - 2)
# Bends that are tried, in mean distances.
BENDS = (0.3, 1.0, 3.0)
# What a bend must gain in log-likelihood to be worth it (Akaike 1974).
WORTH = 1.0
# Slopes, in spreads of the margin: beyond it votes are separated and any slope would do.
STEEPEST = 50.0


@dataclass(frozen=True)
class ChoiceCurve:
    """`slope` s, `lapse` λ and `bend` c (None: straight). `calibrated_on`: the votes, in words; empty where they are
    those of the metric's own fit, or are not known: then the curve is not calibrated."""

    slope: float
    lapse: float = 0.0
    bend: float | None = None
    calibrated_on: str = ""

    def bent(self, distances: Floats) -> Floats:
        """g of distances, of any shape."""
        if self.bend is None:
            return distances
        return np.asarray(self.bend * np.log1p(np.maximum(distances, 0.0) / self.bend))

    def margin(self, distances: Floats) -> Floats:
        """Log-odds without lapses that the second is closer, (N,), of distances (N, 2)."""
        bent = self.bent(distances)
        return np.asarray(self.slope * (bent[:, 0] - bent[:, 1]))

    def chance(self, distances: Floats) -> Floats:
        """P(a person finds the second closer), (N,), of distances (N, 2)."""
        return np.asarray(self.lapse / 2 + (1 - self.lapse) * expit(self.margin(distances)))

    def log_odds(self, distances: Floats) -> Floats:
        """The same as log-odds, (N,)."""
        return with_lapses(self.margin(distances), self.lapse)

    def jnd(self, distances: Floats) -> Floats:
        """Distances in just noticeable differences: 1 is where, without lapses, 75 % find the nearer one closer."""
        return np.asarray(self.slope * self.bent(distances) / math.log(3))

    def as_json(self) -> dict[str, Any]:
        """As settings.json holds it."""
        return {
            "slope": self.slope,
            "lapse": self.lapse,
            "bend": self.bend,
            "calibrated_on": self.calibrated_on,
        }


def curve_from(settings: Mapping[str, Any]) -> ChoiceCurve | None:
    """The curve of a version's settings; None where they have no slope. Versions of before had no calibration."""
    if settings.get("slope") is None:
        return None
    return ChoiceCurve(
        float(settings["slope"]),
        float(settings.get("lapse") or 0.0),
        None if settings.get("bend") is None else float(settings["bend"]),
        str(settings.get("calibrated_on") or ""),
    )


def with_lapses(odds: Floats, lapse: float) -> Floats:
    """Log-odds of an answer, where `odds` are those of one that was meant."""
    if lapse == 0:
        return odds
    return np.asarray(_log_chance(odds, lapse) - _log_chance(-odds, lapse))


def fit_curve(
    distances: Floats,
    p1: Floats,
    total: Floats,
    *,
    offset: Floats | float = 0.0,
    lapse: bool = True,
    calibrated_on: str = "",
) -> ChoiceCurve:
    """The likeliest curve by these votes and the prior of the lapse rate, with a bend only where it is worth it.

    `distances` (N, 2); `p1` of `total` votes chose the second, both (N,), ties half. `offset`: log-odds that are known,
    such as a side's. `lapse=False`: no lapses at all. The slope is not below zero.
    """
    fits: list[tuple[float, ChoiceCurve]] = []
    lapses = (LEAST_LAPSE, MOST_LAPSE) if lapse else (0.0, 0.0)
    for bend in _bends(distances):
        straight = ChoiceCurve(1.0, 0.0, bend)
        margin = straight.margin(distances)
        loss, slope, rate = _fit(margin, p1, total, offset, lapses)
        fits.append((loss + WORTH * (bend is not None), ChoiceCurve(slope, rate, bend, calibrated_on)))
    return min(fits, key=lambda fit: fit[0])[1]


def _bends(distances: Floats) -> Sequence[float | None]:
    """Straight first; a distance below zero, such as minus the PSNR, cannot be bent."""
    mean = float(distances.mean()) if distances.size else 0.0
    if mean <= 0 or float(distances.min()) < 0:
        return (None,)
    return (None, *(mean * bend for bend in BENDS))


def _fit(
    margin: Floats, p1: Floats, total: Floats, offset: Floats | float, lapses: tuple[float, float]
) -> tuple[float, float, float]:
    """(negative log-likelihood, slope, lapse rate) of the likeliest, the prior included."""
    spread = float(np.sqrt(np.average(margin**2, weights=total))) if total.sum() else 0.0
    if spread == 0:
        return _loss(np.zeros(len(margin)) + offset, p1, total, lapses[0])[0], 0.0, lapses[0]
    x, free = margin / spread, lapses[0] < lapses[1]

    def loss(parameters: Floats) -> tuple[float, Floats]:
        lapse = float(parameters[1])
        value, by_odds, by_lapse = _loss(parameters[0] * x + offset, p1, total, lapse)
        cost, its_slope = _rarity(lapse) if free else (0.0, 0.0)
        return value + cost, np.array([float(by_odds @ x), by_lapse + its_slope])

    fitted = minimize(
        loss,
        np.array([1.0, LIKELIEST_LAPSE if free else lapses[0]]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, STEEPEST), lapses],
        options={"ftol": 1e-12, "gtol": 1e-8},
    )
    return float(fitted.fun), float(fitted.x[0]) / spread, float(fitted.x[1])


def _rarity(lapse: float) -> tuple[float, float]:
    """Minus the logarithm of the prior's density, 0 at its mode, and its derivative."""
    a, b = PRIOR[0] - 1, PRIOR[1] - 1
    rarity = -a * math.log(lapse / LIKELIEST_LAPSE) - b * math.log((1 - lapse) / (1 - LIKELIEST_LAPSE))
    return rarity, b / (1 - lapse) - a / lapse


def _loss(odds: Floats, p1: Floats, total: Floats, lapse: float) -> tuple[float, Floats, float]:
    """Negative log-likelihood in nats, and its derivatives by the log-odds (N,) and by the lapse rate."""
    log_chance, log_other, sigma = _log_chance(odds, lapse), _log_chance(-odds, lapse), expit(odds)
    value = -float(p1 @ log_chance + (total - p1) @ log_other)
    if lapse == 0:
        return value, total * sigma - p1, 0.0
    by_chance = (total - p1) / np.exp(log_other) - p1 / np.exp(log_chance)
    return value, by_chance * (1 - lapse) * sigma * (1 - sigma), float(by_chance @ (0.5 - sigma))


def _log_chance(odds: Floats, lapse: float) -> Floats:
    if lapse == 0:
        return -np.logaddexp(0, -odds)
    return np.asarray(np.log(lapse / 2 + (1 - lapse) * expit(odds)))
