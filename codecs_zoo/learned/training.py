"""Train a learned codec: folders of photographs in, a folder with weights, log and curve out.

python -m codecs_zoo train factorized-prior --data photographs --out trained/factorized-prior
python -m codecs_zoo train checkerboard --tune perceptual --start checkerboard --data photographs --out tuned
python -m codecs_zoo train --settings codecs_zoo/learned/weights/checkerboard.json --data photographs --out again

    trained/factorized-prior/
        settings.json               what it was started with
        state.pt                    network, optimizer and step: training goes on from here, also after kill -9
        log.csv                     step, loss, bits per pixel, PSNR, distance, learning rate, seconds
        curve.svg                   the log, drawn
        factorized-prior.safetensors    the weights that the codec loads, float16; as of the last save
        manifest.json               written last: if it is there, the folder is whole

torch is imported when training starts: this module is imported whenever codecs are listed.
"""

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
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help=", ".join(trainable()))
    parser.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help="a settings.json, such as those next to the included weights",
    )
    parser.add_argument("--data", nargs="+", required=True, metavar="FOLDER", help="folders of photographs")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="a new folder, or one to continue in"
    )
    _add_schedule(parser)
    parser.add_argument(
        "--size",
        default="",
        choices=list(SIZES),
        help="size of the networks (default: that of --start, or small)",
    )
    parser.add_argument(
        "--tune", default="mse", metavar="mse|perceptual|FOLDER", help="the distortion to minimise"
    )
    parser.add_argument(
        "--saliency", default="none", choices=SALIENCY, help="the map that weights the distortion"
    )
    parser.add_argument("--metric-weight", type=float, default=TrainingSettings.metric_weight)
    parser.add_argument("--parts", default="all", choices=PARTS, help="which parts are trained")
    parser.add_argument("--compiled", action="store_true", help="fuse kernels: for long runs on a GPU")
    parser.add_argument("--float32", action="store_true", help="no bfloat16")
    parser.add_argument("--save-every", type=int, default=TrainingSettings.save_every, help="steps")
    parser.add_argument("--log-every", type=int, default=TrainingSettings.log_every, help="steps")
    parser.set_defaults(run=run)


def _add_schedule(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--steps", type=int, default=TrainingSettings.steps)
    parser.add_argument(
        "--batch", type=int, default=TrainingSettings.batch, help="crops per step and process"
    )
    parser.add_argument("--crop", type=int, default=TrainingSettings.crop, help="side of a crop in pixels")
    parser.add_argument("--learning-rate", type=float, default=TrainingSettings.learning_rate)
    parser.add_argument("--warm-up", type=int, default=TrainingSettings.warm_up, help="steps")
    parser.add_argument("--seed", type=int, default=TrainingSettings.seed)
    parser.add_argument(
        "--start", default="", metavar="FILE|NAME", help="weights, state.pt or codec to start from"
    )
    parser.add_argument(
        "--minutes", type=float, default=0.0, help="end after this many minutes, whatever the step"
    )


def run(options: argparse.Namespace) -> None:
    """`train`: starts, or goes on with what is in the folder."""
    from codecs_zoo.learned.networks.trainer import train

    train(_settings(options), options.out)


def _settings(options: argparse.Namespace) -> TrainingSettings:
    """What the options say, or the file of settings with other photographs. Raises CodecError for a bad file."""
    data = tuple(options.data)
    if options.settings is None:
        fields = TrainingSettings.__dataclass_fields__
        options_set = {name: getattr(options, name) for name in fields if name in options}
        return TrainingSettings(**{**options_set, "data": data, "bf16": not options.float32})
    try:
        return TrainingSettings(**{**json.loads(options.settings.read_text()), "data": data})
    except (json.JSONDecodeError, TypeError, UnicodeDecodeError) as error:
        raise CodecError(f"{options.settings} holds no settings of a training ({error}).") from error
