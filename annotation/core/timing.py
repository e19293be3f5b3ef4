"""What the browser measured about one judgment: checked once, stored raw, and read by one pure function.

All times are ms on the page's monotonic clock (`performance.now()`); `time_origin` places them on the
calendar. The raw record is never written over: when `derive_timing` learns something, TIMING_VERSION rises
and old rows are derived anew.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

TIMING_VERSION = 2

FASTEST_MS = 600.0
SLOWEST_MS = 120_000.0

DAY_MS = 24 * 3_600_000.0
# A tab may stay open for weeks, so an offset may be far larger than one judgment.
LARGEST_OFFSET_MS = 100 * DAY_MS
LARGEST_EPOCH_MS = 4_102_444_800_000.0  # 1 January 2100
# What the page notes of one pair, 900 events of it, has room to spare.
MOST_EVENTS = 1_000
LARGEST_BYTES = 48 * 1024
LONGEST_TEXT = 100
# Unknown keys may be there, for programs of another version, but they are no place to keep things.
LARGEST_UNKNOWN_BYTES = 1024
KNOWN = (
    *(
        "time_origin",
        "onset",
        "answer",
        "first_input",
        "frame_ms",
        "images",
        "events",
        "input",
        "layout",
        "dpr",
    ),
    *("viewport", "displayed", "screen"),
)

SLOTS = ("left", "original", "right")
IMAGE_KEYS = frozenset(("slot", "fetch_ms", "decode_ms"))
EVENT_KEYS = frozenset(("t", "type", "value"))
LAYOUTS = ("side", "toggle", "flicker")
EVENTS = (
    *("hidden", "visible", "blur", "focus", "pagehide", "pageshow", "pause", "resume", "clock"),
    *("peek_on", "peek_off", "view", "zoom", "pan", "key", "flag", "undo"),
)
INPUTS = ("keyboard", "mouse", "touch")

# Clocks of two computers run alike, but for a thousandth or so, and a view is a few seconds long.
CLOCKS_DIFFER = timedelta(milliseconds=250)
# Two clocks of one computer drift apart by less than this while a pair is judged.
CLOCK_JUMP_MS = 1_000.0

Raw = Mapping[str, Any]


class TimingError(ValueError):
    """The record cannot be what a browser measured; the message names the field."""


@dataclass(frozen=True, slots=True)
class Timing:
    """What a raw record says, in ms; `flags` never delete anything, they are for filters.

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


def validate_timing(raw: object) -> None:
    """Raise TimingError unless `raw` is a record as the judging page sends it. A few unknown keys may be there.

    Refused: more than 48 KB or 1,000 events, over 1 KB under unknown keys, a number
    that is missing, NaN, infinite, negative or absurdly
    large, an answer before the onset or a day after it, an unknown event, slot or input device.
    """
    if not isinstance(raw, Mapping):
        raise TimingError("timing must be an object")
    _check_size(raw)
    _number(raw, "time_origin", LARGEST_EPOCH_MS)
    onset = _number(raw, "onset", LARGEST_OFFSET_MS)
    answer = _number(raw, "answer", LARGEST_OFFSET_MS)
    if answer < onset:
        raise TimingError(f"timing.answer ({answer:g}) is before timing.onset ({onset:g})")
    if answer - onset > DAY_MS:
        raise TimingError(
            f"timing.answer is {(answer - onset) / 3_600_000:.1f} hours after timing.onset: over 24"
        )
    first_input = _optional_number(raw, "first_input", LARGEST_OFFSET_MS)
    if first_input is not None and first_input > answer:
        raise TimingError(f"timing.first_input ({first_input:g}) is after timing.answer ({answer:g})")
    _optional_number(raw, "frame_ms", DAY_MS)
    _check_images(raw.get("images", []))
    _check_events(raw.get("events", []))
    _check_screen(raw)


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


