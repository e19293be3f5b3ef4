"""The former place of `metric.core.distance.weights`, also as a command; kept for one release."""

from __future__ import annotations

import sys
import warnings

from metric.core.distance.weights import TrunkUnavailable, availability, ensure, load_trunk, main, stock_heads

__all__ = ["TrunkUnavailable", "availability", "ensure", "load_trunk", "main", "stock_heads"]

warnings.warn(
    "metric.core.weights is now metric.core.distance.weights; the old name will be removed in the next release.",
    DeprecationWarning,
    stacklevel=2,
)

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
