"""The file of weights: safetensors, written without its package so that training needs torch alone.

The analysis, which only encoders run, has its large tables in 8 bits, one scale a row; the rest is float16.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from codecs_zoo.contract import CodecError
from codecs_zoo.learned.pyramid.model import PyramidModel
from codecs_zoo.learned.pyramid.shape import Shape
from imaging.files import write_atomic

FORMAT: Final = "closer pyramid 1"
TYPES = {torch.float16: "F16", torch.int8: "I8", torch.int32: "I32", torch.float32: "F32"}
READ = {"F16": np.float16, "I8": np.int8, "I32": np.int32, "F32": np.float32}
FROZEN = "frozen."
"""Whole numbers that a decoder needs beside the networks: steps and tables, made once."""
SCALE = ".scale"
EIGHT_BITS_FROM = 20_000
"""Numbers in a table of the analysis from which it has 8 bits."""


def write_weights(model: PyramidModel, path: Path) -> None:
    """Every parameter of `model`; the file is whole or not there."""
    tensors: dict[str, Tensor] = {}
    for name, value in model.state_dict().items():
        tensors.update(_packed(name, value.detach().float().cpu().contiguous()))
    write_tensors(tensors, path, model.shape)


def write_tensors(tensors: dict[str, Tensor], path: Path, shape: Shape) -> None:
    """A safetensors file, whole or not there; the networks' shape is in its metadata."""
    head: dict[str, Any] = {"__metadata__": {"format": FORMAT, "shape": json.dumps(asdict(shape))}}
    at, parts = 0, []
    for name, tensor in sorted(tensors.items()):
        content = tensor.numpy().tobytes()
        head[name] = {
            "dtype": TYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [at, at + len(content)],
        }
        at += len(content)
        parts.append(content)
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    write_atomic(path, len(text).to_bytes(8, "little") + text + b"".join(parts))


def read_model(path: Path) -> tuple[PyramidModel, dict[str, Tensor]]:
    """The networks, and the frozen whole numbers if the file has them.

    Raises CodecError for a file that is missing or no weights of pyramid.
    """
    try:
        head, tensors = read_tensors(path)
        frozen = {name[len(FROZEN) :]: tensors.pop(name) for name in list(tensors) if name.startswith(FROZEN)}
        model = PyramidModel(_shape(json.loads(head["shape"])))
        model.load_state_dict(
            {name: _unpacked(name, tensors) for name in tensors if not name.endswith(SCALE)}
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise CodecError(
            f"{path} does not contain weights of pyramid ({error}). Give another file; if it came with closer, "
            f"install that again."
        ) from error
    return model, frozen


def _shape(numbers: dict[str, Any]) -> Shape:
    lists_as_tuples: dict[str, Any] = {
        name: tuple(each) if isinstance(each, list) else each for name, each in numbers.items()
    }
    return Shape(**lists_as_tuples)


def _packed(name: str, value: Tensor) -> dict[str, Tensor]:
    eight_bits = name.startswith("analysis.") and ".linear." not in name and value.numel() >= EIGHT_BITS_FROM
    if not eight_bits:
        return {name: value.half()}
    scale = value.flatten(1).abs().amax(1).clamp(min=1e-6) / 127
    quantized = (value / scale.view(-1, *[1] * (value.dim() - 1))).round().clamp(-127, 127)
    return {name: quantized.to(torch.int8), name + SCALE: scale}


def _unpacked(name: str, tensors: dict[str, Tensor]) -> Tensor:
    value = tensors[name].float()
    scale = tensors.get(name + SCALE)
    return value if scale is None else value * scale.view(-1, *[1] * (value.dim() - 1))


def read_tensors(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """The file's metadata, and its tensors by name. Raises ValueError or KeyError for another kind of file."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    head = json.loads(content[8 : 8 + length])
    metadata = head.pop("__metadata__", {"format": FORMAT, "shape": "{}"})
    if metadata["format"] != FORMAT:
        raise ValueError(f"its format is {metadata['format']!r}, but this version reads {FORMAT!r}")
    tensors = {}
    for name, about in head.items():
        first, last = (8 + length + place for place in about["data_offsets"])
        values = np.frombuffer(content[first:last], READ[about["dtype"]]).reshape(about["shape"])
        tensors[name] = torch.from_numpy(values.copy())
    return metadata, tensors
