"""The metric: trunks, distance, features, fit, evaluation, checkpoints. Pure torch, without Django.

from metric.core import LPIPS, load
closer = load("var/metric/3")           # or LPIPS(net="alex")
d = closer(reference, reconstruction)   # N×3×H×W in [-1, 1] to N×1×1×1, smaller is closer
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metric.core.distance.checkpoint import load as load
    from metric.core.distance.lpips import LPIPS as LPIPS

__all__ = ["LPIPS", "load"]


def __getattr__(name: str) -> Any:
    # Looked up at first use, so that `import metric.core` costs nothing where torch is not needed.
    if name == "LPIPS":
        from metric.core.distance.lpips import LPIPS

        return LPIPS
    if name == "load":
        from metric.core.distance.checkpoint import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
