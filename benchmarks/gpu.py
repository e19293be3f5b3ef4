"""What a GPU is for, in under twelve minutes: a codec trained, tuned to a metric, and measured.

    python -m benchmarks.gpu --out gpu --data photographs [more] [--test KODAK] [--minutes 11]
    python -m benchmarks.gpu --out gpu --data photographs --size small --batch 4 --crop 64 --minutes 1   # on a CPU

    gpu/plain/              a training folder: `checkerboard` for the squared error
    gpu/perceptual-40/      from those weights on, stock LPIPS added with this weight
    gpu/perceptual-100/     the same with more of it
    gpu/gpu.json            written anew after each part: settings, device, versions, speeds, figures

Figures are means over the test photographs at each quality, of real files: bits per pixel, PSNR, MS-SSIM, and LPIPS
through every trunk whose weights are here. The metric is tuned through alex and squeeze: vgg is the one to trust.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from codecs_zoo.contract import CodecError, Pixels
from codecs_zoo.learned.networks.model import LearnedModel
from codecs_zoo.learned.networks.objective import metric_for
from codecs_zoo.learned.networks.pictures import one_thread, to_pixels, to_tensor
from codecs_zoo.learned.networks.shape import SIZES
from codecs_zoo.learned.networks.trainer import train
from codecs_zoo.learned.networks.weights import load_weights
from codecs_zoo.learned.training_settings import TrainingSettings, network_builder
from imaging.errors import PhotographError
from imaging.files import error_text, write_atomic
from imaging.listing import files
from imaging.pictures import ENDINGS, load_photograph
from metric.core.distance.base import Metric
from metric.core.distance.lpips import LPIPS
from metric.core.distance.terms import ms_ssim
from metric.core.distance.weights import availability

NAME = "checkerboard"
SHARES = {"plain": 0.66, "perceptual-40": 0.085, "perceptual-100": 0.085}
"""Of the minutes; the rest is for loading, compiling and measuring."""
QUALITIES = (1, 2, 3, 4, 5, 6)


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--out", type=Path, required=True)
    made.add_argument("--data", nargs="+", required=True, help="folders of photographs to train on")
    made.add_argument("--test", type=Path, help="photographs to measure on; else the first four of --data")
    made.add_argument("--minutes", type=float, default=11.0)
    made.add_argument("--size", choices=list(SIZES), default="large")
    made.add_argument("--batch", type=int, default=32)
    made.add_argument("--crop", type=int, default=256)
    made.add_argument("--learning-rate", type=float, default=1e-3)
    made.add_argument("--compiled", action="store_true")
    return made


class Report:
    """gpu.json, kept up to date."""

    def __init__(self, path: Path, options: argparse.Namespace) -> None:
        self.path, self.started = path, time.monotonic()
        gpu = torch.cuda.is_available()
        self.content: dict[str, Any] = {
            "options": {key: str(value) for key, value in vars(options).items()},
            "device": torch.cuda.get_device_name() if gpu else "cpu",
            "versions": {
                "python": sys.version.split()[0],
                "torch": torch.__version__,
                "cuda": torch.version.cuda,
            },
            "parts": {},
        }

    def add(self, part: str, **figures: Any) -> None:
        """Merge what was found about one part, and write."""
        self.content["parts"].setdefault(part, {}).update(figures)
        self.content["seconds"] = round(time.monotonic() - self.started, 1)
        write_atomic(self.path, (json.dumps(self.content, indent=1) + "\n").encode())
        print(f"{self.content['seconds']:7.1f} s  {part}: {', '.join(figures)}", flush=True)


def settings_of(part: str, options: argparse.Namespace) -> TrainingSettings:
    """How one part is trained."""
    common: dict[str, Any] = {
        "name": NAME,
        "data": tuple(options.data),
        "steps": 1_000_000,
        "minutes": options.minutes * SHARES[part],
        "batch": options.batch,
        "crop": options.crop,
        "save_every": 8000,
        "log_every": 100,
    }
    if part == "plain":
        return TrainingSettings(
            **common,
            compiled=options.compiled,
            size=options.size,
            learning_rate=options.learning_rate,
            warm_up=500,
        )
    start = str(options.out / "plain" / f"{NAME}.safetensors")
    weight = float(part.rsplit("-", 1)[1])
    tuned = {"tune": "perceptual", "metric_weight": weight, "learning_rate": options.learning_rate / 4}
    return TrainingSettings(**common, **tuned, start=start, warm_up=100)


def test_pictures(options: argparse.Namespace) -> list[Pixels]:
    """The photographs to measure on. Raises CodecError where there are none."""
    folder, count = (options.test, None) if options.test else (Path(options.data[0]), 4)
    if not folder.is_dir():
        raise CodecError(f"There is no folder {folder}; use --data and --test with folders of photographs.")
    if not (paths := list(files(folder, ENDINGS))[:count]):
        raise CodecError(
            f"There is no photograph in {folder}; use --data and --test with folders of photographs."
        )
    return [load_photograph(path).pixels for path in paths]


def metrics_here(device: torch.device) -> dict[str, Metric]:
    """LPIPS through every trunk whose weights are on this machine."""
    return {
        f"lpips-{net}": LPIPS(net).to(device)
        for net in ("alex", "squeeze", "vgg")
        if availability(net).available
    }


def measured(weights: Path, pictures: list[Pixels], device: torch.device) -> list[dict[str, float]]:
    """The figures of real files at each of QUALITIES, coded on the processor's cores."""
    model, metrics = load_weights(NAME, weights, network_builder(NAME)), metrics_here(device)
    jobs = [(pixels, quality) for quality in QUALITIES for pixels in pictures]
    with one_thread(), ThreadPoolExecutor(os.cpu_count()) as threads:
        made = list(threads.map(lambda job: _made(model, *job), jobs))
    rows = [_figures(*each, metrics, device) for each in made]
    return [_means([row for row in rows if row["quality"] == quality]) for quality in QUALITIES]


