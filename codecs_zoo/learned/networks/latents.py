"""Between tensors of latents and flat arrays of symbols, channel by channel."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from codecs_zoo.learned.networks.tables import SYMBOL_LIMIT, Symbols


def to_symbols(y: Tensor) -> Symbols:
    """1 x C x h x w of anything to C * h * w rounded whole numbers within the coder's limit."""
    rounded = y.round().clamp(-SYMBOL_LIMIT, SYMBOL_LIMIT)
    return rounded.flatten().to(torch.int32).numpy()


def from_symbols(symbols: Symbols, channels: int, height: int, width: int) -> Tensor:
    """The way back: float64, 1 x C x h x w."""
    return torch.from_numpy(symbols.astype(np.float64)).view(1, channels, height, width)
