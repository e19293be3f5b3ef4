"""Quality on people's scale over bits: points with intervals, monotone curves with their bands."""

from collections.abc import Callable, Collection, Iterable, Sequence
from math import log2

from annotation.core.bitrates import rate_in_words
from annotation.core.formats.printed import printed
from codecs_zoo.look import method_look
from imaging.plots.axes import clipped, clipped_range, ticks
from imaging.plots.charts import WIDTH, arrow
from imaging.plots.looks import Look
from imaging.plots.scene import Scene
from psychometrics.curves import Curve

LEFT, RIGHT, TOP, BOTTOM = 52, WIDTH - 12, 34, 304


def quality_curves(curves: Sequence[Curve], *, title: str, zero: str, own: Collection[str] = ()) -> Scene:
    """A curve for each method over the logarithm of bits, with its 95 % band; `zero` says what 0 JND is.

    The axis holds 0 and every condition; a whisker that would squeeze the curves together ends in an arrow. `own`: the
    study's `own_methods`.
    """
    drawing = Scene(WIDTH, BOTTOM + 48, title=title)
    across, height = _scales(curves)
    _axis_of_bits(drawing, curves, across)
    drawing.text((LEFT + RIGHT) / 2, BOTTOM + 40, "bits per pixel", anchor="middle")
    drawing.text(0, 12, f"quality in JND; 0: {zero}")
    low, high = _range(curves)
    for tick in ticks(low, high):
        drawing.line(LEFT, height(tick), RIGHT, height(tick), faint=tick != 0)
        drawing.text(LEFT - 8, height(tick) + 4, printed(tick, "g"), anchor="end")
    marks = ticks(low, high)
    for curve in curves:
        look = method_look(curve.method, own)
        _curve(drawing, curve, look, across, height, (marks[0], marks[-1]))
    return drawing


def _scales(curves: Sequence[Curve]) -> tuple[Callable[[float], float], Callable[[float], float]]:
    bits = [float(at) for curve in curves for at in curve.bits]
    first, last = log2(min(bits)), log2(max(bits))
    marks = ticks(*_range(curves))
    bottom, top = marks[0], marks[-1]

    def across(at: float) -> float:
        return LEFT + 16 + (log2(at) - first) / ((last - first) or 1) * (RIGHT - LEFT - 32)

    def height(value: float) -> float:
        return BOTTOM - (value - bottom) / ((top - bottom) or 1) * (BOTTOM - TOP)

    return across, height


def _range(curves: Sequence[Curve]) -> tuple[float, float]:
    values = [float(value) for curve in curves for each in (curve.quality, curve.line) for value in each]
    whiskers = [
        (float(low), float(high))
        for curve in curves
        for low, high in zip(curve.low, curve.high, strict=True)
        if low < high
    ]
    return clipped_range([0.0, *values], whiskers)


def _axis_of_bits(drawing: Scene, curves: Sequence[Curve], across: Callable[[float], float]) -> None:
    """A line and a number at each place that was judged, unless it would touch the one before."""
    reached = -1e9
    for bits in sorted({float(at) for curve in curves for at in curve.bits}):
        if across(bits) - reached > 44:
            drawing.line(across(bits), TOP, across(bits), BOTTOM, faint=True)
            drawing.text(across(bits), BOTTOM + 18, rate_in_words(round(bits, 2)), anchor="middle")
            reached = across(bits)


def _curve(
    drawing: Scene,
    curve: Curve,
    look: Look,
    across: Callable[[float], float],
    height: Callable[[float], float],
    axis: tuple[float, float],
) -> None:
    def points(values: Iterable[float], order: int = 1) -> str:
        places = list(zip(curve.grid, values, strict=True))[::order]
        return "L".join(f"{across(float(x)):.1f} {height(_within(float(y), axis)):.1f}" for x, y in places)

    band = f"M{points(curve.band_low)}L{points(curve.band_high, -1)}z"
    drawing.path(band, look=look.name, fill=0.14)
    drawing.path(f"M{points(curve.line)}", look=look.name, fill=0, stroke=1.6)
    for at, value, low, high in zip(curve.bits, curve.quality, curve.low, curve.high, strict=True):
        x, ends = across(float(at)), [float(low), float(high)]
        bottom, top = (height(_within(end, axis)) for end in ends)
        drawing.line(x, bottom, x, top, look=look.name)
        for end, y in zip(ends, (bottom, top), strict=True):
            arrow(drawing, x, y, 0, -clipped(end, *axis), look=look.name)
        look.mark(drawing, x, height(float(value)))


def _within(value: float, axis: tuple[float, float]) -> float:
    return min(max(value, axis[0]), axis[1])
