"""What stands below a drawing: which look is whose."""

from collections.abc import Sequence

from imaging.plots.axes import text_width
from imaging.plots.looks import Look
from imaging.plots.scene import Scene

LINE = 20


def add_key(drawing: Scene, methods: Sequence[tuple[str, Look]]) -> Scene:
    """The drawing with each method's mark and name below it, in as many lines as they need; nothing for one method."""
    if len(methods) < 2:
        return drawing
    x, y = 0.0, drawing.height + LINE / 2
    for name, look in methods:
        width = 18 + text_width(name) + 20
        if x > 0 and x + width > drawing.width:
            x, y = 0.0, y + LINE
        look.mark(drawing, x + 6, y)
        drawing.text(x + 18, y + 4, name, look="chart-name")
        x += width
    drawing.height = y + LINE / 2 + 4
    return drawing
