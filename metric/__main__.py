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
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from imaging.files import error_text
from metric.core.config import BASELINE_KEYS, NOT_CALIBRATED, TrainConfig
from metric.core.errors import InputError, Unavailable
from metric.core.public_sets.command import add_fetch
from metric.core.training.options import add_settings, settings_of
from metric.misuse import BAD_INPUT
from metric.score import add_score, add_viewing, read_pixels, viewing_of

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status: 0, or 2 with a message for what cannot be done. A fault of the program is raised."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (OSError, *BAD_INPUT, Unavailable) as error:
        print(error_text(error), file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m metric", description="The perceptual metric on the command line."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (add_score, _add_train, _add_curve, _add_prefer, _add_compare, _add_export, add_fetch):
        add(commands)
    return parser


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
    add_viewing(compare)
    compare.add_argument("--json", action="store_true", help="print the full result as JSON")
    compare.set_defaults(run=_compare)


def _add_export(commands: Commands) -> None:
    export = commands.add_parser("export", help="export a version as .onnx or .pt2")
    export.add_argument("version", type=Path, metavar="VERSION")
    export.add_argument("out", type=Path, metavar="OUT")
    export.set_defaults(run=_export)


def _prefer(options: argparse.Namespace) -> int:
    from metric.core.distance.checkpoint import load
    from metric.core.distance.features import to_tensor
    from metric.core.distance.named import is_known

    if not options.version.is_dir() and is_known(str(options.version)):
        raise InputError(
            f"{options.version} is {NOT_CALIBRATED}: only the folder of a version predicts choices."
        )
    metric = load(options.version)
    pictures = [to_tensor([read_pixels(path)]) for path in (options.ref, options.a, options.b)]
    sizes = ["{3}×{2}".format(*picture.shape) for picture in pictures]
    if len(set(sizes)) > 1:
        raise InputError(f"The pictures must have one size: REF has {sizes[0]}, A {sizes[1]}, B {sizes[2]}.")
    if doubt := metric.doubt_about_size(min(pictures[0].shape[2:])):
        print(doubt, file=sys.stderr)
    with warnings.catch_warnings(action="ignore"):  # the last line says whether it is calibrated
        share = float(metric.preference(pictures[0], pictures[1], pictures[2]))
    first, second = (float(metric.jnd(pictures[0], picture)) for picture in pictures[1:])
    print(f"{100 * share:.1f} % of people are expected to find {options.a} closer than {options.b}.")
    print(f"Just noticeable differences from {options.ref}: {first:.2f} and {second:.2f}.")
    print(f"Calibrated on: {metric.calibrated_on}")
    return 0


def _compare(options: argparse.Namespace) -> int:
    from metric.core.distance.named import require_known
    from metric.reports.compared import compare, format_panel

    names = [name.strip() for name in options.metrics.split(",") if name.strip()]
    if not names:
        raise InputError("Name at least one metric.")
    require_known(names)
    result = compare(options.answers, names, options.cache, viewing=viewing_of(options))
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
        raise InputError(f"{options.out} must end in .onnx or .pt2.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
