"""How often each name would be preferred to the average of the others: the simplest figure of a scale.

A raw share of wins depends on a name's opponents: if close pairs are shown more often, the best looks worse than it
is. The share here comes from the fitted scale, as if all pairs had been compared equally often.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from psychometrics.comparisons import Floats, pair_indices
from psychometrics.estimates import Estimate
from psychometrics.scaling import UNIT, Scale, chances
from psychometrics.uncertainty import Uncertainty

_NEAR = 1e-9


def standardised_preferences(scale: Scale, sure: Uncertainty, *, confidence: float = 0.95) -> list[Estimate]:
    """The expected share in [0, 1] of comparisons with the average other name that each wins, a tie half.

    The interval is the delta method's on the logit of the share, Davidson's tie parameter taken as known; `n` is how
    many answers the name took part in.
    """
    shares, slopes = _shares_and_slopes(scale)
    spread = np.clip(shares * (1 - shares), _NEAR, None)
    half = sure.errors(slopes / spread[:, None]).half_widths(confidence) * UNIT
    middle = logit(np.clip(shares, _NEAR, 1 - _NEAR))
    low, high = expit(middle - half), expit(middle + half)
    met = _met(scale)
    return [
        Estimate(float(shares[n]), float(low[n]), float(high[n]), int(met[n])) for n in range(len(shares))
    ]


def _shares_and_slopes(scale: Scale) -> tuple[Floats, Floats]:
    """Shares (k,) and their derivatives (k, k) by the strengths in logits."""
    size = len(scale.names)
    low, high = pair_indices(size)
    p = chances(scale.logits, scale.tie, size)
    share = p[:, 0] + p[:, 2] / 2
    # d p_o / d difference = p_o (worth_o - mean worth), with worth 1/2, -1/2, 0
    lead = (p[:, 0] - p[:, 1]) / 2
    slope = p[:, 0] * (0.5 - lead) - p[:, 2] * lead / 2
    between = np.zeros((size, size))
    between[low, high], between[high, low] = share, 1 - share
    slopes = np.zeros((size, size))
    slopes[low, high] = slopes[high, low] = slope
    np.fill_diagonal(slopes, -slopes.sum(axis=1))
    return between.sum(axis=1) / (size - 1), -slopes / (size - 1)


def _met(scale: Scale) -> Floats:
    size = len(scale.names)
    low, high = pair_indices(size)
    n = scale.counts.sum(axis=1)
    return np.asarray(np.bincount(low, n, size) + np.bincount(high, n, size)).round()
