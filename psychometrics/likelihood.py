"""How likely the votes are under stated chances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def log_loss(log_odds: Floats, p1: Floats, total: Floats) -> float:
    """Mean binomial log-loss in nats a vote, where σ(log_odds) is the predicted chance of p1."""
    losses = p1 * np.logaddexp(0, -log_odds) + (total - p1) * np.logaddexp(0, log_odds)
    return float(losses.sum() / total.sum())
