"""A metric as training leaves it: what every kind of training returns, and what fine-tuning starts from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from metric.core.distance.base import Metric
from metric.core.distance.choice import ChoiceCurve


@dataclass(frozen=True)
class Trained:
    """A metric; `curve` turns its distances into chances; `details` go into settings.json.

    `slope`: that of the fit on its own votes, from which fine-tuning starts.
    """

    metric: Metric
    curve: ChoiceCurve
    side_bias: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)
    slope: float = 1.0
