"""What leaves for other runtimes gives the distances of the metric, at sizes it was not exported at."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from metric.core import LPIPS
from metric.core.distance.base import Metric
from metric.core.distance.columns import Parts
from metric.core.distance.export import ExportError, export_onnx, export_program
from tests.metric.core.conftest import trunk_or_skip

SHAPES = ((1, 3, 64, 64), (3, 3, 100, 177))


def images(shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(shape[0])
    a, b = (torch.rand(shape, generator=rng) * 2 - 1 for _ in range(2))
    return a, b


@pytest.fixture(scope="module")
def combined(alex: LPIPS) -> Metric:
    parts = Parts((alex,), ("psnr",), structured=True)
    return parts.build((0.1 * parts.stock()).astype(np.float32))


def test_the_program_gives_the_distances(alex: LPIPS) -> None:
    module = export_program(alex).module()
    for shape in SHAPES:
        a, b = images(shape)
        torch.testing.assert_close(module(a, b), alex(a, b), atol=1e-5, rtol=1e-5)


def test_a_term_whose_scales_depend_on_the_size_is_refused(alex: LPIPS, tmp_path: Path) -> None:
    parts = Parts((alex,), ("ms-ssim",))
    metric = parts.build(parts.stock().astype(np.float32))
    with pytest.raises(ExportError, match="MS-SSIM term cannot be exported"):
        export_program(metric)
    with pytest.raises(ExportError, match="MS-SSIM term cannot be exported"):
        export_onnx(metric, tmp_path / "metric.onnx")


@pytest.mark.slow
def test_squeeze_is_exported_at_any_size() -> None:
    trunk_or_skip("squeeze")
    metric = LPIPS("squeeze")
    module = export_program(metric).module()
    for shape in ((1, 3, 161, 170), (2, 3, 162, 201), (1, 3, 176, 163)):
        a, b = images(shape)
        torch.testing.assert_close(module(a, b), metric(a, b), atol=1e-5, rtol=1e-5)


@pytest.fixture(scope="module")
def exported(combined: Metric, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnxruntime", reason="pip install '.[onnx]'")
    path = tmp_path_factory.mktemp("exported") / "metric.onnx"
    export_onnx(combined, path)
    return path


def run(path: Path, a: torch.Tensor, b: torch.Tensor) -> np.ndarray:
    """What onnxruntime makes of the file."""
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (result,) = session.run(["distance"], {"a": a.numpy(), "b": b.numpy()})
    return np.asarray(result)


@pytest.mark.slow
def test_onnx_gives_the_distances_at_any_size(combined: Metric, exported: Path) -> None:
    for shape in SHAPES:
        a, b = images(shape)
        result = run(exported, a, b)
        assert result.shape == (shape[0], 1, 1, 1)
        assert result == pytest.approx(combined(a, b).numpy(), abs=1e-4, rel=1e-4)


@pytest.mark.slow
def test_pixels_without_features_are_numbers_in_onnx(
    combined: Metric, exported: Path, tmp_path: Path
) -> None:
    """The last layer's features are all made zero, in the metric and in the file."""
    onnx = pytest.importorskip("onnx")
    last = "slice5.10.bias"
    (name,) = (name for name, _ in combined.named_parameters() if name.endswith(last))
    blind = copy.deepcopy(combined)
    blind.get_parameter(name).fill_(-1e6)
    program = onnx.load(exported)
    (bias,) = (tensor for tensor in program.graph.initializer if tensor.name.endswith(last))
    bias.CopyFrom(onnx.numpy_helper.from_array(blind.get_parameter(name).numpy(), bias.name))
    onnx.save(program, tmp_path / "blind.onnx")
    a, b = images((1, 3, 64, 64))
    result = run(tmp_path / "blind.onnx", a, b)
    assert result == pytest.approx(blind(a, b).numpy(), abs=1e-5, rel=1e-5)
    assert result != pytest.approx(combined(a, b).numpy(), abs=1e-3)
