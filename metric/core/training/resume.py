"""The state of a fine-tuning on disk: written whole or not at all, and left aside when it is damaged."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from imaging.files import atomic_file
from metric.core.distance.tensors import load_tensors, save_tensors

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class State:
    """After `epoch`: the model and its optimizer as they are, the model at its best epoch, losses of all epochs."""

    epoch: int
    model: dict[str, Tensor]
    optimizer: dict[str, Any]
    best: dict[str, Tensor]
    best_epoch: int
    history: list[dict[str, Any]]


def write_state(path: Path, state: State) -> None:
    """Replace the file in one step: a kill leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as draft:
        # Not asdict, which would copy each tensor once more.
        save_tensors({name: getattr(state, name) for name in State.__dataclass_fields__}, draft)


def read_state(path: Path) -> State | None:
    """What `write_state` wrote; None when there is none, or, with a warning in the log, when it is damaged."""
    if not path.is_file():
        return None
    try:
        return State(**load_tensors(path))
    except (ValueError, TypeError) as error:
        logger.warning("%s is damaged (%s): fine-tuning starts from the beginning", path, error)
        return None