def earliest_end(issued: datetime, viewed_until: datetime | None, response_ms: float) -> datetime:
    """When, by the server's clock, a view of that length can have ended at the earliest.

    It began after its pair was issued, and after the views that were answered before it in its session, one at a
    time. What browsers say of time is believed as far as that goes.
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


def _check_size(raw: Raw) -> None:
    size = _size(raw)
    if size > LARGEST_BYTES:
        raise TimingError(f"timing has {size} bytes, over the {LARGEST_BYTES} allowed")
    unknown = {key: value for key, value in raw.items() if key not in KNOWN}
    for part, known in (("images", IMAGE_KEYS), ("events", EVENT_KEYS)):
        for place, one in enumerate(_list_of_objects(raw.get(part, []), part)):
            unknown |= {f"{part}[{place}].{key}": one[key] for key in one.keys() - known}
    if unknown and (size := _size(unknown)) > LARGEST_UNKNOWN_BYTES:
        names = ", ".join(sorted(map(str, unknown))[:3])
        raise TimingError(
            f"timing has {size} bytes under unknown keys ({names[:100]}), over {LARGEST_UNKNOWN_BYTES}"
        )


def _size(content: Raw) -> int:
    try:
        return len(json.dumps(content, allow_nan=False, separators=(",", ":")))
    except (TypeError, ValueError, RecursionError) as error:
        raise TimingError(f"timing is not plain JSON with finite numbers ({error})") from None


def _number(raw: Raw, key: str, largest: float, where: str = "timing") -> float:
    value = raw.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TimingError(f"{where}.{key} must be a number, not {value!r}")
    if not 0 <= value <= largest:
        raise TimingError(f"{where}.{key} is {value:g}: it must lie between 0 and {largest:g}")
    return float(value)


def _optional_number(raw: Raw, key: str, largest: float, where: str = "timing") -> float | None:
    return None if raw.get(key) is None else _number(raw, key, largest, where)


def _list_of_objects(value: object, name: str) -> list[Raw]:
    if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
        raise TimingError(f"timing.{name} must be a list of objects")
    return value


def _check_images(value: object) -> None:
    for place, image in enumerate(_list_of_objects(value, "images")):
        if image.get("slot") not in SLOTS:
            raise TimingError(f"timing.images[{place}].slot must be one of {', '.join(SLOTS)}")
        _optional_number(image, "fetch_ms", DAY_MS, f"timing.images[{place}]")
        _optional_number(image, "decode_ms", DAY_MS, f"timing.images[{place}]")


def _check_events(value: object) -> None:
    events = _list_of_objects(value, "events")
    if len(events) > MOST_EVENTS:
        raise TimingError(f"timing.events has {len(events)} entries, over the {MOST_EVENTS} allowed")
    for place, event in enumerate(events):
        if event.get("type") not in EVENTS:
            raise TimingError(f"timing.events[{place}].type must be one of {', '.join(EVENTS)}")
        where = f"timing.events[{place}]"
        _number(event, "t", LARGEST_OFFSET_MS, where)
        _check_value(event, where)


def _check_value(event: Raw, where: str) -> None:
    kind, value = event["type"], event.get("value")
    if isinstance(value, (str, list, dict)) and len(str(value)) > LONGEST_TEXT:
        raise TimingError(f"{where}.value has over {LONGEST_TEXT} characters")
    if kind == "view" and value not in SLOTS:
        raise TimingError(f"{where}.value must be one of {', '.join(SLOTS)}: the view that came up")
    if kind == "zoom":
        _optional_number(event, "value", 1_000, where)
    if kind == "clock" and not _is_jump(value):
        raise TimingError(f"{where}.value must be the jump of the clock in ms, not {value!r}")


def _is_jump(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= LARGEST_EPOCH_MS


def _check_screen(raw: Raw) -> None:
    if raw.get("input") is not None and raw["input"] not in INPUTS:
        raise TimingError(f"timing.input must be one of {', '.join(INPUTS)}")
    if raw.get("layout") is not None and raw["layout"] not in LAYOUTS:
        raise TimingError(f"timing.layout must be one of {', '.join(LAYOUTS)}")
    _optional_number(raw, "dpr", 100)
    for key in ("viewport", "displayed", "screen"):
        size = raw.get(key)
        if size is None:
            continue
        if not isinstance(size, list) or len(size) != 2:
            raise TimingError(f"timing.{key} must be [width, height]")
        for index, side in enumerate(("width", "height")):
            _number({side: size[index]}, side, 100_000, f"timing.{key}")
