"""The report's drawings as SVG: curves, differences to the anchor, dots with whiskers.

Every interval that is known is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log, log10
from xml.etree.ElementTree import Element, SubElement, tostring

from codecs_zoo.look import COLOURS, look_class, look_of, outline
from codecs_zoo.sweep.summary import Interval, Spot

WIDTH, HEIGHT = 560, 400
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 28, 48
MARK = 4.2


@dataclass(frozen=True)
class Line:
    """A codec's spots, to be drawn in its look."""

    codec: str
    spots: Sequence[Spot]


def dash_class(codec: str) -> str:
    """Whole lines for the first codec of a colour, then dashed, then dotted."""
    return ("", "dashed", "dotted")[look_of(codec) // COLOURS % 3]


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers inside low..high, roughly `about` of them."""
    rough = (high - low or 1.0) / about
    unit = 10.0 ** floor(log10(rough))
    step = next(unit * m for m in (1, 2, 2.5, 5, 10) if unit * m >= rough * 0.999)
    return [round(step * n, 10) for n in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


class Panel:
    """Axes of a fixed size, and marks on them."""

    def __init__(self, title: str, low: float, high: float) -> None:
        self.root = Element("svg", viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img")
        self.root.set("aria-label", title)
        room = (high - low or 1.0) * 0.05
        self.low, self.high = low - room, high + room

    def up(self, value: float) -> float:
        """Where a value lies on the vertical axis."""
        share = (value - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def text(self, x: float, y: float, words: str, anchor: str = "middle") -> None:
        """Quiet words whose baseline is at y."""
        place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor, "class": "axis"}
        SubElement(self.root, "text", place).text = words

    def stroke(self, x1: float, y1: float, x2: float, y2: float, look: str) -> None:
        """A straight line of a class."""
        ends = {"x1": f"{x1:.1f}", "y1": f"{y1:.1f}", "x2": f"{x2:.1f}", "y2": f"{y2:.1f}"}
        SubElement(self.root, "line", ends | {"class": look})

    def scale(self, label: str) -> None:
        """The vertical axis: hairlines, numbers, and its label on top."""
        for tick in ticks(self.low, self.high):
            self.stroke(LEFT, self.up(tick), WIDTH - RIGHT, self.up(tick), "grid")
            self.text(LEFT - 8, self.up(tick) + 4, f"{tick:g}", "end")
        self.text(0, 12, label, "start")

    def mark(self, codec: str, x: float, interval: Interval, whole: bool) -> None:
        """A shape with its whisker; hollow where some photographs are missing."""
        look = look_of(codec)
        if interval.low is not None and interval.high is not None:
            self.stroke(x, self.up(interval.low), x, self.up(interval.high), f"whisker {look_class(look)}")
        dot = "dot" if whole else "dot hollow"
        shape = outline(look, x, self.up(interval.value), MARK)
        SubElement(self.root, "path", {"d": shape, "class": f"{dot} {look_class(look)}"})

    def svg(self) -> str:
        """The drawing; every word in it is escaped."""
        return tostring(self.root, encoding="unicode")


def curves(lines: Sequence[Line], photos: int, *, title: str, label: str) -> str:
    """Quality over rate, which is drawn by its logarithm; whiskers of neighbours stand side by side."""
    spots = [spot for line in lines for spot in line.spots]
    panel = Panel(title, *_reach([spot.quality for spot in spots]))
    panel.scale(label)
    targets = sorted({spot.target_bpp for spot in spots})
    low, high = log(min(spot.bpp for spot in spots)), log(max(spot.bpp for spot in spots))
    span = (high - low) or 1.0

    def across(bpp: float) -> float:
        return LEFT + 24 + (log(bpp) - low) / span * (WIDTH - LEFT - RIGHT - 48)

    for target in targets:
        panel.text(across(target), HEIGHT - BOTTOM + 20, f"{target:g}")
    panel.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "bits per pixel")
    for line in lines:
        places = [(across(spot.bpp), panel.up(spot.quality.value)) for spot in line.spots]
        for (x1, y1), (x2, y2) in pairwise(places):
            panel.stroke(x1, y1, x2, y2, f"curve {dash_class(line.codec)} {look_class(look_of(line.codec))}")
    for n, line in enumerate(lines):
        aside = (n - (len(lines) - 1) / 2) * 1.5
        for spot in line.spots:
            panel.mark(line.codec, across(spot.bpp) + aside, spot.quality, spot.quality.n == photos)
    return panel.svg()


def differences(lines: Sequence[Line], photos: int, *, title: str, label: str) -> str:
    """The difference to the anchor in groups by target, codecs side by side in the order given."""
    spots = [spot for line in lines for spot in line.spots]
    low, high = _reach([spot.quality for spot in spots])
    panel = Panel(title, min(low, 0), max(high, 0))
    panel.scale(label)
    panel.stroke(LEFT, panel.up(0), WIDTH - RIGHT, panel.up(0), "zero")
    targets = sorted({spot.target_bpp for spot in spots})
    group = (WIDTH - LEFT - RIGHT) / len(targets)
    step = min(group * 0.84 / max(len(lines), 1), 22)
    for place, target in enumerate(targets):
        middle = LEFT + group * (place + 0.5)
        panel.text(middle, HEIGHT - BOTTOM + 20, f"{target:g}")
        if place:
            panel.stroke(LEFT + group * place, TOP, LEFT + group * place, HEIGHT - BOTTOM, "grid")
        for n, line in enumerate(lines):
            for spot in line.spots:
                if spot.target_bpp == target:
                    x = middle + (n - (len(lines) - 1) / 2) * step
                    panel.mark(line.codec, x, spot.quality, spot.quality.n == photos)
    panel.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "bits per pixel aimed at")
    return panel.svg()


def whisker(codec: str, interval: Interval, low: float, high: float) -> str:
    """A dot with its interval on a scale from low to high, with a line at 0, to stand in a table's cell."""
    look, width, height = look_of(codec), 132, 20
    root = Element("svg", viewBox=f"0 0 {width} {height}", width=str(width), height=str(height))
    root.set("aria-hidden", "true")

    def across(value: float) -> str:
        return f"{6 + (min(max(value, low), high) - low) / ((high - low) or 1) * (width - 12):.1f}"

    zero = {"x1": across(0), "x2": across(0), "y1": "0", "y2": str(height), "class": "zero"}
    SubElement(root, "line", zero)
    if interval.low is not None and interval.high is not None:
        ends = {"x1": across(interval.low), "x2": across(interval.high), "y1": "10", "y2": "10"}
        SubElement(root, "line", ends | {"class": f"whisker {look_class(look)}"})
    shape = outline(look, float(across(interval.value)), 10, MARK)
    SubElement(root, "path", {"d": shape, "class": f"dot {look_class(look)}"})
    return tostring(root, encoding="unicode")


def _reach(intervals: Sequence[Interval]) -> tuple[float, float]:
    ends = [
        (i.low, i.high) if i.low is not None and i.high is not None else (i.value,) * 2 for i in intervals
    ]
    return min(low for low, _ in ends), max(high for _, high in ends)
