"""The raw record of one judgment, as the browser sends it: its form and its limits.

All times are ms on the page's monotonic clock (`performance.now()`); `time_origin` places them on the calendar.
"""

import json
from collections.abc import Mapping
from typing import Any

DAY_MS = 24 * 3_600_000.0
# A tab may stay open for weeks, so an offset may be far larger than one judgment.
LARGEST_OFFSET_MS = 100 * DAY_MS
LARGEST_EPOCH_MS = 4_102_444_800_000.0  # 1 January 2100
# The page records at most 900 events of one pair, which fits easily.
MOST_EVENTS = 1_000
LARGEST_BYTES = 48 * 1024
LONGEST_TEXT = 100
# Unknown keys are allowed, for programs of another version, but only a little data in them.
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

Raw = Mapping[str, Any]


class TimingError(ValueError):
    """The record cannot be what a browser measured; the message names the field."""


def validate_timing(raw: object) -> None:
    """Raise TimingError unless `raw` is a record as the judging page sends it. A few unknown keys may be there.

    Refused: more than 48 KB or 1,000 events, over 1 KB under unknown keys, a number that is missing, NaN, infinite,
    negative or implausibly large, an answer before the onset or a day after it, an unknown event, slot or input device.
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
        raise TimingError(f"{where}.{key} is {value:g}: it must be between 0 and {largest:g}")
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
