"""Thurstone's case V, a check of the Bradley-Terry scale: the same answers, a normal instead of a logistic curve.

P(i is preferred to j) = Phi(s_i - s_j) (Thurstone, "A law of comparative judgment", 1927), fitted by maximum
likelihood with the prior of the Bradley-Terry scale; a tie is half a win for each. One unit is the difference at which
three in four prefer the better one, so that the two scales can be laid on one another.
"""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr, ndtri

from psychometrics.comparisons import Comparisons, Floats, ScaleError, check_connected, pair_indices, tally
from psychometrics.scaling import PRIOR_SD, UNIT, halved

PROBIT_UNIT = float(ndtri(0.75))
_STEPS = 200
_TOLERANCE = 1e-9


def fit_thurstone(comparisons: Comparisons) -> Floats:
    """Strengths (k,) with mean 0 in JND. Raises ScaleError when no comparisons join all names."""
    check_connected(comparisons)
    size = len(comparisons.names)
    low, high = pair_indices(size)
    counts = halved(tally(comparisons))[:, :2]
    met = counts.sum(axis=1) > 0
    incidence = (np.eye(size)[low] - np.eye(size)[high])[met]
    precision = 1 / (PRIOR_SD * PROBIT_UNIT / UNIT) ** 2
    x = np.zeros(size)
    for _ in range(_STEPS):
        first, second = _slopes(incidence @ x, counts[met])
        gradient = incidence.T @ first - precision * x
        hessian = incidence.T @ (second[:, None] * incidence) + precision * np.eye(size)
        step = np.linalg.solve(hessian, gradient)
        x = x + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < _TOLERANCE:
            return np.asarray((x - x.mean()) / PROBIT_UNIT)
    raise ScaleError(
        "Thurstone's scale did not converge: the comparisons are too few or contradict each other"
    )


def _slopes(difference: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """First derivative of the log-likelihood by each pair's difference, and the negative of the second."""
    density = -(difference**2) / 2 - np.log(2 * np.pi) / 2
    up, down = (np.exp(density - log_ndtr(sign * difference)) for sign in (1.0, -1.0))
    wins, losses = counts.T
    first = wins * up - losses * down
    second = wins * up * (up + difference) + losses * down * (down - difference)
    return first, second
