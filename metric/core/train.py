"""The former place of `metric.core.training.train`; kept for one release."""

from __future__ import annotations

import warnings

from metric.core.training.train import train

__all__ = ["train"]

warnings.warn(
    "metric.core.train is now metric.core.training.train; the old name will be removed in the next release.",
    DeprecationWarning,
    stacklevel=2,
)
