"""Pixels of any size to what the networks take, and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from codecs_zoo.contract import Pixels
from codecs_zoo.learned.networks.shape import ALIGNMENT, PATCH


def to_tensor(pixels: Pixels, multiple: int = ALIGNMENT) -> Tensor:
    """uint8 HxWx3 to 1 x 3 x H' x W' in 0..1, float64; edges are repeated up to the next `multiple`."""
    height, width = pixels.shape[:2]
    margins = ((0, -height % multiple), (0, -width % multiple), (0, 0))
    padded = np.pad(pixels, margins, mode="edge")
    return torch.from_numpy(padded).permute(2, 0, 1).unsqueeze(0).double() / 255


def to_pixels(x_hat: Tensor, height: int, width: int) -> Pixels:
    """The first height x width of 1 x 3 x H' x W' in 0..1, rounded to uint8."""
    cropped = (x_hat[0, :, :height, :width] * 255).round().to(torch.uint8)
    return np.ascontiguousarray(cropped.permute(1, 2, 0).numpy())


def grid(height: int, width: int) -> tuple[int, int]:
    """Rows and columns of the latents of a picture of this size."""
    per_block = ALIGNMENT // PATCH
    return -(-height // ALIGNMENT) * per_block, -(-width // ALIGNMENT) * per_block


@contextmanager
def one_thread() -> Iterator[None]:
    """torch on the calling thread alone: small layers lose more by waiting for others than they gain."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
