"""The tables that symbols are coded by: a Gaussian and, with a share of it, one three times as wide.

There is a table for each of SCALES scales and SHAPES shares. They are made once, when trained networks are frozen,
and stored with the weights: every machine codes with the same whole numbers.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from codecs_zoo.learned.networks.tables import Integers, Tables
from codecs_zoo.learned.pyramid.entropy import LOG_SCALE_HIGH, LOG_SCALE_LOW, MOST_WIDE, WIDER
from codecs_zoo.learned.pyramid.exact import UNITS

LOG_SCALE_STEP: Final = 0.1875
SCALES: Final = round((LOG_SCALE_HIGH - LOG_SCALE_LOW) / LOG_SCALE_STEP) + 1
SHAPES: Final = 8
SHAPE_EDGES: Final = (-15941, -9000, -4185, 0, 4185, 9000, 15941)
"""log(i / (8 - i)) in units of 2**-13, rounded: where sigmoid passes i / 8, for i from 1 to 7."""


def rows_of(log_scales: npt.NDArray[np.float64], shapes: npt.NDArray[np.float64]) -> Integers:
    """The table for each pair of whole numbers of 1 / UNITS: log2 of the scale, and the logit of the share."""
    step = LOG_SCALE_STEP * UNITS
    scale = np.floor((log_scales - LOG_SCALE_LOW * UNITS + step / 2) / step).clip(0, SCALES - 1)
    shape = np.searchsorted(np.array(SHAPE_EDGES), shapes)
    rows: Integers = scale.astype(np.int64) * SHAPES + shape
    return rows


def make_tables() -> Tables:
    """All tables, by scale and then by share. scipy is needed here, and only here."""
    masses = []
    for scale_index in range(SCALES):
        scale = 2.0 ** (LOG_SCALE_LOW + scale_index * LOG_SCALE_STEP)
        for shape_index in range(SHAPES):
            wide = MOST_WIDE * (shape_index + 0.5) / SHAPES
            masses.append(_masses(scale, wide))
    return Tables.from_masses(masses)


def _masses(scale: float, wide: float) -> tuple[int, npt.NDArray[np.float64]]:
    from scipy.special import ndtr

    reach = math.ceil(4 * WIDER * scale) + 1
    edges = np.arange(-reach, reach + 2) - 0.5
    cumulative = (1 - wide) * ndtr(edges / scale) + wide * ndtr(edges / (WIDER * scale))
    masses = np.diff(cumulative)
    kept = np.flatnonzero(masses >= LEAST_MASS)
    first, last = (int(kept[0]), int(kept[-1])) if len(kept) else (reach, reach)
    return first - reach, masses[first : last + 1]


LEAST_MASS: Final = 2.0**-17
