"""A drawing as plain marks, from which `svg.py` and `pdf.py` write files.

Colours are names of looks (`codec-1`, `muted`, `chart-accent`), which pages define in their style sheets for light
and dark, and `palette.py` for files that stand alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

FAINT = 0.14


@dataclass(frozen=True)
class Line:
    """A straight line in the colour of its look."""

    x1: float
    y1: float
    x2: float
    y2: float
    look: str = ""
    width: float = 1.0
    opacity: float = 1.0
    dash: tuple[float, ...] = ()


@dataclass(frozen=True)
class Words:
    """Text whose baseline is at y; `anchor` is "start", "middle" or "end"; `upright` runs from bottom to top."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    look: str = "muted"
    upright: bool = False


@dataclass(frozen=True)
class Outline:
    """A shape as an SVG path of the commands M, L, H, V, h, v, a (half circles) and z.

    `fill` is its opacity, 0 for none; `stroke` the width of its edge, 0 for none. A `hollow` shape is filled with
    the colour of the page.
    """

    d: str
    look: str = ""
    fill: float = 1.0
    stroke: float = 0.0
    opacity: float = 1.0
    hollow: bool = False


@dataclass
class Scene:
    """A drawing of a size in CSS pixels, with a title for those who don't see it; "" for a mere ornament."""

    width: float
    height: float
    title: str = ""
    marks: list[Line | Words | Outline] = field(default_factory=list)
    look: str = ""
    fixed: bool = False
    """Whether it has its own size wherever it stands, as a mark in running text does."""

    def line(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        *,
        look: str = "",
        width: float = 1.0,
        faint: bool = False,
        opacity: float = 1.0,
        dash: tuple[float, ...] = (),
    ) -> None:
        """A straight line, thin; `faint` for a grid."""
        self.marks.append(Line(x1, y1, x2, y2, look, width, FAINT if faint else opacity, dash))

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        anchor: str = "start",
        look: str = "muted",
        upright: bool = False,
    ) -> None:
        """Words whose baseline is at y."""
        self.marks.append(Words(x, y, words, anchor, look, upright))

    def path(
        self,
        d: str,
        *,
        look: str = "",
        fill: float = 1.0,
        stroke: float = 0.0,
        opacity: float = 1.0,
        hollow: bool = False,
    ) -> None:
        """Any outline."""
        self.marks.append(Outline(d, look, fill, stroke, opacity, hollow))