def _made(model: LearnedModel, pixels: Pixels, quality: int) -> tuple[Pixels, int, float, Pixels, float]:
    """Source, quality, bits per pixel, reconstruction, seconds of encoding."""
    started = time.thread_time()
    compressed = model.compress(to_tensor(pixels), quality)
    seconds = time.thread_time() - started
    height, width = pixels.shape[:2]
    x_hat = model.decompress(compressed["strings"], compressed["shape"], quality)["x_hat"]
    bits = 8 * sum(len(part[0]) for part in compressed["strings"])
    return pixels, quality, bits / (height * width), to_pixels(x_hat, height, width), seconds


@torch.inference_mode()
def _figures(
    pixels: Pixels,
    quality: int,
    bpp: float,
    made: Pixels,
    seconds: float,
    metrics: dict[str, Metric],
    device: torch.device,
) -> dict[str, float]:
    x, x_hat = (
        torch.from_numpy(each).to(device).permute(2, 0, 1)[None].float() / 255 for each in (pixels, made)
    )
    values: dict[str, Tensor] = {
        "psnr": -10 * (x_hat - x).square().mean().log10(),
        "ms_ssim": ms_ssim(2 * x - 1, 2 * x_hat - 1),
        **{name: metric(x, x_hat, normalize=True) for name, metric in metrics.items()},
    }
    plain = {"quality": quality, "bpp": bpp, "encode_seconds": seconds}
    return plain | {name: float(value) for name, value in values.items()}


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(float(np.mean([row[key] for row in rows])), 5) for key in rows[0]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the parts in order; returns the exit status, 2 with a sentence for what cannot be done."""
    options = parser().parse_args(arguments)
    try:
        metric_for(
            "perceptual"
        )  # its weights may be missing, which is better known before the minutes than after
        for part in SHARES:
            settings_of(part, options)
        pictures = test_pictures(options)
        _parts(options, pictures)
    except (CodecError, PhotographError) as error:
        print(f"gpu: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"gpu: {error_text(error)}", file=sys.stderr)
        return 2
    return 0


def _parts(options: argparse.Namespace, pictures: list[Pixels]) -> None:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cpu":
        print("torch finds no GPU: this runs on the CPU. Its figures say nothing about a GPU.", flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    report = Report(options.out / "gpu.json", options)
    for part in SHARES:
        settings = settings_of(part, options)
        weights = train(settings, options.out / part)
        manifest = json.loads((options.out / part / "manifest.json").read_text())
        last = manifest["last"]
        report.add(
            part,
            settings=asdict(settings),
            photographs=manifest["photographs"],
            last=last,
            steps_per_second=round(last["step"] / last["seconds"], 2),
            megapixels_per_second=round(
                last["step"] * options.batch * options.crop**2 / last["seconds"] / 1e6, 1
            ),
        )
        report.add(part, figures=measured(weights, pictures, device))


if __name__ == "__main__":
    sys.exit(main())
