"""`python -m codecs_zoo saliency-report`: what steering by saliency changes, at equal bytes.

python -m codecs_zoo saliency-report photograph.png --codec checkerboard@effort=2 --bpp 0.37 --out steered
python -m codecs_zoo saliency-report photographs --codec checkerboard@effort=1 --kind contrast --bpp 0.23 --out steered

Each photograph is coded twice: at the rate without a map, then with it at the size that came out. The folder gets
report.html (map, where the bits went, crops, quality inside and outside), saliency.json, and both files. A report
that is stopped goes on when the same command is given.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from codecs_zoo.contract import CodecError
from codecs_zoo.quality import figures
from codecs_zoo.saliency.maps import KINDS, require_map
from codecs_zoo.saliency.report import render
from codecs_zoo.saliency.steering import (
    SALIENT,
    Comparison,
    Side,
    codec_pair,
    compare,
    mean_changes,
    steering_label,
)
from codecs_zoo.sweep import plan
from codecs_zoo.sweep.command import NothingEncoded, make_rows, names_in, report_failures
from codecs_zoo.sweep.plan import Photo, Row, Task
from imaging.files import write_atomic, write_json

STEERED_BY = [kind for kind in KINDS if kind in ("contrast", "combined")]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `saliency-report` to the commands."""
    parser = commands.add_parser(
        "saliency-report",
        help="report what steering by saliency changes at equal bytes: bits, and quality inside and "
        "outside the salient region",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "photographs", type=Path, metavar="PHOTO", help="a photograph, or a folder of photographs"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="the output folder: created, or continued"
    )
    parser.add_argument(
        "--codec", default="checkerboard@effort=2", metavar="NAME",
        help="a codec that searches (checkerboard@effort=2)",
    )  # fmt: skip
    parser.add_argument("--kind", default="combined", choices=STEERED_BY, help="the map (combined)")
    parser.add_argument("--bpp", type=float, default=0.37, help="bits per pixel of both files (0.37)")
    parser.add_argument(
        "--metrics",
        type=names_in,
        default=["psnr", "ms-ssim"],
        help="additional quality figures of the whole picture",
    )
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (1)")
    parser.add_argument("--retry", action="store_true", help="retry what failed in an earlier run")
    parser.add_argument("--json", action="store_true", help="print the result as JSON on standard output")
    parser.set_defaults(run=saliency_report)


def saliency_report(options: argparse.Namespace) -> None:
    """`saliency-report`. Raises ModelUnavailable for a map that cannot be made, NothingEncoded if nothing worked."""
    plan.check_rates([options.bpp])
    unsteered, steered = codec_pair(options.codec, options.kind)
    require_map(options.kind)
    figures(options.metrics)
    photos = _photographs(options.photographs)
    first = [Task(photo, unsteered.name, unsteered.version, options.bpp) for photo in photos]
    before = [(task, row) for task, row in zip(first, make_rows(options, first), strict=True)]
    second = [_steered(task, row, steered.name) for task, row in before if not row.failed]
    made = zip(second, make_rows(options, second), strict=True)
    after = {task.photo.sha256: (task, row) for task, row in made}
    comparisons, notes = _compared(options, before, after)
    report_failures([row for _, row in (*before, *after.values()) if row.failed])
    if not comparisons:
        raise NothingEncoded(
            " ".join(notes)
            or "No photograph could be encoded both with and without steering; see above for the reasons."
        )
    _write(options, comparisons, notes)


def _photographs(path: Path) -> Sequence[Photo]:
    if path.is_file():
        return [plan.read_photograph(path)]
    photos, excluded = plan.find_photographs(path)
    for line in excluded:
        print(f"excluded: {line}")
    return photos


def _steered(task: Task, row: Row, name: str) -> Task:
    """The same photograph, aimed at the size that came out without steering."""
    return Task(task.photo, name, task.version, round(row.bpp or task.target_bpp, 5))


def _compared(
    options: argparse.Namespace, before: Sequence[tuple[Task, Row]], after: dict[str, tuple[Task, Row]]
) -> tuple[list[Comparison], list[str]]:
    comparisons, notes = [], []
    for task, row in before:
        pair = after.get(task.photo.sha256)
        if pair is None or pair[1].failed:
            continue
        try:
            comparisons.append(compare(options.out, options.kind, (task, row), pair))
        except CodecError as error:
            notes.append(f"{task.photo.name}: {error}.")
    return comparisons, notes


def _write(options: argparse.Namespace, comparisons: Sequence[Comparison], notes: Sequence[str]) -> None:
    """saliency.json and report.html, each whole; the table on standard output."""
    means = mean_changes(comparisons)
    content = {
        "codec": options.codec,
        "saliency": options.kind,
        "target_bpp": options.bpp,
        "salient_share": SALIENT,
        "steered_less_unsteered": {name: one and asdict(one) for name, one in means.items()},
        "photographs": [_photograph(one) for one in comparisons],
        "notes": list(notes),
    }
    write_json(options.out / "saliency.json", content)
    page = render(options.codec, options.kind, options.bpp, comparisons, means, notes)
    write_atomic(options.out / "report.html", page.encode())
    if options.json:
        print(json.dumps(content, indent=1, allow_nan=False))
        return
    for note in notes:
        print(f"note: {note}")
    for name, one in means.items():
        if one is not None:
            ends = "" if one.low is None else f" ({one.low:+.3f} to {one.high:+.3f})"
            print(f"{steering_label(name):<48} {one.value:+.3f}{ends}")
    print(f"{options.out}: report.html, saliency.json, and the files under bitstreams/")


def _photograph(one: Comparison) -> dict[str, Any]:
    return {
        "photograph": one.photo.name,
        "sha256": one.photo.sha256,
        "unsteered": _plain(one.unsteered),
        "steered": _plain(one.steered),
        "steered_less_unsteered": one.changes(),
    }


def _plain(side: Side) -> dict[str, Any]:
    row = side.row
    return {
        "codec": row.codec,
        "operating_point": row.operating_point,
        "file_bytes": row.file_bytes,
        "bpp": row.bpp,
        "salient_psnr": _finite(side.salient_psnr),
        "other_psnr": _finite(side.other_psnr),
        "salient_bits": side.salient_bits,
        "figures": row.figures,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
