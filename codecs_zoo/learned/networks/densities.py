"""The two densities behind the tables: a Gaussian of any scale, and one learned for each channel."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import torch
from scipy.special import expit, ndtr
from torch import Tensor, nn

from codecs_zoo.learned.networks.exact import UNITS
from codecs_zoo.learned.networks.rounding import bounded_below
from codecs_zoo.learned.networks.tables import SYMBOL_LIMIT, Tables

SCALES: Final = 64
LOG_SCALE_LOW: Final = -3.25
LOG_SCALE_STEP: Final = 0.1875
"""Scale tables: standard deviations 2 ** (LOW + i STEP), from 0.105 to 378 quantisation steps."""

LEAST_LIKELIHOOD: Final = 2.0**-20
MIXTURE: Final = 3
TAIL: Final = 2.0**-15


def gaussian_tables() -> Tables:
    """SCALES tables of a rounded Gaussian about zero."""
    masses = []
    for index in range(SCALES):
        scale = 2.0 ** (LOG_SCALE_LOW + index * LOG_SCALE_STEP)
        reach = min(math.ceil(4.5 * scale) + 1, SYMBOL_LIMIT)
        edges = np.arange(-reach, reach + 2) - 0.5
        masses.append((-reach, np.diff(ndtr(edges / scale))))
    return Tables.from_masses(masses)


def scale_rows(log_scale: Tensor) -> Tensor:
    """Tables for log2 scales in whole numbers of 1 / UNITS: integers 0..SCALES - 1, the nearest."""
    step = LOG_SCALE_STEP * UNITS
    place = ((log_scale - LOG_SCALE_LOW * UNITS + step / 2) / step).floor()
    return place.clamp(0, SCALES - 1).long()


def gaussian_likelihood(residual: Tensor, log_scale: Tensor) -> Tensor:
    """Probability of the unit interval about `residual` (distance from the mean) under N(0, 2**log_scale)."""
    inverse = torch.exp2(-bounded_below(log_scale, LOG_SCALE_LOW))
    distance, inverse = residual.abs(), inverse * math.sqrt(0.5)
    mass = torch.erfc((distance - 0.5) * inverse) - torch.erfc((distance + 0.5) * inverse)
    return bounded_below(mass / 2, LEAST_LIKELIHOOD)


class ChannelDensity(nn.Module):
    """A mixture of logistic densities for each channel, the same at every position."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(channels, MIXTURE))
        self.means = nn.Parameter(torch.zeros(channels, MIXTURE))
        self.log_scales = nn.Parameter(torch.tensor([-1.5, 0.0, 1.5]).repeat(channels, 1))

    def likelihood(self, values: Tensor, step: Tensor) -> Tensor:
        """Probability of an interval `step` wide about `values` (B x C x H x W); step is B x C x 1 x 1."""
        shape = (1, -1, 1, 1, MIXTURE)
        weights = self.weights.softmax(-1).view(shape)
        inverse = torch.exp(-self.log_scales).view(shape)
        distance = (values.unsqueeze(-1) - self.means.view(shape)).abs()
        half = step.unsqueeze(-1) / 2
        mass = torch.sigmoid((half - distance) * inverse) - torch.sigmoid((-half - distance) * inverse)
        return bounded_below((weights * mass).sum(-1), LEAST_LIKELIHOOD)

    @torch.no_grad()
    def tables(self, steps: Tensor) -> Tables:
        """For each row of steps (R x C) and each channel, in this order, the table of value / step."""
        weights, means, scales = (
            x.double().cpu().numpy() for x in (self.weights.softmax(-1), self.means, self.log_scales.exp())
        )
        masses = []
        for row in steps.double().cpu().numpy():
            for mixture in zip(weights, means / row[:, None], scales / row[:, None], strict=True):
                masses.append(_mixture_masses(*mixture))
        return Tables.from_masses(masses)


def _mixture_masses(
    weights: np.ndarray, means: np.ndarray, scales: np.ndarray
) -> tuple[int, np.ndarray]:  # numpy's type arguments would say nothing here
    """(lowest symbol, probabilities), trimmed where less than TAIL is left on either side."""
    reach = min(int(np.max(np.abs(means) + 14 * scales)) + 1, SYMBOL_LIMIT)
    edges = np.arange(-reach, reach + 2) - 0.5
    cumulative = (weights * expit((edges[:, None] - means) / scales)).sum(-1)
    first = max(int(np.searchsorted(cumulative, TAIL)) - 1, 0)
    last = min(int(np.searchsorted(cumulative, 1 - TAIL)) + 1, len(edges) - 1)
    last = max(last, first + 1)
    return first - reach, np.diff(cumulative[first : last + 1])
