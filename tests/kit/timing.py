"""What the judging page sends of an answer's timing; no Django, so that programs which only send can use it."""

from typing import Any


def browser_timing(**fields: Any) -> dict[str, Any]:
    """A record of an answer after 1.5 s of looking, by keyboard, with these fields in the place of its own."""
    return {
        "time_origin": 1_790_000_000_000.0,
        "onset": 1000.0,
        "first_input": 2500.0,
        "answer": 2500.0,
        "frame_ms": 16.7,
        "images": [
            {"slot": slot, "fetch_ms": 5.0, "decode_ms": 2.0} for slot in ("left", "original", "right")
        ],
        "events": [],
        "input": "keyboard",
        "viewport": [1280, 720],
        "dpr": 1.0,
        "displayed": [96, 80],
        "screen": [1280, 800],
    } | fields
