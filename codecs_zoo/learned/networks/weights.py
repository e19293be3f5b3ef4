"""Weight files: which network, its shape, float16 numbers and the integer tables, in one safetensors file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from codecs_zoo.contract import CodecError
from codecs_zoo.learned.networks.model import LearnedModel
from codecs_zoo.learned.networks.shape import Shape
from codecs_zoo.learned.networks.tables import Tables
from imaging.files import write_atomic

FORMAT = "closer learned codec 1"
EXACT_NUMBERS = {"steps", "log_steps"}
"""Kept in float32: bitstreams are read with them."""


class WeightsError(CodecError):
    """A file that holds no weights of this codec."""


def save_weights(name: str, model: LearnedModel, path: Path) -> None:
    """Write the trained `model` (which stays as it is) for coding; tables are made from the rounded weights."""
    rounded = type(model)(model.shape)
    state = {key: _stored(key, value.detach().cpu()) for key, value in model.state_dict().items()}
    rounded.load_state_dict({key: value.float() for key, value in state.items()})
    rounded.update()
    state["steps"] = rounded.steps.float()
    for table_name, tables in rounded.tables.items():
        for part, numbers in tables.as_arrays().items():
            state[f"tables.{table_name}.{part}"] = torch.from_numpy(numbers)
    metadata = {"format": FORMAT, "codec": name, "shape": json.dumps(asdict(model.shape))}
    write_atomic(path, save({key: value.contiguous() for key, value in state.items()}, metadata))


def load_weights(name: str, path: Path, build: Callable[[Shape], LearnedModel]) -> LearnedModel:
    """The networks that `build` makes, for the codec called `name`, ready to code.

    Raises WeightsError if the file is not theirs.
    """
    metadata, state = read_weights(path)
    if metadata.get("codec") != name:
        raise WeightsError(f"{path} contains weights of {metadata.get('codec')!r}, not of {name!r}.")
    model = build(_shape(metadata["shape"]))
    tables = {key: state.pop(key) for key in list(state) if key.startswith("tables.")}
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise WeightsError(f"{path} does not match the networks of {name!r}: {error}") from error
    model.update(_tables(tables))
    return model


def shape_in(path: Path) -> Shape:
    """The shape of the networks whose weights are in a file. Raises WeightsError for another kind of file."""
    return _shape(read_weights(path)[0]["shape"])


def read_weights(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Metadata and tensors. Raises WeightsError for another kind of file."""
    try:
        with safe_open(path, "pt") as opened:
            metadata = opened.metadata() or {}
            state = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"{path} is missing or not a safetensors file ({error}). Give another file; if it came with closer, "
            f"install that again."
        ) from error
    if metadata.get("format") != FORMAT:
        raise WeightsError(
            f"{path} has format {metadata.get('format')!r}; this version reads {FORMAT!r}. "
            "Use weights that `train` wrote."
        )
    return metadata, state


def _stored(key: str, value: Tensor) -> Tensor:
    return value if key in EXACT_NUMBERS else value.half()


def _shape(text: str) -> Shape:
    numbers: dict[str, Any] = json.loads(text)
    return Shape(**{**numbers, "groups": tuple(numbers["groups"])})


def _tables(state: dict[str, Tensor]) -> dict[str, Tables]:
    names = {key.split(".")[1] for key in state}
    return {
        name: Tables(*(state[f"tables.{name}.{part}"].numpy() for part in ("starts", "lowest", "counts")))
        for name in names
    }
