"""One annotator's answers in their order: how long each took, for which side, and which checks went wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

from imaging.plots.scene import Scene

WIDTH, HEIGHT = 880, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 14, 172
# Seconds that the axis marks, as far as answers reach.
MARKS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


@dataclass(frozen=True)
class AnswerMark:
    """One answer: milliseconds, the side ("left", "right" or "tie"), whether it is wrong on a check; its session."""

    took_ms: float
    side: str
    wrong: bool = False
    session: int = 0


def answers_in_order(answers: Sequence[AnswerMark], *, title: str) -> Scene:
    """A mark for each answer over its place: seconds on a logarithmic axis, left of centre and right of centre by
    shape, wrong checks in the colour of attention; sessions are parted by a line.
    """
    drawing = Scene(WIDTH, HEIGHT, title=title)
    low, high = _range([answer.took_ms for answer in answers])

    def y(took_ms: float) -> float:
        place = (log10(max(took_ms, 1.0)) - log10(low)) / (log10(high) - log10(low))
        return BOTTOM - (BOTTOM - TOP) * min(max(place, 0.0), 1.0)

    for mark in MARKS_S:
        if low <= mark * 1000 <= high:
            drawing.line(LEFT, y(mark * 1000), WIDTH - RIGHT, y(mark * 1000), faint=True)
            drawing.text(LEFT - 8, y(mark * 1000) + 4, f"{mark:g} s", anchor="end")
    step = (WIDTH - LEFT - RIGHT) / max(len(answers), 1)
    for n, answer in enumerate(answers):
        x = LEFT + step * (n + 0.5)
        if n and answer.session != answers[n - 1].session:
            drawing.line(x - step / 2, TOP, x - step / 2, BOTTOM, opacity=0.4)
        _mark(drawing, x, y(answer.took_ms), answer)
    _numbers(drawing, len(answers), step)
    return drawing


def _range(took: Sequence[float]) -> tuple[float, float]:
    """Whole decades that hold all answers, in ms; one at least."""
    seen = [max(each, 100.0) for each in took] or [1000.0]
    low, high = 10 ** int(log10(min(seen))), 10 ** (int(log10(max(seen))) + 1)
    return float(low), float(high)


def _mark(drawing: Scene, x: float, y: float, answer: AnswerMark) -> None:
    """A triangle that points to the side that was chosen, a bar for a tie; a ring round what is wrong."""
    reach = {"left": -7.0, "right": 7.0}.get(answer.side, 0.0)
    shape = f"M{x - reach / 2:.1f} {y - 4:.1f}v8L{x + reach / 2:.1f} {y:.1f}z"
    if not reach:
        shape = f"M{x - 3.5:.1f} {y - 1.2:.1f}h7v2.4h-7z"
    drawing.path(shape, look="chart-less" if answer.wrong else "chart-accent")


def _numbers(drawing: Scene, count: int, step: float) -> None:
    every = next(each for each in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10**6) if count / each <= 16)
    for n in range(every, count + 1, every):
        drawing.text(LEFT + step * (n - 0.5), BOTTOM + 20, str(n), anchor="middle")
    drawing.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "answer, in the order given", anchor="middle")
