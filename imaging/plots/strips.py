"""Several scales below each other on one axis: how the same methods stand in each of several groups."""

from collections.abc import Callable, Sequence

from imaging.plots.axes import clipped, clipped_range, text_width, ticks
from imaging.plots.charts import WIDTH, Dot, arrow, tick_words
from imaging.plots.looks import by_name
from imaging.plots.scene import Scene

LINE, GAP = 11, 16
LINE_OF_TEXT = 14


def strips(
    groups: Sequence[tuple[str, Sequence[Dot]]],
    *,
    title: str,
    unit: str,
    reference: float | None = None,
    spell: Callable[[float], str],
) -> Scene:
    """A strip for each group: its name, and a dot with whiskers for each method, a line each, in one order.

    One axis holds every value and `reference`; a whisker that would squeeze the dots together ends in an arrow.
    """
    rows = [row for _, each in groups for row in each]
    values = [row.value for row in rows if row.value is not None]
    values += [reference] if reference is not None else []
    marks = ticks(
        *clipped_range(values, [(r.low, r.high) for r in rows if r.low is not None and r.high is not None])
    )
    heights = [max(GAP, LINE * len(each)) + GAP for _, each in groups]
    top, bottom = 4.0, 4.0 + sum(heights)
    left = min(14 + max((text_width(name) for name, _ in groups), default=0.0), WIDTH / 2)
    right = WIDTH - 24.0
    drawing = Scene(WIDTH, bottom + 44, title=title)
    scale = (right - left) / ((marks[-1] - marks[0]) or 1)

    def across(value: float) -> float:
        return left + (value - marks[0]) * scale

    for tick, words in zip(marks, tick_words(marks, spell), strict=True):
        drawing.line(across(tick), top, across(tick), bottom, faint=tick != reference)
        drawing.text(across(tick), bottom + 16, words, anchor="middle")
    drawing.text((left + right) / 2, bottom + 36, unit, anchor="middle")
    y = top
    for (name, each), height in zip(groups, heights, strict=True):
        drawing.line(0, y, WIDTH, y, faint=True)
        lines = _wrapped(name, left - 14, most=int((height - 4) // LINE_OF_TEXT))
        for n, words in enumerate(lines):
            base = y + height / 2 + 4 + LINE_OF_TEXT * (n - (len(lines) - 1) / 2)
            drawing.text(left - 14, base, words, anchor="end", look="chart-name")
        first = y + (height - LINE * (len(each) - 1)) / 2
        for n, row in enumerate(each):
            _dot(drawing, row, first + LINE * n, across, (marks[0], marks[-1]))
        y += height
    return drawing


def _dot(
    drawing: Scene, row: Dot, y: float, across: Callable[[float], float], axis: tuple[float, float]
) -> None:
    if row.value is None:
        return
    look = row.look or by_name(row.name)
    if row.low is not None and row.high is not None:
        ends = [across(min(max(end, axis[0]), axis[1])) for end in (row.low, row.high)]
        drawing.line(ends[0], y, ends[1], y, look=look.name, width=1.4)
        for end, x in zip((row.low, row.high), ends, strict=True):
            arrow(drawing, x, y, clipped(end, *axis), 0, look=look.name)
    look.mark(drawing, across(row.value), y, 4.0)


def _wrapped(name: str, room: float, *, most: int) -> list[str]:
    """The name in at most `most` lines, whole where they hold it: names that begin alike stay apart."""
    lines, left = [""], name.split()
    while left:
        longer = f"{lines[-1]} {left[0]}".strip()
        if lines[-1] and text_width(longer) > room:
            if len(lines) == most:
                break
            lines.append("")
            continue
        lines[-1], left = longer, left[1:]
    return [_fitting(line, room) for line in [*lines[:-1], " ".join([lines[-1], *left])]]


def _fitting(name: str, room: float) -> str:
    """The name, or as much of it as there is room for."""
    if text_width(name) <= room:
        return name
    while name and text_width(f"{name}…") > room:
        name = name[:-1]
    return f"{name.rstrip()}…"
