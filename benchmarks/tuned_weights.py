"""Tuned weights of `checkerboard`, and the means of every two of them: rate at equal quality, and dots.

    python -m benchmarks.tuned_weights KODAK --plain gpu/plain/checkerboard.safetensors --out weights.jsonl \\
        --tuned gpu/perceptual-40/checkerboard.safetensors gpu/perceptual-100/checkerboard.safetensors

Weights that were trained on from the same start may be averaged, number by number: the mean often keeps what both
learned. The middle of each photograph is encoded at each quality with every file of weights. Printed is how much more
rate than the plain weights the same figure takes (mean over crops, 95 % bootstrap interval), and the dots: how far the
mean error at each of the 16 x 16 places of a tile departs from the mean of all (standard deviation, in grey levels).
A lattice in step with the latents, by which LPIPS is gamed, shows there; noise and blur average out. Each encode is a
line of --out, with which an interrupted run continues.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np
import torch

from benchmarks.search import AROUND, Points, extra_rate, in_per_cent, mean_of_known, middles, numbers
from codecs_zoo.contract import Codec, Pixels
from codecs_zoo.learned._version import codec_version
from codecs_zoo.learned.networks.weights import load_weights, save_weights
from codecs_zoo.learned.training_settings import network_builder
from codecs_zoo.quality import Figure, figures

TILE = 16
"""Pixels between two latents."""
FAMILY = "checkerboard"


def mean_weights(files: tuple[Path, Path], out: Path) -> Path:
    """Writes the weights halfway between two files of one shape, ready to code."""
    models = [load_weights(FAMILY, file, network_builder(FAMILY)) for file in files]
    states = [model.state_dict() for model in models]
    mean = {
        name: (states[0][name].double() + states[1][name].double()).div(2).to(each)
        for name, each in states[0].items()
    }
    model = network_builder(FAMILY)(models[0].shape)
    model.load_state_dict(mean)
    save_weights(FAMILY, model, out)
    return out


def dots(source: Pixels, decoded: Pixels) -> float:
    """Grey levels by which the mean error departs from its mean over a tile's places; sides are whole tiles."""
    error = (decoded.astype(np.float64) - source).mean(2)
    rows, columns = (length // TILE for length in error.shape)
    whole = error[: rows * TILE, : columns * TILE].reshape(rows, TILE, columns, TILE)
    return float(whole.mean((0, 2)).std())


def print_weights(
    codec: Codec, plain: Codec, crops: list[tuple[str, Pixels]], points: Points, options: argparse.Namespace
) -> None:
    """One line: extra rate by each figure over all crops and qualities, and the dots at each quality."""
    chosen, cells = list(points.figures), []
    for figure in chosen:
        if figure.name == "dots":
            continue
        rows = [
            [
                extra_rate(
                    points.point(name, pixels, codec, quality),
                    [points.point(name, pixels, plain, round(quality + each, 2)) for each in AROUND],
                    figure,
                )
                for name, pixels in crops
            ]
            for quality in options.qualities
        ]
        cells.append(in_per_cent(mean_of_known(rows)))
    for quality in options.qualities:
        values = [points.point(name, pixels, codec, quality).figures["dots"] or 0.0 for name, pixels in crops]
        cells.append(f"{np.mean(values):.2f}")
    print(f"| {codec.name} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Prints a line for each file of weights, and for the mean of every two tuned ones."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="photographs")
    parser.add_argument("--plain", type=Path, required=True, metavar="FILE")
    parser.add_argument("--tuned", type=Path, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--out", type=Path, required=True, help="a file of lines, made or gone on with")
    parser.add_argument("--qualities", type=numbers, default=[3.0, 4.0])
    parser.add_argument("--metrics", default="psnr,ms-ssim,ssimulacra2,lpips-vgg")
    parser.add_argument("--crop", type=int, default=256, help="pixels a side (256)")
    parser.add_argument("--first", type=int, help="only so many photographs")
    options = parser.parse_args()
    torch.set_num_threads(1)
    shown = figures(options.metrics.split(","))
    points = Points(options.out, [*shown, Figure("dots", "dots", False, dots)])
    crops = list(middles(options.folder, options.crop, options.first))
    plain = codec_version("plain", FAMILY, options.plain)
    heads = [*(each.label for each in shown), *(f"dots, {quality:g}" for quality in options.qualities)]
    print("| weights | " + " | ".join(heads) + " |")
    print("| --- |" + " --- |" * len(heads))
    files = {path.parent.name if path.stem == FAMILY else path.stem: path for path in options.tuned}
    for (one, first), (other, second) in combinations(list(files.items()), 2):
        name = f"mean of {one} and {other}"
        files[name] = mean_weights((first, second), options.out.with_name(f"{name}.safetensors"))
    for name, path in files.items():
        print_weights(codec_version(name, FAMILY, path), plain, crops, points, options)
    print_weights(plain, plain, crops, points, options)


if __name__ == "__main__":
    main()
