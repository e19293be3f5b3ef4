"""`python -m codecs_zoo saliency PHOTO OUT.png`: the map of one photograph as a grey PNG."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from codecs_zoo.saliency.maps import KINDS, require_map, saliency_map
from imaging.files import check_target, write_atomic
from imaging.pictures import load_photograph
from imaging.png import encode_png


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `saliency` to the commands."""
    parser = commands.add_parser(
        "saliency",
        help="write a saliency map as a greyscale PNG",
        description="Example: python -m codecs_zoo saliency photograph.png map.png --kind combined",
    )
    parser.add_argument("photograph", type=Path, metavar="PHOTO")
    parser.add_argument("output", type=Path, metavar="OUT.png", help="the map; white is salient")
    parser.add_argument(
        "--kind", default="combined", choices=KINDS, help="combined (default) needs three models"
    )
    parser.set_defaults(run=saliency)


def saliency(options: argparse.Namespace) -> None:
    """`saliency`: the map, in the photograph's size. Raises ModelUnavailable."""
    check_target(options.output)
    require_map(options.kind)
    photograph = load_photograph(options.photograph)
    for note in photograph.notes:
        print(f"note: {note}")
    values = saliency_map(photograph.pixels, options.kind)
    grey = np.rint(values * 255).astype(np.uint8)
    write_atomic(options.output, encode_png(np.repeat(grey[:, :, None], 3, axis=2)))
    print(
        f"{options.output}: {options.kind}, {photograph.width} x {photograph.height} pixels, mean {values.mean():.2f}"
    )
