"""How large a picture was to those who judged it: what metrics that model contrast sensitivity need.

Sessions with a card calibration know the pixels of a millimetre of their screen; the distance of the eye is not
measured, and is taken to be DISTANCE_MM.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from metric.core.errors import InputError

# Arm's length, at which people sit at a desk.
DISTANCE_MM = 600.0
# What can be: a television from afar, and a phone at the eye.
LEAST, MOST = 5.0, 300.0


@dataclass(frozen=True)
class Viewing:
    """`pixels_per_degree`: of the picture, of the device's size unless enlarged. `origin`: how that is known."""

    pixels_per_degree: float
    origin: str

    def __post_init__(self) -> None:
        if not LEAST <= self.pixels_per_degree <= MOST:
            raise InputError(f"Pixels per degree must be from {LEAST:g} to {MOST:g}.")

    def __str__(self) -> str:
        return f"{self.pixels_per_degree:g} pixels a degree, {self.origin}"


def viewing_of(px_per_mm: Sequence[float | None]) -> Viewing | None:
    """From the picture's pixels in a millimetre of each judgment's screen, None where not known: the median.

    Rounded to whole pixels of a degree, so that new judgments seldom change it. None where no screen was measured.
    """
    known = [value for value in px_per_mm if value is not None]
    if not known:
        return None
    per_degree = float(np.median(known)) * 2 * DISTANCE_MM * math.tan(math.radians(0.5))
    share = f"{100 * len(known) / len(px_per_mm):.0f} %"
    origin = f"screens measured for {share} of the judgments, {DISTANCE_MM / 10:.0f} cm assumed"
    return Viewing(float(round(min(max(per_degree, LEAST), MOST))), origin)


def pixels_per_mm(row: Mapping[str, str]) -> float | None:
    """Pixels of the pictures for a millimetre of the screen, by a judgment's px_per_mm and zoom, None where not known.

    An enlarged pixel covers several of the device's. Raises ValueError for what is no positive number.
    """
    zoom = _positive(row.get("zoom") or "1")
    screen = row.get("px_per_mm", "")
    return _positive(screen) / zoom if screen else None


def _positive(cell: str) -> float:
    """The number in a cell. Raises ValueError where it is none, not above 0, or infinite."""
    value = float(cell)
    if not (value > 0 and np.isfinite(value)):
        raise InputError(cell)
    return value
