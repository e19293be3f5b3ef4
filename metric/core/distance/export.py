"""A metric for other runtimes: as a torch.export program, and as ONNX. Batch, height and width stay open."""

from __future__ import annotations

import copy
import importlib.util
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from metric.core.distance.base import Metric
from metric.core.distance.columns import metric_parts
from metric.core.errors import Unavailable

# Not a multiple of anything, so that no size of the example is taken for a rule.
EXAMPLE = (2, 3, 197, 211)
NEEDED = ("onnx", "onnxscript")


class ExportError(Unavailable):
    """The metric cannot be exported here; the message says what to do."""


class _Plain(nn.Module):
    """The distance alone: checks of ranges depend on values, which an exported graph cannot ask."""

    def __init__(self, metric: Metric) -> None:
        super().__init__()
        self.metric = copy.deepcopy(metric)
        _round_down(self.metric)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.metric.between(self.metric.features(a), self.metric.features(b))


def export_program(metric: Metric) -> torch.export.ExportedProgram:
    """`program.module()(a, b)` gives N×1×1×1 for N×3×H×W, RGB in [-1, 1], any N, H and W from 64 up.

    Save it with torch.export.save(program, "metric.pt2"). Values out of range are not noticed. Raises ExportError
    for a metric with an MS-SSIM term, whose number of scales depends on the size.
    """
    _refuse_scales(metric)
    with _quiet(), torch.no_grad():
        return torch.export.export(_Plain(metric).eval(), _example(), dynamic_shapes=_shapes())


def export_onnx(metric: Metric, path: Path) -> None:
    """Write an ONNX model with inputs `a` and `b` and output `distance`, as `export_program`'s.

    Raises ExportError where onnx or onnxscript is not installed, and as `export_program`.
    """
    _refuse_scales(metric)
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ExportError(f"ONNX export needs {', '.join(missing)}. Run: pip install '.[onnx]'")
    with _quiet(), torch.no_grad():
        torch.onnx.export(
            _Plain(metric).eval(),
            _example(),
            path,
            input_names=["a", "b"],
            output_names=["distance"],
            dynamic_shapes=_shapes(),
            dynamo=True,
            # Its optimizer takes the epsilon of 1e-20 for zero; then a pixel without features makes it all NaN.
            optimize=False,
            external_data=False,
            verbose=False,
        )


def _refuse_scales(metric: Metric) -> None:
    if "ms-ssim" in metric_parts(metric).terms:
        raise ExportError(
            "A metric with an MS-SSIM term cannot be exported: how many scales it has depends on the size of the "
            "images. Train one without this term, or use metric.core.load."
        )


def _round_down(module: nn.Module) -> None:
    """Pooling that rounds sizes up, in a form that asks nothing about them, which an open size could not answer.

    A border of zeros on the far sides changes no maximum: what is pooled has been through a ReLU.
    """
    for name, part in module.named_children():
        if isinstance(part, nn.MaxPool2d) and part.ceil_mode:
            pool = nn.MaxPool2d(part.kernel_size, part.stride)
            module.add_module(name, nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), pool))
        else:
            _round_down(part)


def _example() -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(0)
    a, b = (torch.rand(EXAMPLE, generator=rng) * 2 - 1 for _ in range(2))
    return a, b


def _shapes() -> tuple[dict[int, torch.export.Dim], dict[int, torch.export.Dim]]:
    batch = torch.export.Dim("batch", min=1, max=4096)
    height, width = (torch.export.Dim(name, min=64, max=16384) for name in ("height", "width"))
    sizes = {0: batch, 2: height, 3: width}
    return sizes, dict(sizes)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's own notes, which are about its insides."""
    loud = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loud]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loud:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loud, levels, strict=True):
                logger.setLevel(level)
