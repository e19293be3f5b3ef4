"""Figures as SVG: drawn here once, for a page and for a paper alike. They know numbers and words, no database.

Colours come from the classes of closer.css (a codec's look, `muted`), never from a style attribute, so the same
drawing serves both colour schemes. Every interval that is known is drawn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import ceil, floor, isfinite, log10
from xml.etree.ElementTree import Element, SubElement, tostring

from django.utils.safestring import SafeString, mark_safe

from codecs_zoo.look import look_class, outline

WIDTH = 576
ROW = 30
# What letters take at 12 px in DejaVu Sans, the widest of the house's fonts: narrow ones, wide ones, all others.
NARROW, WIDE, LETTER = 5.0, 12.0, 8.0


@dataclass(frozen=True)
class Point:
    """A value at x with its interval; low and high are None where there is none."""

    x: float
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Series:
    """Points that belong together. `look` picks colour and shape: one codec has one look everywhere."""

    name: str
    look: int
    points: Sequence[Point]


@dataclass(frozen=True)
class Dot:
    """One row of a dot plot; `value` None leaves the row empty and `note` says why; `strong` marks what matters."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    look: int | None = None
    note: str = ""
    strong: bool = False


class Drawing:
    """An SVG of a fixed width that is built from the top down."""

    def __init__(self, height: float, *, title: str) -> None:
        self.root = Element("svg", viewBox=f"0 0 {WIDTH} {height:g}", role="img")
        self.root.set("aria-label", title)
        self.root.set("xmlns", "http://www.w3.org/2000/svg")

    def line(self, x1: float, y1: float, x2: float, y2: float, *, faint: bool = False, **more: str) -> None:
        """A straight line, thin; `faint` for a grid."""
        ends = {"x1": f"{x1:.1f}", "y1": f"{y1:.1f}", "x2": f"{x2:.1f}", "y2": f"{y2:.1f}"}
        stroke = {"stroke": "currentColor", "stroke-opacity": "0.14" if faint else "1"}
        SubElement(self.root, "line", ends | stroke | more)

    def text(
        self, x: float, y: float, words: str, *, anchor: str = "start", look: str = "muted", **more: str
    ) -> None:
        """Words whose baseline is at y."""
        place = {
            "x": f"{x:.1f}",
            "y": f"{y:.1f}",
            "text-anchor": anchor,
            "class": look,
            "fill": "currentColor",
        }
        SubElement(self.root, "text", place | more).text = words

    def path(self, d: str, **more: str) -> Element:
        """Any outline."""
        return SubElement(self.root, "path", {"d": d, "fill": "currentColor"} | more)

    def svg(self) -> SafeString:
        """The drawing as text; every word in it is escaped."""
        # ElementTree has escaped what came in as text or attribute.
        return mark_safe(tostring(self.root, encoding="unicode"))


def whisker(
    value: float, low: float | None, high: float | None, *, most: float = 1.0, reference: float | None = None
) -> SafeString:
    """A dot with its interval on a scale from 0 to `most`, small enough for a table's cell, beside its numbers."""
    root = Element("svg", {"viewBox": "0 0 72 12", "width": "72", "height": "12", "class": "whisker"})
    root.set("aria-hidden", "true")

    def across(of: float) -> str:
        return f"{3 + 66 * min(max(of / most, 0.0), 1.0):.1f}"

    line = {"y1": "6", "y2": "6", "stroke": "currentColor"}
    SubElement(root, "line", line | {"x1": "3", "x2": "69", "stroke-opacity": "0.2"})
    if reference is not None:
        place = {"x1": across(reference), "x2": across(reference), "y1": "1", "y2": "11"}
        SubElement(root, "line", place | {"stroke": "currentColor", "stroke-opacity": "0.5"})
    if low is not None and high is not None:
        SubElement(root, "line", line | {"x1": across(low), "x2": across(high), "stroke-width": "1.6"})
    SubElement(root, "circle", cx=across(value), cy="6", r="3", fill="currentColor")
    return mark_safe(tostring(root, encoding="unicode"))


def width_of(words: str) -> float:
    """What `words` take in a drawing, in its units; rather more than less."""
    return sum(NARROW if c in "fijlrtI .,:;()[]|/-" else WIDE if c in "mwMW%@" else LETTER for c in words)


