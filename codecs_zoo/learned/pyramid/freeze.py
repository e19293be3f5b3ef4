"""Make trained weights ready to code: add the whole numbers that every decoder must have alike.

python -m codecs_zoo.learned.pyramid.freeze trained/pyramid.safetensors codecs_zoo/learned/weights/pyramid.safetensors

Files are read with the weights that they were made with: freezing others ends the life of all files before.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from codecs_zoo.contract import CodecError
from codecs_zoo.learned.pyramid.decoder import STEP_UNITS
from codecs_zoo.learned.pyramid.density import make_tables
from codecs_zoo.learned.pyramid.storing import FROZEN, read_model, read_tensors, write_tensors
from imaging.files import error_text


def freeze(trained: Path, out: Path) -> None:
    """Weights of a training run to weights of the codec. Raises CodecError if they are not pyramid's."""
    model, _ = read_model(trained)
    tensors = {name: each for name, each in read_tensors(trained)[1].items() if not name.startswith(FROZEN)}
    steps = (model.log_steps.detach().double().exp2() * STEP_UNITS).round()
    tensors[f"{FROZEN}steps"] = steps.to(torch.int32)
    for name, numbers in make_tables().as_arrays().items():
        tensors[f"{FROZEN}tables.{name}"] = torch.from_numpy(numbers)
    write_tensors(tensors, out, model.shape)


def main() -> None:
    """The command line. Ends with a sentence and status 2 for what can't be frozen."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("trained", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    try:
        freeze(options.trained, options.out)
    except (CodecError, OSError) as error:
        print(f"freeze: {error_text(error)}", file=sys.stderr)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
