"""Train a learned codec: folders of photographs in, a folder with weights, log and curve out.

python -m codecs_zoo train factorized-prior --data photographs --out trained/factorized-prior
python -m codecs_zoo train checkerboard --tune perceptual --start checkerboard --data photographs --out tuned
python -m codecs_zoo train --settings codecs_zoo/learned/weights/checkerboard.json --data photographs --out again

    trained/factorized-prior/
        settings.json               what it was started with
        state.pt                    network, optimizer and step: training goes on from here, also after kill -9
        log.csv                     step, loss, bits per pixel, PSNR, distance, metric alone, learning rate, seconds
        curve.svg                   the log, drawn
        factorized-prior.safetensors    the weights that the codec loads, float16; as of the last save
        manifest.json               written last: if it is there, the folder is whole
"""

# torch is imported when training starts: this module is imported whenever codecs are listed.

from __future__ import annotations

import argparse
import json
from pathlib import Path

from codecs_zoo.contract import CodecError
from codecs_zoo.learned.networks.shape import SIZES
from codecs_zoo.learned.training_settings import PARTS, SALIENCY, TrainingSettings, trainable


def add_train_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `train` to the command line of `python -m codecs_zoo`."""
    parser = commands.add_parser(
        "train",
        help="train a learned codec on folders of photographs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help=", ".join(trainable()))
    parser.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help="a settings.json, such as those next to the included weights; options given here replace its values",
    )
    parser.add_argument("--data", nargs="+", required=True, metavar="FOLDER", help="folders of photographs")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="a new folder, or one to continue in"
    )
    _add_schedule(parser)
    parser.add_argument(
        "--size",
        choices=list(SIZES),
        help="size of the networks (default: that of --start, or small)",
    )
    parser.add_argument("--tune", metavar="mse|perceptual|FOLDER", help="the distortion to minimise")
    parser.add_argument("--saliency", choices=SALIENCY, help="the map that weights the distortion")
    parser.add_argument("--metric-weight", type=float, help="with --tune: of the metric (40)")
    parser.add_argument("--parts", choices=PARTS, help="which parts are trained")
    parser.add_argument("--compiled", action="store_true", help="fuse kernels: for long runs on a GPU")
    parser.add_argument("--float32", action="store_true", help="no bfloat16")
    parser.add_argument("--save-every", type=int, help="steps (500)")
    parser.add_argument("--log-every", type=int, help="steps (50)")
    parser.set_defaults(run=run)


def _add_schedule(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--steps", type=int, help="20000")
    parser.add_argument("--batch", type=int, help="crops per step and process (8)")
    parser.add_argument("--crop", type=int, help="side of a crop in pixels (192)")
    parser.add_argument("--learning-rate", type=float, help="0.001")
    parser.add_argument("--warm-up", type=int, help="steps (200)")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--start", metavar="FILE|NAME", help="weights, state.pt or codec to start from")
    parser.add_argument(
        "--minutes", type=float, help="end after this many minutes, whatever the step (0: no limit)"
    )


def run(options: argparse.Namespace) -> None:
    """`train`: starts, or goes on with what is in the folder."""
    from codecs_zoo.learned.networks.trainer import train

    train(_settings(options), options.out)


def _settings(options: argparse.Namespace) -> TrainingSettings:
    """What the options say; with --settings the file's values, where no option says otherwise.

    Raises CodecError for a bad file, a missing name, and a weight of a metric that is not used.
    """
    given = {
        name: value for name, value in vars(options).items() if name in TrainingSettings.__dataclass_fields__
    }
    if "float32" in options:
        given["bf16"] = False
    file = options.settings if "settings" in options else None
    try:
        stored = json.loads(file.read_text(encoding="utf-8")) if file else {}
        if unknown := set(stored) - set(TrainingSettings.__dataclass_fields__):
            raise TypeError(f"unknown: {', '.join(sorted(unknown))}")
        chosen = {**stored, **given, "data": tuple(options.data)}
        if "name" not in chosen:
            raise CodecError(f"Name the codec to train: {', '.join(trainable())}.")
        settings = TrainingSettings(**chosen)
    except (json.JSONDecodeError, TypeError, UnicodeDecodeError) as error:
        raise CodecError(f"{file} does not contain settings of a training ({error}).") from error
    if "metric_weight" in given and settings.tune == "mse":
        raise CodecError(
            "--metric-weight applies only to training with --tune perceptual or a metric version."
        )
    return settings