def ticks(low: float, high: float, *, about: int = 5) -> list[float]:
    """Round numbers that cover low..high, roughly `about` of them."""
    span = (high - low) or 1.0
    rough = span / about
    unit = 10.0 ** floor(log10(rough))
    step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= rough)
    return [round(step * n, 10) for n in range(floor(low / step + 1e-9), ceil(high / step - 1e-9) + 1)]


def bars(days: Sequence[tuple[date, int]], *, title: str) -> SafeString:
    """A bar for each day, from 0; the axis is counted in judgments."""
    left, top, bottom = 44, 12, 132
    drawing = Drawing(160, title=f"{title}: {sum(count for _, count in days):,} in {len(days)} days")
    marks = [tick for tick in ticks(0, max(count for _, count in days) or 1, about=3) if tick == int(tick)]
    scale = (bottom - top) / marks[-1]
    for tick in marks:
        drawing.line(left, bottom - tick * scale, WIDTH, bottom - tick * scale, faint=True)
        drawing.text(left - 8, bottom - tick * scale + 4, f"{tick:,.0f}", anchor="end")
    slot = min((WIDTH - left) / len(days), 48)
    for n, (_, count) in enumerate(days):
        height = count * scale
        box = (
            f"M{left + n * slot + slot * 0.15:.1f} {bottom:.1f}v{-height:.1f}h{slot * 0.7:.1f}v{height:.1f}z"
        )
        drawing.path(box, **{"class": "chart-bar"})
    for n in sorted({0, len(days) - 1}):
        anchor = "start" if n == 0 else "end"
        x = left + (n + (0.15 if n == 0 else 0.85)) * slot
        if n == 0 or n * slot > 100:
            drawing.text(x, bottom + 20, f"{days[n][0]:%-d %b}", anchor=anchor)
    return drawing.svg()


def curves(
    series: Sequence[Series], *, title: str, x_label: str, y_label: str, reference: float | None = None
) -> SafeString:
    """A line for each series over x, with intervals; y is a share from 0 to 1, x is drawn at equal steps."""
    left, right, top, bottom = 44, WIDTH - 12, 34, 284
    drawing = Drawing(332, title=title)
    places = sorted({point.x for one in series for point in one.points})
    step = (right - left) / max(len(places), 1)
    at = {x: left + step * (n + 0.5) for n, x in enumerate(places)}

    def height(share: float) -> float:
        return bottom - share * (bottom - top)

    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        drawing.line(left, height(tick), right, height(tick), faint=tick != reference)
        drawing.text(left - 8, height(tick) + 4, f"{tick:.0%}", anchor="end")
    for x in places:
        drawing.text(at[x], bottom + 18, f"{x:g}", anchor="middle")
    drawing.text((left + right) / 2, bottom + 40, x_label, anchor="middle")
    drawing.text(0, 12, y_label)
    for n, one in enumerate(series):
        # Whiskers of several series at one place stand beside each other.
        aside = (n - (len(series) - 1) / 2) * min(10.0, step / (len(series) + 1))
        _curve(drawing, one, lambda x, aside=aside: at[x] + aside, height)
    return drawing.svg()


def _curve(
    drawing: Drawing, one: Series, across: Callable[[float], float], height: Callable[[float], float]
) -> None:
    look = {"class": look_class(one.look)}
    points = sorted(one.points, key=lambda point: point.x)
    for a, b in pairwise(points):
        drawing.line(
            across(a.x), height(a.value), across(b.x), height(b.value), **look, **{"stroke-width": "1.6"}
        )
    for point in points:
        if point.low is not None and point.high is not None:
            drawing.line(across(point.x), height(point.low), across(point.x), height(point.high), **look)
        drawing.path(outline(one.look, across(point.x), height(point.value)), **look)


def heat_map(names: Sequence[str], shares: Sequence[Sequence[float | None]], *, title: str) -> SafeString:
    """How often the row was preferred to the column, 0 to 1; the number is in the cell, the shade repeats it."""
    widest = max(map(width_of, names))
    left, row = max(96.0, 12 + widest), 34
    cell = min((WIDTH - left) / len(names), 96)
    upright = widest > cell
    top = 20 + widest if upright else 34.0
    drawing = Drawing(top + row * len(names) + 4, title=title)
    for n, name in enumerate(names):
        _column_name(drawing, left + cell * (n + 0.5), top, name, upright=upright)
        drawing.text(left - 12, top + row * (n + 0.5) + 4, name, anchor="end", look="chart-name")
    for r, shares_of_row in enumerate(shares):
        for c, share in enumerate(shares_of_row):
            _heat_cell(drawing, left + cell * c, top + row * r, cell, row, share, same=r == c)
    return drawing.svg()


