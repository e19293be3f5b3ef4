"""Train the networks that all photographs share: folders of photographs in, a folder with weights out.

python -m codecs_zoo.learned.pyramid.training --data photographs --out trained/pyramid --minutes 60
python -m codecs_zoo.learned.pyramid.training --settings codecs_zoo/learned/weights/pyramid.json \
    --data photographs --out trained/pyramid

    trained/pyramid/
        settings.json           what it was started with
        state.pt                networks, optimizers and clock: training goes on from here, also after kill -9
        pyramid.safetensors     the means of the weights over the last steps, written with every state
        pyramid.json            settings, and what the held-out photographs cost at each level as it went on

The schedule is one of time, of steps, or of whichever ends first: the learning rate falls to nothing at its end. It
needs torch, numpy and Pillow, nothing else.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from codecs_zoo.contract import CodecError
from codecs_zoo.learned.pyramid.training_settings import TrainingSettings
from imaging.files import error_text


def train(settings: TrainingSettings, out: Path) -> Path:
    """The weights of a whole training, which goes on if `out` holds a part of it.

    Raises CodecError for a folder that was started with other settings, photographs that can't be used, or a training
    that has no finite gradient.
    """
    from codecs_zoo.learned._state import check_training_folder
    from codecs_zoo.learned.pyramid.trainer import Trainer
    from imaging.files import to_json, write_atomic

    path, content = out / "settings.json", to_json(asdict(settings))
    check_training_folder(out, content)
    trainer = Trainer(settings, out)
    out.mkdir(parents=True, exist_ok=True)
    write_atomic(path, content)  # once all that it needs is there: a refusal leaves nothing behind
    return trainer.run()


def settings_of(options: argparse.Namespace) -> TrainingSettings:
    """What the options say; with --settings, the file's, where no option says otherwise.

    Raises CodecError for a file that holds no settings.
    """
    given: dict[str, Any] = {name: value for name, value in vars(options).items() if value is not None}
    path, _ = given.pop("settings", None), given.pop("out", None)
    given["data"] = tuple(options.data)
    try:
        stored = json.loads(path.read_text(encoding="utf-8")) if path else {}
        return TrainingSettings(**{**stored, **given})
    except (json.JSONDecodeError, TypeError, UnicodeDecodeError) as error:
        raise CodecError(f"{path} does not contain settings of this training ({error}).") from error


def parser() -> argparse.ArgumentParser:
    """The command line: an option for every setting."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--data", required=True, nargs="+", metavar="FOLDER", help="photographs to train on")
    made.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="a new folder, or one to continue in"
    )
    made.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help="training settings (JSON), such as those next to the included weights",
    )
    for one in fields(TrainingSettings):
        if one.name != "data":
            kind: Any = type(one.default)
            made.add_argument(f"--{one.name.replace('_', '-')}", type=kind, help=f"default: {one.default!r}")
    return made


def main(arguments: list[str] | None = None) -> None:
    """The command line. Ends with a sentence and status 2 for what can't be trained."""
    options = parser().parse_args(arguments)
    try:
        print(train(settings_of(options), options.out))
    except (CodecError, OSError) as error:
        print(f"pyramid: {error_text(error)}", file=sys.stderr)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
