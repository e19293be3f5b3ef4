"""`python -m codecs_zoo sweep`: a folder of photographs through codecs and rates, to tables and a report.

python -m codecs_zoo sweep photographs --codecs jpeg,webp,avif --bpp 0.23,0.37 --out sweep --jobs 2
python -m codecs_zoo sweep photographs --codecs checkerboard,checkerboard@effort=2,tune=perceptual,avif \\
    --anchor avif --metrics psnr,lpips-vgg,var/metric/3 --out searched
python -m codecs_zoo sweep photographs --codecs avif,mozjpeg --anchor avif --choose-by lpips-alex --out chosen

A sweep that is stopped continues when the same command is given.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from codecs_zoo import registry
from codecs_zoo.choosing import choosing_name
from codecs_zoo.contract import CodecError
from codecs_zoo.quality import Figure, figures
from codecs_zoo.sweep import plan
from codecs_zoo.sweep.plan import Photo, Row, Task
from codecs_zoo.sweep.tables import write_csv, write_parquet
from imaging.files import write_atomic
from imaging.manifest import hash_files, write_manifest

STRIPS = 2
SCHEMA = "closer-sweep/1"


class NothingEncoded(CodecError):
    """Every row failed, each for a reason of its own."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `sweep` to the commands."""
    parser = commands.add_parser(
        "sweep",
        help="encode a folder of photographs with codecs at target rates, and write a report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_sweep_options(parser)
    parser.set_defaults(run=sweep)


def add_sweep_options(parser: argparse.ArgumentParser) -> None:
    """What every command takes that codes a folder by codecs at rates."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the photographs")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="the output folder: created, or continued"
    )
    parser.add_argument(
        "--codecs",
        type=_codecs,
        default=["all"],
        help="names such as jpeg,avif@grain=estimated; default: all available codecs",
    )
    parser.add_argument("--bpp", type=_numbers, default=[0.23, 0.37, 0.67, 1.0], help="0.23,0.37,0.67,1.0")
    parser.add_argument(
        "--metrics", type=_names, default=["psnr", "ms-ssim"],
        help="psnr, ssim, ms-ssim, lpips-alex, lpips-vgg, lpips-squeeze, and folders of metric versions",
    )  # fmt: skip
    parser.add_argument(
        "--choose-by", metavar="METRIC",
        help="metric by which codecs with optional settings choose the best ones for each photograph and rate",
    )  # fmt: skip
    parser.add_argument(
        "--anchor", default="jpeg", help="reference codec of BD-rates (jpeg), one of --codecs"
    )
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (use 1 for exact times)")
    parser.add_argument(
        "--strips", type=_count, default=STRIPS, metavar="N", help="number of photographs shown as crops (2)"
    )
    parser.add_argument("--retry", action="store_true", help="retry what failed in an earlier run")


def sweep(options: argparse.Namespace) -> None:
    """`sweep`: makes what is missing, then writes tables and report. Raises NothingEncoded if nothing worked."""
    plan.check_rates(options.bpp)
    codecs, chosen = plan.find_codecs(choosing_names(options)), figures(options.metrics)
    options.anchor = anchor_name(options)
    for note in plan.anchor_notes(options.anchor, codecs):
        print(f"note: {note}")
    photos, excluded = plan.find_photographs(options.folder)
    for line in excluded:
        print(f"excluded: {line}")
    tasks = plan.tasks(photos, codecs, options.bpp)
    rows = make_rows(options, tasks)
    failed = [row for row in rows if row.failed]
    write_results(options, photos, chosen, rows)
    report_failures(failed)
    if len(failed) == len(rows):
        raise NothingEncoded("No photograph could be encoded; see above and results.csv for the reasons.")


def choosing_names(options: argparse.Namespace) -> list[str]:
    """Names of the codecs, with --choose-by as part of those that have options to choose among.

    Raises CodecError where none has any, or for a figure that nobody knows.
    """
    codecs = plan.find_codecs(options.codecs)
    if options.choose_by is None:
        return [codec.name for codec in codecs]
    figures([options.choose_by])
    names = [choosing_name(codec, options.choose_by) for codec in codecs]
    if names == [codec.name for codec in codecs]:
        raise CodecError(
            f"None of {', '.join(names)} has options to choose among; remove --choose-by, or add a codec that has: "
            f"{', '.join(codec.name for codec in registry.codecs() if codec.choices)}."
        )
    return names


def anchor_name(options: argparse.Namespace) -> str:
    """--anchor as rows name it: options in the codec's order, chosen by --choose-by like those of the other codecs.

    Raises UnknownCodec or CodecError for one that is no codec.
    """
    anchor = registry.get(options.anchor)
    return choosing_name(anchor, options.choose_by) if options.choose_by else anchor.name


def make_rows(options: argparse.Namespace, tasks: Sequence[Task]) -> list[Row]:
    """The rows of `tasks`, made where they are missing, with a progress bar.

    Raises SweepError for no job, CodecError where a codec of a missing row cannot encode here.
    """
    if options.jobs < 1:
        raise plan.SweepError(f"--jobs is {options.jobs}; it must be at least 1.")
    plan.check_ready(options.out, tasks, retry=options.retry)
    from tqdm import tqdm

    from codecs_zoo.sweep.run import run

    for note in plan.replaced_notes(options.out, tasks):
        print(f"note: {note}", file=sys.stderr)
    with tqdm(total=len(tasks), unit="row", smoothing=0.1, dynamic_ncols=True) as bar:

        def say(row: Row) -> None:
            bar.set_postfix_str(f"{row.codec} {row.target_bpp:g} {row.photograph}", refresh=False)
            bar.update()

        names = tuple(options.metrics)
        return run(options.out, tasks, names, jobs=options.jobs, say=say, retry=options.retry)


def write_results(
    options: argparse.Namespace, photos: Sequence[Photo], chosen: Sequence[Figure], rows: Sequence[Row]
) -> None:
    """results.csv, results.parquet and report.html, each whole, and sweep.json, which names them by their hash."""
    from codecs_zoo.sweep.crops import strips
    from codecs_zoo.sweep.page import Report, render
    from codecs_zoo.sweep.summary import summarise

    names = [one.name for one in chosen]
    write_csv(options.out / "results.csv", rows, names)
    write_parquet(options.out / "results.parquet", rows, names)
    summaries = summarise(rows, chosen, options.anchor)
    facts = _facts(options, photos)
    shown = strips(options.out, photos, rows, [summary.name for summary in summaries], options.strips)
    report = Report(
        folder=options.folder.resolve().name,
        photos=len(photos),
        rates=options.bpp,
        anchor=options.anchor,
        figures=chosen,
        summaries=summaries,
        failures=[row for row in rows if row.failed],
        strips=shown,
        facts=facts,
        sections=[
            path.read_text(encoding="utf-8") for path in sorted((options.out / "sections").glob("*.html"))
        ],
    )
    write_atomic(options.out / "report.html", render(report).encode())
    files = hash_files(options.out, ("results.csv", "results.parquet", "report.html"))
    write_manifest(options.out, SCHEMA, dict(facts), files, name="sweep.json")
    print(f"{options.out}: report.html, results.csv, results.parquet, and the files under bitstreams/")


def _facts(options: argparse.Namespace, photos: Sequence[Photo]) -> list[tuple[str, str]]:
    megapixels = sum(photo.width * photo.height for photo in photos) / 1e6
    return [
        ("Photographs", f"{len(photos)}, {megapixels:.1f} megapixels together"),
        ("Rates", f"{', '.join(f'{rate:g}' for rate in options.bpp)} bpp"),
        ("Machine", f"{platform.system()} {platform.machine()}, {options.jobs} at a time"),
        ("Closer", f"{_own_version()}, Python {platform.python_version()}"),
        ("Written", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
    ]


def _own_version() -> str:
    try:
        return version("closer-perception")
    except PackageNotFoundError:
        return "not installed"


def report_failures(failed: Sequence[Row]) -> None:
    """One line for each reason of each codec, with how many rows have it."""
    reasons: dict[tuple[str, float], list[Row]] = {}
    for row in failed:
        reasons.setdefault((row.codec, row.target_bpp), []).append(row)
    for (codec, target), rows in reasons.items():
        example = f"{rows[0].photograph}: {rows[0].reason}"
        print(f"failed: {codec} at {target:g} bpp, {len(rows)} photographs; {example}", file=sys.stderr)


def _codecs(text: str) -> list[str]:
    """Names between commas; a comma between two options of one codec parts no names."""
    names: list[str] = []
    for part in _names(text):
        if "=" in part and "@" not in part and names:
            names[-1] += f",{part}"
        else:
            names.append(part)
    return names


def names_in(text: str) -> list[str]:
    """What stands between commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def _names(text: str) -> list[str]:
    """What stands between commas, which must be something."""
    if not (names := names_in(text)):
        raise argparse.ArgumentTypeError("it is empty; give at least one, or leave the option out")
    return names


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def _numbers(text: str) -> list[float]:
    try:
        return [float(number) for number in _names(text)]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers such as 0.23,0.67") from error
