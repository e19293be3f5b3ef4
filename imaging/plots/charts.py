"""Figures of results as scenes: they know numbers and words, no database and no page.

Every interval that is known is drawn.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import ceil

from imaging.plots.axes import clipped, clipped_range, text_width, ticks
from imaging.plots.looks import Look
from imaging.plots.scene import Scene

WIDTH = 576
ROW = 30


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
    look: Look
    points: Sequence[Point]


@dataclass(frozen=True)
class Dot:
    """One row of a dot plot; `value` None leaves the row empty and `note` says why; `strong` marks what matters."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    look: Look | None = None
    note: str = ""
    strong: bool = False


def whisker(
    value: float, low: float | None, high: float | None, *, most: float = 1.0, reference: float | None = None
) -> Scene:
    """A dot with its interval on a scale from 0 to `most`, small enough for a table's cell, beside its numbers."""
    scene = Scene(72, 12, look="whisker", fixed=True)

    def across(place: float) -> float:
        return 3 + 66 * min(max(place / most, 0.0), 1.0)

    scene.line(3, 6, 69, 6, opacity=0.2)
    if reference is not None:
        scene.line(across(reference), 1, across(reference), 11, opacity=0.5)
    if low is not None and high is not None:
        scene.line(across(low), 6, across(high), 6, width=1.6)
    scene.path(Look(1, "circle").outline(across(value), 6, 3))
    return scene


def bars(days: Sequence[tuple[date, int]], *, title: str) -> Scene:
    """A bar for each day, from 0; the axis is counted in judgments."""
    left, top, bottom = 44, 12, 132
    drawing = Scene(WIDTH, 160, title=f"{title}: {sum(count for _, count in days):,} in {len(days)} days")
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
        drawing.path(box, look="chart-bar")
    for n in sorted({0, len(days) - 1}):
        anchor = "start" if n == 0 else "end"
        x = left + (n + (0.15 if n == 0 else 0.85)) * slot
        if n == 0 or n * slot > 100:
            drawing.text(x, bottom + 20, f"{days[n][0]:%-d %b}", anchor=anchor)
    return drawing


def curves(
    series: Sequence[Series],
    *,
    title: str,
    x_label: str,
    y_label: str,
    reference: float | None = None,
    spell_x: Callable[[float], str] = "{:g}".format,
) -> Scene:
    """A line for each series over x, with intervals; y is a share from 0 to 1, x is drawn at equal steps."""
    left, right, top, bottom = 52, WIDTH - 12, 34, 284
    drawing = Scene(WIDTH, 332, title=title)
    places = sorted({point.x for one in series for point in one.points})
    step = (right - left) / max(len(places), 1)
    at = {x: left + step * (n + 0.5) for n, x in enumerate(places)}

    def height(share: float) -> float:
        return bottom - share * (bottom - top)

    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        drawing.line(left, height(tick), right, height(tick), faint=tick != reference)
        drawing.text(left - 8, height(tick) + 4, f"{100 * tick:.0f} %", anchor="end")
    for x in places:
        drawing.text(at[x], bottom + 18, spell_x(x), anchor="middle")
    drawing.text((left + right) / 2, bottom + 40, x_label, anchor="middle")
    drawing.text(0, 12, y_label)
    for n, one in enumerate(series):
        # Whiskers of several series at one place stand beside each other.
        aside = (n - (len(series) - 1) / 2) * min(10.0, step / (len(series) + 1))
        beside = {x: place + aside for x, place in at.items()}
        _curve(drawing, one, beside, height)
    return drawing


def _curve(drawing: Scene, one: Series, at: Mapping[float, float], height: Callable[[float], float]) -> None:
    look = one.look.name
    points = sorted(one.points, key=lambda point: point.x)
    for a, b in pairwise(points):
        ends = at[a.x], height(a.value), at[b.x], height(b.value)
        drawing.line(*ends, look=look, width=1.6, dash=one.look.dash)
    for point in points:
        if point.low is not None and point.high is not None:
            drawing.line(at[point.x], height(point.low), at[point.x], height(point.high), look=look)
        one.look.mark(drawing, at[point.x], height(point.value))


