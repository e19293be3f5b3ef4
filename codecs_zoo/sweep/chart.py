"""The report's drawings: curves, differences to the anchor, dots with whiskers.

Every interval that is known is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

from codecs_zoo.look import method_look
from codecs_zoo.sweep.intervals import Interval
from codecs_zoo.sweep.summary import Spot
from imaging.plots.axes import ticks
from imaging.plots.scene import Scene

WIDTH, HEIGHT = 560, 400
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 28, 48
MARK, SMALL_MARK = 4.2, 2.4
WHISKER = 1.3


@dataclass(frozen=True)
class Line:
    """A codec's spots, to be drawn in its look."""

    codec: str
    spots: Sequence[Spot]


class Panel:
    """Axes of a fixed size, and marks on them."""

    def __init__(self, title: str, low: float, high: float, *, opacity: float = 0.75) -> None:
        self.scene = Scene(WIDTH, HEIGHT, title=title)
        room = (high - low or 1.0) * 0.05
        self.low, self.high, self.opacity = low - room, high + room, opacity

    def up(self, value: float) -> float:
        """Where a value lies on the vertical axis."""
        share = (value - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def under(self, x: float, words: str, *, far: bool = False) -> None:
        """Words below the axis; `far` for its label."""
        self.scene.text(x, HEIGHT - 8 if far else HEIGHT - BOTTOM + 20, words, anchor="middle")

    def scale(self, label: str) -> None:
        """The vertical axis: hairlines, numbers, and its label on top."""
        for tick in ticks(self.low, self.high, inside=True):
            self.scene.line(LEFT, self.up(tick), WIDTH - RIGHT, self.up(tick), faint=True)
            self.scene.text(LEFT - 8, self.up(tick) + 4, f"{tick:g}", anchor="end")
        self.scene.text(0, 12, label)

    def mark(self, codec: str, x: float, interval: Interval, whole: bool) -> None:
        """A shape with its whisker; small where some photographs are missing (hollow is a codec with options)."""
        look = method_look(codec)
        if interval.low is not None and interval.high is not None:
            low, high = self.up(interval.low), self.up(interval.high)
            self.scene.line(x, low, x, high, look=look.name, width=WHISKER, opacity=self.opacity)
        look.mark(self.scene, x, self.up(interval.value), MARK if whole else SMALL_MARK)


def note_on_missing(lines: Sequence[Line], photos: int) -> str:
    """What a small mark means, with a blank before it; empty where every spot is of all photographs."""
    some = any(spot.quality.n != photos for line in lines for spot in line.spots)
    return " A small mark: some photographs are missing." if some else ""


def curves(lines: Sequence[Line], photos: int, *, title: str, label: str) -> Scene:
    """Quality over rate, which is drawn by its logarithm; whiskers of neighbours stand side by side."""
    spots = [spot for line in lines for spot in line.spots]
    # So many whiskers lie over each other here that they would hide the curves.
    panel = Panel(title, *_reach([spot.quality for spot in spots]), opacity=0.28)
    panel.scale(label)
    low, high = log(min(spot.bpp for spot in spots)), log(max(spot.bpp for spot in spots))
    span = (high - low) or 1.0

    def across(bpp: float) -> float:
        return LEFT + 24 + (log(bpp) - low) / span * (WIDTH - LEFT - RIGHT - 48)

    for target in sorted({spot.target_bpp for spot in spots}):
        panel.under(across(target), f"{target:g}")
    panel.under((LEFT + WIDTH - RIGHT) / 2, "bits per pixel", far=True)
    for line in lines:
        look = method_look(line.codec)
        places = [(across(spot.bpp), panel.up(spot.quality.value)) for spot in line.spots]
        for start, end in pairwise(places):
            panel.scene.line(*start, *end, look=look.name, width=1.6, dash=look.dash)
    for n, line in enumerate(lines):
        aside = (n - (len(lines) - 1) / 2) * 1.5
        for spot in line.spots:
            panel.mark(line.codec, across(spot.bpp) + aside, spot.quality, spot.quality.n == photos)
    return panel.scene


def differences(lines: Sequence[Line], photos: int, *, title: str, label: str) -> Scene:
    """The difference to the anchor in groups by target, codecs side by side in the order given."""
    spots = [spot for line in lines for spot in line.spots]
    low, high = _reach([spot.quality for spot in spots])
    panel = Panel(title, min(low, 0), max(high, 0))
    panel.scale(label)
    panel.scene.line(LEFT, panel.up(0), WIDTH - RIGHT, panel.up(0), opacity=0.5)
    targets = sorted({spot.target_bpp for spot in spots})
    group = (WIDTH - LEFT - RIGHT) / len(targets)
    step = min(group * 0.84 / max(len(lines), 1), 22)
    for place, target in enumerate(targets):
        middle = LEFT + group * (place + 0.5)
        panel.under(middle, f"{target:g}")
        if place:
            panel.scene.line(LEFT + group * place, TOP, LEFT + group * place, HEIGHT - BOTTOM, faint=True)
        for n, line in enumerate(lines):
            for spot in line.spots:
                if spot.target_bpp == target:
                    x = middle + (n - (len(lines) - 1) / 2) * step
                    panel.mark(line.codec, x, spot.quality, spot.quality.n == photos)
    panel.under((LEFT + WIDTH - RIGHT) / 2, "bits per pixel aimed at", far=True)
    return panel.scene


def whisker(codec: str, interval: Interval, low: float, high: float) -> Scene:
    """A dot with its interval on a scale from low to high, with a line at 0, to stand in a table's cell."""
    look, width, height = method_look(codec), 132, 20
    scene = Scene(width, height, fixed=True)

    def across(value: float) -> float:
        return 6 + (min(max(value, low), high) - low) / ((high - low) or 1) * (width - 12)

    scene.line(across(0), 0, across(0), height, opacity=0.5)
    if interval.low is not None and interval.high is not None:
        ends = across(interval.low), 10, across(interval.high), 10
        scene.line(*ends, look=look.name, width=WHISKER, opacity=0.75)
    look.mark(scene, across(interval.value), 10, MARK)
    return scene


def _reach(intervals: Sequence[Interval]) -> tuple[float, float]:
    ends = [
        (i.low, i.high) if i.low is not None and i.high is not None else (i.value,) * 2 for i in intervals
    ]
    return min(low for low, _ in ends), max(high for _, high in ends)
