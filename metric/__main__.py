"""The metric from a terminal, without Django or a database.

python -m metric score REF DIST...        distances of pictures, or of two folders of pictures
python -m metric prefer VERSION REF A B   the share of people expected to find A closer to REF than B
python -m metric compare ANSWERS          any metrics against people's answers
python -m metric train SNAPSHOT OUT       folder in, folder out; under torchrun, on several GPUs
python -m metric curve SNAPSHOT           agreement by the number of votes and photographs learned from
python -m metric export VERSION OUT.onnx  for other runtimes (.onnx or .pt2)
python -m metric fetch [NAME]             public sets of people's answers
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from imaging.listing import files
from imaging.pictures import ENDINGS, PhotographError, Pixels, load_photograph
from metric.core.config import BASELINE_KEYS, NETS, ROWS, TrainConfig
from metric.core.distance.viewing import Viewing
from metric.core.public_sets.command import add_fetch
from metric.core.training.options import add_settings, settings_of
from psychometrics.tables import TableWriter

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

EXAMPLES = """examples:
  python -m metric score photo.png photo-q30.png photo-q60.png
  python -m metric score --metric var/metric/versions/7 originals/ decoded/ --csv distances.csv
"""


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status: 0, or 2 with a message for what cannot be done."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (OSError, ValueError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m metric", description="The perceptual metric on the command line."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (_add_score, _add_train, _add_curve, _add_prefer, _add_compare, _add_export, add_fetch):
        add(commands)
    return parser


def _add_score(commands: Commands) -> None:
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
    _add_viewing(score)
    score.add_argument("--csv", type=Path, metavar="FILE", help="write to this file instead of the terminal")
    score.set_defaults(run=_score)


def _add_viewing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--pixels-per-degree", type=float, metavar="N",
        help="how the pictures were seen, for metrics that model it (cvvdp); without it, their default display",
    )  # fmt: skip


def _viewing(options: argparse.Namespace) -> Viewing | None:
    per_degree = options.pixels_per_degree
    return None if per_degree is None else Viewing(per_degree, "as given")


def _add_train(commands: Commands) -> None:
    train = commands.add_parser("train", help="train on a snapshot folder")
    train.add_argument("snapshot", type=Path, metavar="SNAPSHOT")
    train.add_argument("out", type=Path, metavar="OUT")
    train.add_argument(
        "--cache", type=Path, help="folder for cached vectors and checkpoints, to resume an interrupted run"
    )
    add_settings(train)
    train.set_defaults(run=_train)


def _add_curve(commands: Commands) -> None:
    curve = commands.add_parser(
        "curve",
        help="learning curve: agreement by number of training votes and photographs",
        description="Repeat the fit of the heads on growing parts of the train split, and estimate what "
        "more data would bring.",
    )
    curve.add_argument("snapshot", type=Path, metavar="SNAPSHOT")
    curve.add_argument("--cache", type=Path, help="folder for cached vectors")
    curve.add_argument("--json", action="store_true", help="print the full result as JSON")
    add_settings(curve)
    curve.set_defaults(run=_curve)


def _add_prefer(commands: Commands) -> None:
    prefer = commands.add_parser("prefer", help="predict the share of people who find one picture closer")
    for name, help_ in (("version", "folder of a metric version"), ("ref", ""), ("a", ""), ("b", "")):
        prefer.add_argument(name, type=Path, metavar=name.upper(), help=help_ or None)
    prefer.set_defaults(run=_prefer)


def _add_compare(commands: Commands) -> None:
    compare = commands.add_parser(
        "compare",
        help="compare metrics with people's answers",
        description="Print how well each metric agrees with the answers in a file: the share of answers "
        "that agree, with intervals over sources and annotators, log-loss, correlations with people's "
        "scale, and tests of all differences.",
    )
    compare.add_argument("answers", type=Path, metavar="ANSWERS")
    compare.add_argument("--metrics", default=",".join(BASELINE_KEYS), help="names separated by commas")
    compare.add_argument("--cache", type=Path, help="folder for cached distances")
    _add_viewing(compare)
    compare.add_argument("--json", action="store_true", help="print the full result as JSON")
    compare.set_defaults(run=_compare)


def _add_export(commands: Commands) -> None:
    export = commands.add_parser("export", help="export a version as .onnx or .pt2")
    export.add_argument("version", type=Path, metavar="VERSION")
    export.add_argument("out", type=Path, metavar="OUT")
    export.set_defaults(run=_export)


def _score(options: argparse.Namespace) -> int:
    from metric.core.distance.baselines import BaselineUnavailable
    from metric.core.distance.images import as_picture
    from metric.core.distance.named import named

    pairs = _pairs(options.ref, options.dist)
    chosen = named(options.metric or f"lpips-{options.net}", _viewing(options))
    rows = []
    for reference, distorted in pairs:
        pictures = as_picture(_read(reference)), as_picture(_read(distorted))
        side = min(pictures[0].height, pictures[0].width)
        if chosen.metric is not None and side < chosen.metric.minimum_side:
            raise ValueError(
                f"{reference} is too small: {chosen.metric.name} needs {chosen.metric.minimum_side} pixels a side."
            )
        if chosen.metric is not None and (doubt := chosen.metric.doubt_about_size(side)):
            print(f"{reference}: {doubt}", file=sys.stderr)
        try:
            values = chosen.baseline.distances(
                [pictures], None, None, lambda line: print(line, file=sys.stderr)
            )
        except BaselineUnavailable as error:
            raise ValueError(f"{chosen.baseline.label} of {reference} and {distorted}: {error}") from error
        rows.append((reference, distorted, float(values[0])))
    if options.csv is None:
        _write(sys.stdout, rows)
    else:
        with options.csv.open("w", newline="", encoding="utf-8") as file:
            _write(file, rows)
    return 0


def _read(path: Path) -> Pixels:
    """The pixels of a picture by the rules of an upload, of any size; what was done to get them goes to stderr.

    Raises ValueError, naming the file.
    """
    try:
        photograph = load_photograph(path, smallest_side=1)
    except (OSError, PhotographError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
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
            raise ValueError(
                f"{folders[0]} is a folder and {reference} is not. Give two pictures or two folders."
            )
        return [(reference, path) for path in distorted]
    pairs = []
    for folder in distorted:
        if not folder.is_dir():
            raise ValueError(
                f"{reference} is a folder and {folder} is not. Give two pictures or two folders."
            )
        known = _by_name(reference)
        distorted_by_name = _by_name(folder)
        unknown = sorted(set(distorted_by_name) - set(known))
        if unknown or not distorted_by_name:
            what = f"{unknown[0]} is only in {folder}" if unknown else f"{folder} has no pictures"
            raise ValueError(f"{what}. Each picture needs a reference of the same name in {reference}.")
        pairs += [(known[name], path) for name, path in sorted(distorted_by_name.items())]
    return pairs


def _by_name(folder: Path) -> dict[str, Path]:
    """Pictures by their path below the folder, without its ending. Raises ValueError for two of one name."""
    pictures: dict[str, Path] = {}
    for path in files(folder, ENDINGS, below=True):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in pictures:
            raise ValueError(
                f"{pictures[name]} and {path} have the same name. Keep only one of them in the folder."
            )
        pictures[name] = path
    return pictures


def _prefer(options: argparse.Namespace) -> int:
    from metric.core.distance.checkpoint import load
    from metric.core.distance.features import to_tensor

    metric = load(options.version)
    reference, a, b = (to_tensor([_read(path)]) for path in (options.ref, options.a, options.b))
    share = float(metric.preference(reference, a, b))
    first, second = (float(metric.jnd(reference, picture)) for picture in (a, b))
    print(f"{100 * share:.1f} % of people are expected to find {options.a} closer than {options.b}.")
    print(f"Just noticeable differences from {options.ref}: {first:.2f} and {second:.2f}.")
    print(f"Calibrated on: {metric.calibrated_on}")
    return 0


def _compare(options: argparse.Namespace) -> int:
    from metric.core.distance.named import require_known
    from metric.reports.compared import compare, format_panel

    names = [name.strip() for name in options.metrics.split(",") if name.strip()]
    require_known(names)
    result = compare(options.answers, names, options.cache, viewing=_viewing(options))
    if options.json:
        print(json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        print(format_panel(result), end="")
    return 0


def _curve(options: argparse.Namespace) -> int:
    from metric.core.evaluation.table import format_learning_curve
    from metric.core.training.train import curve_of

    curve = curve_of(options.snapshot, TrainConfig(**settings_of(vars(options))), options.cache)
    if options.json:
        print(json.dumps(curve, indent=2, allow_nan=False))
    else:
        print(format_learning_curve(curve), end="")
    return 0


def _train(options: argparse.Namespace) -> int:
    from metric.core.evaluation.table import format_table
    from metric.core.training.train import train

    config = TrainConfig(**settings_of(vars(options)))
    result = train(options.snapshot, options.out, config, cache=options.cache)
    print(format_table(result["evaluation"]))
    return 0


def _export(options: argparse.Namespace) -> int:
    import torch

    from metric.core.distance.checkpoint import load
    from metric.core.distance.export import export_onnx, export_program

    metric = load(options.version)
    if options.out.suffix == ".onnx":
        export_onnx(metric, options.out)
    elif options.out.suffix == ".pt2":
        torch.export.save(export_program(metric), options.out)
    else:
        raise ValueError(f"{options.out} must end in .onnx or .pt2.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
