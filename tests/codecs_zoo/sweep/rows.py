"""Rows, tasks and workers made up for tests."""

import os
from pathlib import Path

from codecs_zoo.sweep.plan import Photo, Row, Task, success, write_row

CRASHING = "webp"


def make_task(photo: int = 0, codec: str = "jpeg", target_bpp: float = 0.5) -> Task:
    """A task on a photograph that need not be there."""
    name = f"photo-{photo}.png"
    return Task(
        Photo(Path(name), name, f"{photo:02x}".ljust(64, "0"), 100, 80), codec, "version 1", target_bpp
    )


def make_row(photo: int = 0, codec: str = "jpeg", target_bpp: float = 0.5, **figures: float | None) -> Row:
    """A finished row with these figures."""
    made = {
        "operating_point": {"quality": 30.0}, "bpp": target_bpp, "payload_bpp": target_bpp * 0.9,
        "file_bytes": 500, "payload_bytes": 450, "reached": True, "encodes": 2, "encode_ms": 8.0, "decode_ms": 4.0,
    }  # fmt: skip
    return success(make_task(photo, codec, target_bpp), **made, figures=figures)


def begin_nothing() -> None:
    """A process of the pool that loads no library."""


def make_or_crash(out: Path, task: Task, figure_names: tuple[str, ...]) -> Row:
    """A worker whose process ends at once on one codec, as a C library's crash would end it."""
    if task.codec == CRASHING:
        os._exit(11)
    row = success(task, figures=dict.fromkeys(figure_names, 1.0))
    write_row(out, task, row)
    return row
