"""How likely the votes are under stated chances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def losses(log_odds: Floats, p1: Floats, total: Floats) -> Floats:
    """Binomial log-loss of all votes of each triplet, in nats, where σ(log_odds) is the predicted chance of p1."""
    return np.asarray(p1 * np.logaddexp(0, -log_odds) + (total - p1) * np.logaddexp(0, log_odds))


def log_loss(log_odds: Floats, p1: Floats, total: Floats) -> float:
    """Mean binomial log-loss in nats a vote."""
    return float(losses(log_odds, p1, total).sum() / total.sum())
