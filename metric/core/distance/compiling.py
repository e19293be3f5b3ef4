"""torch.compile for the trunks of a metric, only where it changes nothing."""

from __future__ import annotations

import torch

from metric.core.distance.base import Metric
from metric.core.distance.columns import metric_parts
from metric.core.errors import Unavailable

# Of the largest distance in the check. Fused kernels may round otherwise; more than this would be another metric.
TOLERANCE = 1e-3
CHECKED_SIDE = 96


class CompileError(Unavailable):
    """The compiled trunk gives other distances, or cannot be compiled here; the message says what to do."""


def compile_trunks(metric: Metric, *, backend: str = "inductor") -> float:
    """Compile in place, and compare distances of noise before and after. Returns the largest relative deviation.

    State keys stay as they are. Raises CompileError, leaving the trunks as they were.
    """
    parts = metric_parts(metric).lpips
    device = next(metric.parameters()).device
    rng = torch.Generator().manual_seed(0)
    a, b = (torch.rand(2, 3, CHECKED_SIDE, CHECKED_SIDE, generator=rng).to(device) * 2 - 1 for _ in range(2))
    sizes, metric.short_side = metric.short_side, None
    try:
        with torch.no_grad():
            before = metric(a, b)
            for part in parts:
                part.net.compile(backend=backend)
            after = metric(a, b)
    except Exception as error:
        _undo(metric)
        raise CompileError(f"torch.compile failed here ({error}). Train without compile.") from error
    finally:
        metric.short_side = sizes
    deviation = float(((after - before).abs().max() / before.abs().max()).cpu())
    if not deviation <= TOLERANCE:
        _undo(metric)
        raise CompileError(
            f"The compiled trunk deviates by {deviation:.1e}, more than {TOLERANCE:.0e}. Train without compile."
        )
    return deviation


def _undo(metric: Metric) -> None:
    for part in metric_parts(metric).lpips:
        part.net._compiled_call_impl = None