def dots(
    rows: Sequence[Dot],
    *,
    title: str,
    unit: str,
    reference: float | None = None,
    within: tuple[float, float] | None = None,
    spell: Callable[[float], str],
) -> Scene:
    """A row for each thing that is compared: its name, a dot with whiskers, the numbers in words.

    The axis holds every value and `reference`. A whisker that would squeeze the dots together ends in an arrow; its
    numbers stay whole. `within`: what the axis covers instead, for figures laid side by side; it must hold every value.
    """
    top, bottom = 8, 8 + ROW * len(rows)
    left = 14 + max((text_width(row.name) for row in rows), default=0)
    right = WIDTH - 14 - max((text_width(_numbers(row, spell)) for row in rows), default=0)
    drawing = Scene(WIDTH, bottom + 44, title=title)
    marks = ticks(*(within or axis_range(rows, reference)))
    scale = (right - left) / ((marks[-1] - marks[0]) or 1)

    def across(value: float) -> float:
        return left + (value - marks[0]) * scale

    axis = (marks[0], marks[-1])

    # Where names are long the figure is narrow: numbers that would touch are left out, their lines and that of 0 stay.
    spelled = tick_words(marks, spell)
    every = max(1, ceil(len(marks) * (8 + max(map(text_width, spelled))) / max(right - left, 1)))
    zero = marks.index(0.0) if 0.0 in marks else 0
    for n, (tick, words) in enumerate(zip(marks, spelled, strict=True)):
        drawing.line(across(tick), top, across(tick), bottom, faint=tick != reference)
        if (n - zero) % every == 0:
            drawing.text(across(tick), bottom + 16, words, anchor="middle")
    drawing.text((left + right) / 2, bottom + 36, unit, anchor="middle")
    for n, row in enumerate(rows):
        _dot(drawing, row, top + ROW * (n + 0.5), across, spell, left=left, right=right, axis=axis)
    return drawing


def tick_words(marks: Sequence[float], spell: Callable[[float], str]) -> list[str]:
    """The numbers of an axis, spelled alike: without decimals where none has any."""
    words = [spell(tick) if tick else "0" for tick in marks]
    whole = all(text == "0" or text.endswith(".00") for text in words)
    return [text.removesuffix(".00") for text in words] if whole else words


def axis_range(rows: Sequence[Dot], reference: float | None = None) -> tuple[float, float]:
    """What an axis of these rows covers (`clipped_range`), with `reference`."""
    values = [row.value for row in rows if row.value is not None]
    values += [reference] if reference is not None else []
    return clipped_range(
        values, [(row.low, row.high) for row in rows if row.low is not None and row.high is not None]
    )


def _dot(
    drawing: Scene,
    row: Dot,
    y: float,
    across: Callable[[float], float],
    spell: Callable[[float], str],
    *,
    left: float,
    right: float,
    axis: tuple[float, float],
) -> None:
    drawing.text(left - 14, y + 4, row.name, anchor="end", look="chart-name")
    drawing.text(right + 14, y + 4, _numbers(row, spell))
    if row.value is None:
        return
    look = row.look.name if row.look else "chart-accent" if row.strong else "muted"
    if row.low is not None and row.high is not None:
        ends = [across(min(max(end, axis[0]), axis[1])) for end in (row.low, row.high)]
        drawing.line(ends[0], y, ends[1], y, look=look, width=1.6)
        for end, x in zip((row.low, row.high), ends, strict=True):
            arrow(drawing, x, y, clipped(end, *axis), 0, look=look)
    if row.look:
        row.look.mark(drawing, across(row.value), y)
    else:
        drawing.path(Look(1, "circle").outline(across(row.value), y), look=look)


def arrow(drawing: Scene, x: float, y: float, right: int, down: int, *, look: str) -> None:
    """Where an interval goes on beyond the axis: a head that points right (1), left (-1), down (1) or up (-1)."""
    if right:
        drawing.path(f"M{x:.1f} {y:.1f}L{x - 7 * right:.1f} {y - 4:.1f}V{y + 4:.1f}z", look=look)
    if down:
        drawing.path(f"M{x:.1f} {y:.1f}L{x - 4:.1f} {y - 7 * down:.1f}H{x + 4:.1f}z", look=look)


def _numbers(row: Dot, spell: Callable[[float], str]) -> str:
    """A row's value and interval in words, or why it has none."""
    if row.value is None:
        return row.note or "not available"
    if row.low is None or row.high is None:
        return spell(row.value)
    return f"{spell(row.value)}  ({spell(row.low)} to {spell(row.high)})"


def loss(name: str, log: Sequence[Mapping[str, float]]) -> Scene:
    """The loss of each line of a training's log ("step", "loss") against its step."""
    width, height, margin = 640, 240, 40
    steps = [row["step"] for row in log]
    losses = [row["loss"] for row in log]
    low, high = min(losses), max(losses)
    title = f"{name}: loss, {losses[0]:.3f} at first, {losses[-1]:.3f} at last"
    scene = Scene(width, height, title=title)

    def up(value: float) -> float:
        return height - margin - (height - 2 * margin) * (value - low) / (high - low or 1)

    across = [margin + (width - 2 * margin) * step / steps[-1] for step in steps]
    for start, end in pairwise(zip(across, map(up, losses), strict=True)):
        scene.line(*start, *end, look="codec-1", width=1.5)
    scene.text(margin, 20, title)
    for value in sorted({low, high}):
        scene.text(margin - 4, up(value) + 4, f"{value:.2f}", anchor="end")
    scene.text(width - margin, height - 12, f"{steps[-1]:.0f} steps", anchor="end")
    return scene
