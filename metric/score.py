"""`python -m metric score`: distances of pictures, or of two folders of pictures."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

from imaging.errors import PhotographError
from imaging.files import error_text
from imaging.listing import files
from imaging.pictures import ENDINGS, load_photograph
from imaging.pixels import Pixels
from metric.core.config import NETS, ROWS
from metric.core.distance.viewing import Viewing
from metric.core.errors import InputError
from psychometrics.tables import TableWriter

EXAMPLES = """examples:
  python -m metric score photo.png photo-q30.png photo-q60.png
  python -m metric score --metric var/metric/versions/7 originals/ decoded/ --csv distances.csv
"""


def add_score(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `score` to the command line of `python -m metric`."""
    score = commands.add_parser(
        "score",
        help="print distances between pictures",
        description="Print the distance of each DIST from REF; smaller is closer. Two folders are matched "
        "by the names of their pictures; file name extensions may differ.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    score.add_argument("ref", type=Path, metavar="REF")
    score.add_argument("dist", type=Path, nargs="+", metavar="DIST")
    score.add_argument(
        "--metric", metavar="NAME",
        help=f"folder of a metric version, {', '.join(ROWS)}, or a callable as module:function; without it, LPIPS",
    )  # fmt: skip
    score.add_argument("--net", choices=NETS, default="alex", help="trunk of published LPIPS (alex)")
    add_viewing(score)
    score.add_argument("--csv", type=Path, metavar="FILE", help="write to this file instead of the terminal")
    score.set_defaults(run=_score)


def add_viewing(parser: argparse.ArgumentParser) -> None:
    """Add how the pictures were seen."""
    parser.add_argument(
        "--pixels-per-degree", type=float, metavar="N",
        help="how the pictures were seen, for metrics that model it (cvvdp); without it, their default display",
    )  # fmt: skip


def viewing_of(options: argparse.Namespace) -> Viewing | None:
    """What the option says; None without it."""
    per_degree = options.pixels_per_degree
    return None if per_degree is None else Viewing(per_degree, "as given")


def _score(options: argparse.Namespace) -> int:
    from metric.core.distance.baselines import BaselineUnavailable
    from metric.core.distance.images import as_picture
    from metric.core.distance.named import named

    pairs = _pairs(options.ref, options.dist)
    chosen = named(options.metric or f"lpips-{options.net}", viewing_of(options))
    rows = []
    for reference, distorted in pairs:
        pictures = as_picture(read_pixels(reference)), as_picture(read_pixels(distorted))
        sizes = [f"{picture.width}×{picture.height}" for picture in pictures]
        if sizes[0] != sizes[1]:
            raise InputError(
                f"{distorted} has {sizes[1]} pixels and {reference} has {sizes[0]}: give one size."
            )
        side = min(pictures[0].height, pictures[0].width)
        if chosen.metric is not None and side < chosen.metric.minimum_side:
            raise InputError(
                f"{reference} is too small: {chosen.metric.name} needs {chosen.metric.minimum_side} pixels a side."
            )
        if chosen.metric is not None and (doubt := chosen.metric.doubt_about_size(side)):
            print(f"{reference}: {doubt}", file=sys.stderr)
        try:
            values = chosen.baseline.distances(
                [pictures], None, None, lambda line: print(line, file=sys.stderr)
            )
        except BaselineUnavailable as error:
            raise InputError(f"{chosen.baseline.label} of {reference} and {distorted}: {error}") from error
        rows.append((reference, distorted, float(values[0])))
    if options.csv is None:
        _write(sys.stdout, rows)
    else:
        with options.csv.open("w", newline="", encoding="utf-8") as file:
            _write(file, rows)
    return 0


def read_pixels(path: Path) -> Pixels:
    """The pixels of a picture by the rules of an upload, of any size; what was done to get them goes to stderr.

    Raises ValueError, naming the file.
    """
    try:
        photograph = load_photograph(path, smallest_side=1)
    except OSError as error:
        raise InputError(error_text(error)) from error
    except PhotographError as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    for note in photograph.notes:
        print(f"{path}: {note}", file=sys.stderr)
    return photograph.pixels


def _write(file: TextIO, rows: Iterable[tuple[Path, Path, float]]) -> None:
    writer = TableWriter(file, ("reference", "distorted", "distance"))
    writer.rows(
        (str(reference), str(distorted), f"{distance:.6g}") for reference, distorted, distance in rows
    )


def _pairs(reference: Path, distorted: Sequence[Path]) -> list[tuple[Path, Path]]:
    """(reference, distorted) files. Raises ValueError for folders that do not match, or a folder and a file."""
    if not reference.is_dir():
        folders = [path for path in distorted if path.is_dir()]
        if folders:
            raise InputError(
                f"{folders[0]} is a folder and {reference} is not. Give two pictures or two folders."
            )
        return [(reference, path) for path in distorted]
    pairs = []
    for folder in distorted:
        if not folder.is_dir():
            raise InputError(
                f"{reference} is a folder and {folder} is not. Give two pictures or two folders."
            )
        known = _by_name(reference)
        distorted_by_name = _by_name(folder)
        unknown = sorted(set(distorted_by_name) - set(known))
        if unknown or not distorted_by_name:
            what = f"{unknown[0]} is only in {folder}" if unknown else f"{folder} has no pictures"
            raise InputError(f"{what}. Each picture needs a reference of the same name in {reference}.")
        pairs += [(known[name], path) for name, path in sorted(distorted_by_name.items())]
    return pairs


def _by_name(folder: Path) -> dict[str, Path]:
    """Pictures by their path below the folder, without its ending. Raises ValueError for two of one name."""
    pictures: dict[str, Path] = {}
    for path in files(folder, ENDINGS, below=True):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in pictures:
            raise InputError(
                f"{pictures[name]} and {path} have the same name. Keep only one of them in the folder."
            )
        pictures[name] = path
    return pictures
