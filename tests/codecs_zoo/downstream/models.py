"""Tiny ONNX models with the outputs that detection and segmentation expect, and an annotated folder."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

SIDE = 32


def _model(path: Path, weights: np.ndarray, bias: np.ndarray, *, cells: int) -> Path:
    """Average pooling to `cells` x `cells`, then a 1 x 1 convolution."""
    stride = SIDE // cells
    nodes = [
        helper.make_node("AveragePool", ["x"], ["p"], kernel_shape=[stride] * 2, strides=[stride] * 2),
        helper.make_node("Conv", ["p", "w", "b"], ["y"], kernel_shape=[1, 1]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, len(bias), cells, cells])],
        [
            numpy_helper.from_array(weights.astype(np.float32)[:, :, None, None], "w"),
            numpy_helper.from_array(bias.astype(np.float32), "b"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(path))
    return path


def make_detector(path: Path) -> Path:
    """Sees an object of class 0 wherever a quarter of the picture is bright, as large as that quarter."""
    weights, bias = np.zeros((6, 3)), np.zeros(6)
    weights[0], weights[5] = 1 / 3, 1 / 3
    bias[1] = bias[2] = np.arctanh(0.5)
    return _model(path, weights, bias, cells=2)


def make_segmenter(path: Path) -> Path:
    """Calls bright pixels a person and dark ones background."""
    weights, bias = np.zeros((21, 3)), np.full(21, -100.0)
    bias[0], bias[15], weights[15] = 0.0, 0.0, 1.0
    return _model(path, weights, bias, cells=SIDE)


def make_folder(folder: Path, *, count: int = 3, boxes: bool = True, masks: bool = True) -> Path:
    """Photographs of 96 x 96, dark but for one bright quarter: another one in each."""
    rng = np.random.default_rng(5)
    for name in ("images", *(["boxes"] if boxes else []), *(["masks"] if masks else [])):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        row, column = divmod(number % 4, 2)
        pixels = rng.integers(0, 30, (96, 96, 3)).astype(np.uint8)
        mask = np.full((96, 96), 184, np.uint8)
        place = np.s_[48 * row : 48 * row + 48, 48 * column : 48 * column + 48]
        pixels[place] += 220
        mask[place] = 1
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
        if masks:
            Image.fromarray(mask).save(folder / "masks" / f"{number}.png")
        if boxes:
            line = f"0 {0.25 + 0.5 * column} {0.25 + 0.5 * row} 0.5 0.5\n"
            (folder / "boxes" / f"{number}.txt").write_text(line)
    return folder
