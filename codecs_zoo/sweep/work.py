"""One row of a sweep, in whatever process it is made."""

from __future__ import annotations

import math
import os
import threading
from functools import lru_cache
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

from codecs_zoo import container, registry
from codecs_zoo.contract import Codec, CodecError, Pixels
from codecs_zoo.encode_progress import continuing
from codecs_zoo.measure import Measurement, measure
from codecs_zoo.quality import as_figures_are_named, figure
from codecs_zoo.rate import RateError, encode_to_bpp
from codecs_zoo.sweep.plan import Row, Task, bitstream_path, failure, read_row, success, write_row
from imaging.files import write_atomic
from imaging.pictures import load_photograph
from imaging.pixels import pixels_sha256

MEASURED_ANYWAY = {"psnr", "ms-ssim"}


def begin_process() -> None:
    """What each process of the sweep does first: one thread for torch, and an end when its parent ends."""
    import torch

    torch.set_num_threads(1)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def make_row(out: Path, task: Task, figure_names: tuple[str, ...]) -> Row:
    """Makes the row, or measures what an earlier run made by the figures it lacks; keeps and returns it."""
    try:
        row = _make(out, task, figure_names)
    except (CodecError, RateError) as error:
        row = failure(task, str(error))
    except Exception as error:  # whatever a library does wrong: the row tells it, and the sweep goes on
        row = failure(task, f"{type(error).__name__}: {error}")
    write_row(out, task, row)
    return row


def is_complete(row: Row | None, figure_names: tuple[str, ...]) -> bool:
    """Whether there is nothing left to do for it."""
    return row is not None and (row.failed or set(figure_names) <= set(row.figures))


def _make(out: Path, task: Task, figure_names: tuple[str, ...]) -> Row:
    codec = registry.get(task.codec)
    pixels = _pixels(task.photo.path)
    if pixels_sha256(pixels) != task.photo.sha256:
        raise CodecError(f"{task.photo.name} has changed since the sweep began. Start it again.")
    made = _earlier(out, task) or _encode(out, task, codec, pixels)
    bitstream = container.unpack(bitstream_path(out, task).read_bytes())[1]
    chosen = [figure(name) for name in figure_names if name not in MEASURED_ANYWAY]
    measured = measure(codec, pixels, made["operating_point"], bitstream, figures=chosen)
    sizes = {
        name: getattr(measured, name)
        for name in ("bpp", "payload_bpp", "file_bytes", "payload_bytes", "decode_ms")
    }
    tuned_on = as_figures_are_named(codec.tuned_on(made["operating_point"]), figure_names)
    values = _figures(measured, figure_names)
    return success(task, **made, **sizes, figures=values, tuned_on=tuned_on)


def _figures(measured: Measurement, names: tuple[str, ...]) -> dict[str, float | None]:
    psnr = measured.psnr if math.isfinite(measured.psnr) else None
    every = {"psnr": psnr, "ms-ssim": measured.ms_ssim, **measured.figures}
    return {name: every[name] for name in names}


def _earlier(out: Path, task: Task) -> dict[str, Any] | None:
    """What is known of an encode that an earlier run made, if its file is still there."""
    row = read_row(out, task)
    if row is None or row.failed or not bitstream_path(out, task).is_file():
        return None
    return {name: getattr(row, name) for name in ("operating_point", "reached", "encodes", "encode_ms")}


def _encode(out: Path, task: Task, codec: Codec, pixels: Pixels) -> dict[str, Any]:
    path = bitstream_path(out, task)
    path.parent.mkdir(parents=True, exist_ok=True)
    with continuing(path.with_name(path.name + ".search")):
        result = encode_to_bpp(codec, pixels, task.target_bpp)
        size = (task.photo.height, task.photo.width)
        header = container.Header(codec.family, task.version, result.operating_point, *size)
        write_atomic(path, container.pack(header, result.bitstream))
    return {
        "operating_point": result.operating_point,
        "reached": result.reached,
        "encodes": result.encodes,
        "encode_ms": result.encode_ms,
    }


@lru_cache(maxsize=1)
def _pixels(path: Path) -> Pixels:
    """The photograph of the moment: rows of one photograph follow each other."""
    return load_photograph(path).pixels