def _column_name(drawing: Drawing, x: float, top: float, name: str, *, upright: bool) -> None:
    """A name above its column; bottom to top where it is wider than that."""
    if upright:
        drawing.text(x + 4, top - 10, name, transform=f"rotate(-90 {x + 4:.1f} {top - 10:.1f})")
    else:
        drawing.text(x, top - 12, name, anchor="middle")


def _heat_cell(
    drawing: Drawing, x: float, y: float, w: float, h: float, share: float | None, *, same: bool
) -> None:
    box = f"M{x + 1:.1f} {y + 1:.1f}h{w - 2:.1f}v{h - 2:.1f}h{-(w - 2):.1f}z"
    known = share is not None and isfinite(share)
    if known and not same:
        side = "chart-more" if share > 0.5 else "chart-less"
        drawing.path(box, **{"class": side, "fill-opacity": f"{min(abs(share - 0.5) * 1.1, 0.5):.2f}"})
    else:
        drawing.path(box, **{"fill": "none", "stroke": "currentColor", "stroke-opacity": "0.14"})
    words = "" if same else f"{share:.0%}" if known else "–"
    drawing.text(x + w / 2, y + h / 2 + 4, words, anchor="middle", look="chart-name" if known else "muted")


def dots(
    rows: Sequence[Dot],
    *,
    title: str,
    unit: str,
    reference: float | None = None,
    spell: Callable[[float], str],
) -> SafeString:
    """A row for each thing that is compared: its name, a dot with whiskers, the numbers in words."""
    top, bottom = 8, 8 + ROW * len(rows)
    left = 14 + max((width_of(row.name) for row in rows), default=0)
    right = WIDTH - 14 - max((width_of(_numbers(row, spell)) for row in rows), default=0)
    drawing = Drawing(bottom + 44, title=title)
    known = [end for row in rows for end in (row.value, row.low, row.high) if end is not None]
    known += [reference] if reference is not None else []
    marks = ticks(min(known, default=0.0), max(known, default=1.0))
    scale = (right - left) / ((marks[-1] - marks[0]) or 1)

    def across(value: float) -> float:
        return left + (value - marks[0]) * scale

    # Where names are long the figure is narrow: numbers that would touch are left out, their lines stay.
    every = max(1, ceil(len(marks) * LETTER * 6 / max(right - left, 1)))
    for n, tick in enumerate(marks):
        drawing.line(across(tick), top, across(tick), bottom, faint=tick != reference)
        if n % every == 0:
            drawing.text(across(tick), bottom + 16, spell(tick), anchor="middle")
    drawing.text((left + right) / 2, bottom + 36, unit, anchor="middle")
    for n, row in enumerate(rows):
        _dot(drawing, row, top + ROW * (n + 0.5), across, spell, left=left, right=right)
    return drawing.svg()


def _dot(
    drawing: Drawing,
    row: Dot,
    y: float,
    across: Callable[[float], float],
    spell: Callable[[float], str],
    *,
    left: float,
    right: float,
) -> None:
    drawing.text(left - 14, y + 4, row.name, anchor="end", look="chart-name")
    drawing.text(right + 14, y + 4, _numbers(row, spell))
    if row.value is None:
        return
    plain = "chart-accent" if row.strong else "muted"
    look = {"class": look_class(row.look) if row.look is not None else plain}
    if row.low is not None and row.high is not None:
        drawing.line(across(row.low), y, across(row.high), y, **look, **{"stroke-width": "1.6"})
    drawing.path(outline(row.look or 0, across(row.value), y), **look)


def _numbers(row: Dot, spell: Callable[[float], str]) -> str:
    """A row's value and interval in words, or why it has none."""
    if row.value is None:
        return row.note or "not available"
    if row.low is None or row.high is None:
        return spell(row.value)
    return f"{spell(row.value)}  ({spell(row.low)} to {spell(row.high)})"
