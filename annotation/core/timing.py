"""What the browser measured about one judgment: stored raw, and read by one pure function.

All times are ms on the page's monotonic clock (`performance.now()`); `time_origin` places them on the
calendar. The raw record is never overwritten: when `derive_timing` changes, TIMING_VERSION increases
and old rows are derived again.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from annotation.core.timing_record import Raw

TIMING_VERSION = 2

FASTEST_MS = 600.0
SLOWEST_MS = 120_000.0

# Clocks of two computers run alike, but for a thousandth or so, and a view is a few seconds long.
CLOCKS_DIFFER = timedelta(milliseconds=250)
# Two clocks of one computer drift apart by less than this while a pair is judged.
CLOCK_JUMP_MS = 1_000.0


@dataclass(frozen=True, slots=True)
class Timing:
    """The figures of a raw record, in ms; `flags` are for filters and never delete anything.

    `response_ms` from onset to answer, `active_ms` the part of it with the page visible, in focus and not paused,
    `first_input_ms` from onset to the first input (None: not recorded), `original_ms` how long the original
    was held in place of the reconstructions, `dwell_ms` how long each view was up (empty where all three were up
    at once), `zoomed_ms` how long the pictures were enlarged, `paused_ms` how long the page had stopped.

    Flags: "fast", "slow", "hidden", "lost_focus", "paused"; "clock_jump": wall clock and monotonic clock moved
    apart; "slept": the wall clock went on while the monotonic one stood, as it does while a computer sleeps
    (a wall clock that is put forward looks the same).
    """

    response_ms: float
    active_ms: float
    first_input_ms: float | None
    original_ms: float
    dwell_ms: Mapping[str, float]
    zoomed_ms: float
    paused_ms: float
    flags: tuple[str, ...]
    version: int = TIMING_VERSION


def derive_timing(raw: Raw, *, slowest_ms: float = SLOWEST_MS) -> Timing:
    """Derive the figures of a record that `validate_timing` has passed; `slowest_ms` is the study's limit."""
    onset, answer = float(raw["onset"]), float(raw["answer"])
    events = sorted(raw.get("events", []), key=lambda event: float(event["t"]))
    hidden = _spans(events, "hidden", "visible", onset, answer)
    hidden += _spans(events, "pagehide", "pageshow", onset, answer)
    blurred = _spans(events, "blur", "focus", onset, answer)
    paused = _spans(events, "pause", "resume", onset, answer)
    jumps = _jumps(events, onset, answer)
    response = answer - onset
    first_input = raw.get("first_input")
    marks = {
        "fast": response < FASTEST_MS,
        "slow": response > slowest_ms,
        "hidden": bool(hidden),
        "lost_focus": bool(blurred),
        "paused": bool(paused),
        "clock_jump": bool(jumps),
        "slept": any(jump > 0 for jump in jumps),
    }
    return Timing(
        response_ms=response,
        active_ms=response - _covered(hidden + blurred + paused),
        first_input_ms=None if first_input is None else float(first_input) - onset,
        original_ms=_covered(_spans(events, "peek_on", "peek_off", onset, answer)),
        dwell_ms=_dwell(events, onset, answer),
        zoomed_ms=_covered(_zoomed(events, onset, answer)),
        paused_ms=_covered(paused),
        flags=tuple(flag for flag, raised in marks.items() if raised),
    )


def original_switches(raw: Raw) -> int:
    """How often the original was shown in place of the reconstructions between onset and answer.

    By holding it there, or in a layout of one place by viewing it again; a view at the onset is where a pair begins.
    """
    onset, answer = float(raw["onset"]), float(raw["answer"])
    events = [event for event in raw.get("events", []) if onset < float(event["t"]) <= answer]
    return sum(
        event["type"] == "peek_on" or (event["type"] == "view" and event["value"] == "original")
        for event in events
    )


def mean_zoom(events: Sequence[Raw], onset: float, answer: float) -> float:
    """By what factor the pictures were enlarged, as the mean over the time from onset to answer: 1 where never."""
    zooms = [event for event in events if event["type"] == "zoom" and event.get("value") is not None]
    total, factor, since = 0.0, 1.0, onset
    for event in sorted(zooms, key=lambda event: float(event["t"])):
        at = min(max(float(event["t"]), onset), answer)
        total += factor * (at - since)
        factor, since = float(event["value"]), at
    total += factor * (answer - since)
    return total / (answer - onset) if answer > onset else factor


def earliest_end(issued: datetime, viewed_until: datetime | None, response_ms: float) -> datetime:
    """When, by the server's clock, a view of that length can have ended at the earliest.

    It began after its pair was issued, and after the earlier answered views of its session, one at a
    time. A browser's times are accepted within these bounds.
    """
    began = max(issued, viewed_until) if viewed_until else issued
    return began + timedelta(milliseconds=response_ms)


def _dwell(events: Sequence[Raw], onset: float, answer: float) -> dict[str, float]:
    """Add up how long each view was up; nothing is known before the first event that names one."""
    views = [(float(event["t"]), str(event["value"])) for event in events if event["type"] == "view"]
    dwell: dict[str, float] = {}
    for (start, view), (end, _) in pairwise([*views, (answer, "")]):
        dwell[view] = dwell.get(view, 0.0) + max(0.0, min(end, answer) - max(start, onset))
    return dwell


def _zoomed(events: Sequence[Raw], onset: float, answer: float) -> list[tuple[float, float]]:
    zooms = [
        {"t": event["t"], "type": "in" if event["value"] > 1 else "out"}
        for event in events
        if event["type"] == "zoom" and event.get("value") is not None
    ]
    return _spans(zooms, "in", "out", onset, answer)


def _jumps(events: Sequence[Raw], onset: float, answer: float) -> list[float]:
    values = [
        event["value"] for event in events if event["type"] == "clock" and onset <= event["t"] <= answer
    ]
    return [float(value) for value in values if abs(value) >= CLOCK_JUMP_MS]


def _spans(
    events: Iterable[Raw], on: str, off: str, onset: float, answer: float
) -> list[tuple[float, float]]:
    """Return the intervals from each `on` to the next `off`, cut to the judgment; the last may be open."""
    spans: list[tuple[float, float]] = []
    since: float | None = None
    for event in events:
        if event["type"] == on and since is None:
            since = float(event["t"])
        elif event["type"] == off and since is not None:
            spans.append((since, float(event["t"])))
            since = None
    if since is not None:
        spans.append((since, answer))
    cut = [(max(start, onset), min(end, answer)) for start, end in spans]
    return [(start, end) for start, end in cut if end > start]


def _covered(spans: list[tuple[float, float]]) -> float:
    """Return the length of the union: a hidden page has lost focus too, and that time counts once."""
    total, reached = 0.0, -math.inf
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total
