"""Round numbers for axes, and the room that words take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil, floor, log10
from statistics import median

# What letters take at 12 px in DejaVu Sans, the widest of the house's fonts: narrow ones, wide ones, all others.
NARROW, WIDE, LETTER = 5.0, 12.0, 8.0


def ticks(low: float, high: float, *, about: int = 5, inside: bool = False) -> list[float]:
    """Round numbers that cover low..high, roughly `about` of them; with `inside`, those that lie within."""
    rough = ((high - low) or 1.0) / about
    unit = 10.0 ** floor(log10(rough))
    step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= rough * 0.999)
    slack = 1e-9
    if inside:
        first, last = ceil(low / step - slack), floor(high / step + slack)
    else:
        first, last = floor(low / step + slack), ceil(high / step - slack)
    return [round(step * n, 10) for n in range(first, last + 1)]


def clipped_range(
    values: Sequence[float], intervals: Iterable[tuple[float, float]] = ()
) -> tuple[float, float]:
    """The lowest and the highest number of an axis on which a few wide intervals do not squeeze the values together.

    Every value is inside. An interval is where it reaches no farther beyond the outermost value than the values are
    apart, or than the median interval is wide; a wider one is cut there (`clipped` says whether one is).
    """
    ends = list(intervals)
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = max(high - low, median(top - bottom for bottom, top in ends) if ends else 0.0)
    lowest = min((bottom for bottom, _ in ends), default=low)
    highest = max((top for _, top in ends), default=high)
    return max(min(low, lowest), low - room), min(max(high, highest), high + room)


def clipped(value: float, low: float, high: float) -> int:
    """-1 where a value lies below an axis from low to high, 1 above it, 0 on it."""
    return -1 if value < low else 1 if value > high else 0


def text_width(words: str) -> float:
    """What `words` take in a drawing, in its units; rather more than less."""
    return sum(NARROW if c in "fijlrtI .,:;()[]|/-" else WIDE if c in "mwMW%@" else LETTER for c in words)
