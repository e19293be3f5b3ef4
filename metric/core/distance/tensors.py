"""Files of tensors, whoever sent them: read without running anything that they hold."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from metric.core.errors import InputError


def save_tensors(tensors: Any, path: Path) -> None:
    """Writes what `load_tensors` reads. Raises OSError where the disk is full; torch's own writer hides the reason."""
    with path.open("wb") as file:
        torch.save(tensors, file)


def load_tensors(path: Path) -> Any:
    """What a `.safetensors` file or one of `torch.save` holds, on the CPU; tensors and plain values only.

    Raises ValueError with the reason for a file that is missing, damaged, of another kind, or holds code.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # torch's own words lead to switching the check off.
        raise InputError(f"{path} contains something other than tensors and is not read") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:
        # Random bytes make the reader stumble anywhere: KeyError, IndexError, struct.error.
        raise InputError(
            f"{path} is damaged or not a file of tensors ({type(error).__name__}: {error})"
        ) from error
