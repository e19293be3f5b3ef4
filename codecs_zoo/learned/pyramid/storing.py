"""The file of weights: safetensors, written without its package so that training needs torch alone.

The analysis, which only encoders run, has its large tables in 8 bits, one scale a row; the rest is float16.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from codecs_zoo.contract import CodecError

TYPES = {torch.float16: "F16", torch.int8: "I8", torch.float32: "F32"}
READ = {"F16": np.float16, "I8": np.int8, "F32": np.float32}
SCALE = ".scale"
EIGHT_BITS_FROM = 20_000
"""Numbers in a table of the analysis from which it has 8 bits."""


def write_weights(model: nn.Module, path: Path) -> None:
    """Every parameter of `model`; the file is whole or not there."""
    tensors: dict[str, Tensor] = {}
    for name, value in model.state_dict().items():
        tensors.update(_packed(name, value.detach().float().cpu().contiguous()))
    head, at, parts = {}, 0, []
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
    half = path.with_name(path.name + ".half")
    half.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(parts))
    os.replace(half, path)


def read_weights(model: nn.Module, path: Path) -> None:
    """Fill `model` with the file's weights. Raises CodecError for a file that does not fit it."""
    try:
        tensors = _tensors(path.read_bytes())
        state = {name: _unpacked(name, tensors) for name in tensors if not name.endswith(SCALE)}
        model.load_state_dict(state)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise CodecError(f"{path} holds no weights of pyramid: {error}") from error


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


def _tensors(content: bytes) -> dict[str, Tensor]:
    length = int.from_bytes(content[:8], "little")
    head = json.loads(content[8 : 8 + length])
    found = {}
    for name, about in head.items():
        first, last = (8 + length + place for place in about["data_offsets"])
        values = np.frombuffer(content[first:last], READ[about["dtype"]]).reshape(about["shape"])
        found[name] = torch.from_numpy(values.copy())
    return found
