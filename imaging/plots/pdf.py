"""A scene as a PDF of one page, by reportlab: outlines stay outlines, words are words in an embedded font."""

from __future__ import annotations

import io
import re
from importlib import import_module
from typing import Any

from imaging.plots.palette import PAPER, colour
from imaging.plots.scene import Line, Outline, Scene, Words

POINTS = 0.75
"""Of a CSS pixel."""
FONT, SIZE = "Vera", 12
# Four cubic curves draw a circle to 0.03 % with handles of this length (radius 1).
HANDLE = 0.5523
_TOKEN = re.compile(r"[MLHVhvaz]|-?\d+(?:\.\d+)?")


def to_pdf(scene: Scene) -> bytes:
    """The bytes of a PDF file, the same ones for the same scene, as large as the scene."""
    buffer = io.BytesIO()
    size = (scene.width * POINTS, scene.height * POINTS)
    canvas = import_module("reportlab.pdfgen.canvas").Canvas(buffer, pagesize=size, invariant=1)
    _load_font()
    canvas.setTitle(scene.title)
    canvas.setCreator("Closer")
    # From SVG's pixels, downwards, to PDF's points, upwards.
    canvas.transform(POINTS, 0, 0, -POINTS, 0, size[1])
    for mark in scene.marks:
        canvas.saveState()
        _draw(canvas, mark)
        canvas.restoreState()
    canvas.save()
    return buffer.getvalue()


def _load_font() -> None:
    """Bitstream Vera, which comes with reportlab: the fonts that every reader has lack signs such as −."""
    metrics = import_module("reportlab.pdfbase.pdfmetrics")
    fonts = import_module("reportlab.pdfbase.ttfonts")
    if FONT not in metrics.getRegisteredFontNames():
        metrics.registerFont(fonts.TTFont(FONT, "Vera.ttf"))


def _draw(canvas: Any, mark: Line | Words | Outline) -> None:
    canvas.setStrokeColor(_colour(colour(mark.look)))
    canvas.setFillColor(_colour(colour(mark.look)))
    match mark:
        case Line():
            canvas.setLineWidth(mark.width)
            canvas.setStrokeAlpha(mark.opacity)
            canvas.setDash(list(mark.dash))
            canvas.line(mark.x1, mark.y1, mark.x2, mark.y2)
        case Words():
            _write(canvas, mark)
        case Outline():
            _trace(canvas, mark)


def _colour(hexadecimal: str) -> Any:
    return import_module("reportlab.lib.colors").HexColor(hexadecimal)


def _write(canvas: Any, mark: Words) -> None:
    canvas.translate(mark.x, mark.y)
    canvas.scale(1, -1)
    if mark.upright:
        canvas.rotate(90)
    canvas.setFont(FONT, SIZE)
    draw = {"start": canvas.drawString, "middle": canvas.drawCentredString, "end": canvas.drawRightString}
    draw[mark.anchor](0, 0, mark.text)


def _trace(canvas: Any, mark: Outline) -> None:
    path = canvas.beginPath()
    _follow(path, mark.d)
    if mark.hollow:
        canvas.setFillColor(_colour(PAPER))
        canvas.setLineWidth(1.4)
        canvas.drawPath(path, stroke=1, fill=1)
        return
    canvas.setFillAlpha(mark.fill or 1)
    canvas.setStrokeAlpha(mark.opacity)
    canvas.setLineWidth(mark.stroke or 1)
    canvas.drawPath(path, stroke=int(mark.stroke > 0), fill=int(mark.fill > 0))


def _follow(path: Any, d: str) -> None:
    """Draw the path's commands. Raises ValueError for one that scenes do not have."""
    tokens = _TOKEN.findall(d)
    if "".join(tokens) != re.sub(r"[\s,]", "", d):
        raise ValueError(f"an outline has commands that are not known: {d}")
    x = y = 0.0
    while tokens:
        command = tokens.pop(0)
        if command == "z":
            path.close()
        elif command in "ML":
            x, y = float(tokens.pop(0)), float(tokens.pop(0))
            (path.moveTo if command == "M" else path.lineTo)(x, y)
        elif command == "a":
            radius, _, _, _, _, dx, dy = (float(tokens.pop(0)) for _ in range(7))
            _half_circle(path, x, y, radius, dx)
            x, y = x + dx, y + dy
        else:
            value = float(tokens.pop(0))
            x = {"H": value, "h": x + value}.get(command, x)
            y = {"V": value, "v": y + value}.get(command, y)
            path.lineTo(x, y)


def _half_circle(path: Any, x: float, y: float, r: float, dx: float) -> None:
    """From (x, y) to (x + dx, y): by way of below when it goes right, of above when it goes left (sweep 0)."""
    side = 1.0 if dx > 0 else -1.0
    middle, bend, depth = x + dx / 2, HANDLE * r, side * r
    path.curveTo(x, y + side * bend, middle - side * bend, y + depth, middle, y + depth)
    path.curveTo(middle + side * bend, y + depth, x + dx, y + side * bend, x + dx, y)
