"""Files of numbers from outside."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

LARGEST_BYTES = 4096


class NumberError(ValueError):
    """A file that should hold one number and does not; the message names it."""


def read_number(path: Path) -> float:
    """The one real, finite number of a NumPy file (.npy). Raises NumberError for anything else."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise NumberError(f"{path} is too large to hold one number.")
        content = path.read_bytes()
    except OSError as error:
        raise NumberError(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except (
        Exception
    ) as error:  # NumPy's reader fails in many ways, and some of its messages advise unsafe loading
        raise NumberError(f"{path} is empty, damaged, or not a NumPy file (.npy) of one number.") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu" or array.size != 1:
        raise NumberError(f"{path} does not hold exactly one real number.")
    value = float(array.reshape(-1)[0])
    if not np.isfinite(value):
        raise NumberError(f"{path} holds {value}, not a finite number.")
    return value
