"""Round numbers for axes, and the room that words take."""

from __future__ import annotations

from math import ceil, floor, log10

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


def width_of(words: str) -> float:
    """What `words` take in a drawing, in its units; rather more than less."""
    return sum(NARROW if c in "fijlrtI .,:;()[]|/-" else WIDE if c in "mwMW%@" else LETTER for c in words)
