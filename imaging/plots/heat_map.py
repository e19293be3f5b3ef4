"""A matrix of shares as shades with their numbers."""

from collections.abc import Sequence
from math import isfinite

from imaging.plots.axes import text_width
from imaging.plots.charts import WIDTH
from imaging.plots.scene import FAINT, Scene

# Narrower cells of a heat map hold their numbers without the sign.
FITS_PERCENT = 44


def heat_map(names: Sequence[str], shares: Sequence[Sequence[float | None]], *, title: str) -> Scene:
    """How often the row was preferred to the column, 0 to 1; the number is in the cell, the shade repeats it."""
    widest = max(map(text_width, names))
    left, row = max(96.0, 12 + widest), 34
    cell = min((WIDTH - left) / len(names), 96)
    upright = widest > cell
    top = 20 + widest if upright else 34.0
    drawing = Scene(WIDTH, top + row * len(names) + 4, title=title)
    if cell < FITS_PERCENT:
        drawing.text(left - 12, top - 12, "numbers in %", anchor="end")
    for n, name in enumerate(names):
        _column_name(drawing, left + cell * (n + 0.5), top, name, upright=upright)
        drawing.text(left - 12, top + row * (n + 0.5) + 4, name, anchor="end", look="chart-name")
    for r, shares_of_row in enumerate(shares):
        for c, share in enumerate(shares_of_row):
            _heat_cell(drawing, left + cell * c, top + row * r, cell, row, share, same=r == c)
    return drawing


def _column_name(drawing: Scene, x: float, top: float, name: str, *, upright: bool) -> None:
    """A name above its column; bottom to top where it is wider than that."""
    if upright:
        drawing.text(x + 4, top - 10, name, upright=True)
    else:
        drawing.text(x, top - 12, name, anchor="middle")


def _heat_cell(
    drawing: Scene, x: float, y: float, w: float, h: float, share: float | None, *, same: bool
) -> None:
    box = f"M{x + 1:.1f} {y + 1:.1f}h{w - 2:.1f}v{h - 2:.1f}h{-(w - 2):.1f}z"
    known = share is not None and isfinite(share)
    if share is not None and known and not same:
        side = "chart-more" if share > 0.5 else "chart-less"
        drawing.path(box, look=side, fill=round(min(abs(share - 0.5) * 1.1, 0.5), 2))
    else:
        drawing.path(box, fill=0, stroke=1, opacity=FAINT)
    number = (
        ""
        if share is None or not known
        else f"{100 * share:.0f} %"
        if w >= FITS_PERCENT
        else f"{100 * share:.0f}"
    )
    words = "" if same else number or "–"
    drawing.text(x + w / 2, y + h / 2 + 4, words, anchor="middle", look="chart-name" if known else "muted")
