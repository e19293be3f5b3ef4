"""What a GPU is for in training a metric, in under twelve minutes: precision, speed, fine-tuning, several processes.

    python -m benchmarks.metric_gpu --out metric-gpu [--snapshot SNAPSHOT] [--net vgg] [--epochs 5]

    metric-gpu/alone, together   versions that were fine-tuned on whole pictures: by one process, and by torchrun
    metric-gpu/gpu.json          written anew after each part: options, device, versions, figures

Parts: `parity`, distances on this device against the CPU's, in float32 and with a bfloat16 trunk; `trunk`, seconds a
picture in both; `step`, one step of fine-tuning with its share of the card's bfloat16 rate; `alone` and `together`,
runs as a run row starts them, with the scores of their tables and the largest difference between their distances.
Several processes need a GPU each: with fewer than two GPUs `together` runs on the CPU, and so does what it is held
against; where both kept epoch 0, the fit, that difference says nothing of the steps. Without a GPU everything is small,
on the CPU, and says nothing about a GPU. Without --snapshot the photographs are invented and the votes simulated: the
figures are of time and precision, not of people.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks._timing import best_of_turns, share_of_peak
from benchmarks.gpu import Report
from metric.core import LPIPS, load
from metric.core.config import NETS, TrainConfig
from metric.core.distance.choice import ChoiceCurve
from metric.core.distance.features import to_tensor
from metric.core.distance.images import as_picture
from metric.core.training.comp import Model
from metric.core.training.examples import Example, batches, gather
from metric.core.training.members import train_by_team
from metric.core.training.train import train
from tests.kit.snapshots import coded, make_snapshot, photograph

PICTURES = 4
TRIPLETS = 8


def main() -> int:
    """Returns the exit status."""
    options = _options()
    gpu = torch.cuda.is_available()
    device = torch.device("cuda", 0) if gpu else torch.device("cpu")
    if not gpu:
        print("torch finds no GPU: small, on the CPU. These figures say nothing about a GPU.")
    options.out.mkdir(parents=True, exist_ok=True)
    report = Report(options.out / "gpu.json", options)
    metric = LPIPS(options.net)
    report.add("parity", **_parity(metric, device, options.side))
    report.add("trunk", **_trunk(metric.to(device), device, options.side))
    report.add("step", **_step(metric, device, options.side))
    _fine_tuning(report, options, gpu)
    print(f"Written: {report.path}")
    return 0


def _options() -> argparse.Namespace:
    gpu = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description="What a GPU is for in training a metric.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--snapshot", type=Path, help="a snapshot's folder; else an invented one")
    parser.add_argument("--net", choices=NETS, default="vgg" if gpu else "alex")
    parser.add_argument(
        "--side", type=int, default=512 if gpu else 64, help="of invented pictures, in pixels"
    )
    parser.add_argument("--epochs", type=int, default=5 if gpu else 1)
    return parser.parse_args()


def _pairs(side: int) -> tuple[Tensor, Tensor]:
    references = [photograph(seed, (side, side)) for seed in range(PICTURES)]
    return to_tensor(references), to_tensor([coded(each, "JPEG", 30) for each in references])


def _parity(metric: LPIPS, device: torch.device, side: int) -> dict[str, Any]:
    """Largest difference of distances to those of the CPU, and the mean distance."""
    a, b = _pairs(side)
    with torch.inference_mode():
        expected = metric(a, b).flatten()
        metric.to(device)
        exact = metric(a.to(device), b.to(device)).flatten().cpu()
        with torch.autocast(device.type, dtype=torch.bfloat16):
            rough = metric.between(metric.features(a.to(device)), metric.features(b.to(device)))
    gaps = ((each - expected).abs().max() for each in (exact, rough.flatten().float().cpu()))
    float32, bfloat16 = (float(gap) for gap in gaps)
    return {"float32": float32, "bfloat16_trunk": bfloat16, "mean_distance": float(expected.mean())}


def _trunk(metric: LPIPS, device: torch.device, side: int) -> dict[str, Any]:
    """Seconds of the trunk for one picture."""
    images = _pairs(side)[0].to(device)

    def plain() -> None:
        metric.features(images)

    def rough() -> None:
        with torch.autocast(device.type, dtype=torch.bfloat16):
            metric.features(images)

    with torch.inference_mode():
        for run in (plain, rough):
            run()
        seconds = best_of_turns([plain, rough], device)
    return dict(zip(("float32", "bfloat16"), (each / PICTURES for each in seconds), strict=True))


def _step(metric: LPIPS, device: torch.device, side: int) -> dict[str, Any]:
    """Seconds of a step of fine-tuning on TRIPLETS triplets of whole pictures, forward and back."""
    model = Model(metric.requires_grad_(True), ChoiceCurve(10.0), 0.0).to(device)
    examples = [_example(number, side) for number in range(TRIPLETS)]

    def step() -> None:
        model.zero_grad(set_to_none=True)
        for part in batches(examples, 0):
            (model(gather(part, 0, (0, 0), device)) / TRIPLETS).backward()

    step()
    (seconds,) = best_of_turns([step], device)
    return {
        "seconds": seconds,
        "triplets": TRIPLETS,
        "rate": share_of_peak(step, seconds, device).strip(", "),
    }


def _example(number: int, side: int) -> Example:
    reference = photograph(number, (side, side))
    pictures = (reference, coded(reference, "JPEG", 30), coded(reference, "WEBP", 30))
    original, p0, p1 = map(as_picture, pictures)
    votes = np.array([2.0])
    return Example(str(number), original, p0, p1, for_p1=votes / 2, total=votes, side=(0.0,))


def _fine_tuning(report: Report, options: argparse.Namespace, gpu: bool) -> None:
    snapshot = options.snapshot or _invented(options.out / "snapshot", options.side, gpu)
    count = torch.cuda.device_count()
    config = {
        "kind": "comp", "nets": (options.net,), "epochs": options.epochs, "learning_curve": False,
        "baselines": ("psnr", f"lpips-{options.net}"),
    }  # fmt: skip
    alone = _run(report, "alone", snapshot, options.out, TrainConfig(**config))
    if count < 2:
        # The same on one device, so that only the number of processes differs.
        config["device"] = "cpu"
        alone = (
            _run(report, "alone on the CPU", snapshot, options.out, TrainConfig(**config)) if gpu else alone
        )
    together = TrainConfig(**config, processes=max(2, count))
    version = _run(report, "together", snapshot, options.out, together)
    a, b = _pairs(options.side)
    with torch.inference_mode():
        gap = float((load(alone)(a, b) - load(version)(a, b)).abs().max())
    report.add("together", difference_to_alone=gap)


def _invented(folder: Path, side: int, gpu: bool) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    per_split = (24, 6, 8) if gpu else (4, 2, 2)
    return make_snapshot(folder, per_split=per_split, votes=6, sizes=((side, side),))


def _run(report: Report, part: str, snapshot: Path, out: Path, config: TrainConfig) -> Path:
    """Train, as a run row does; its seconds and the scores of its table go into the report."""
    folder, cache = out / part.replace(" ", "-"), out / "cache" / part.replace(" ", "-")
    for former in (folder, cache):
        shutil.rmtree(former, ignore_errors=True)
    started = time.monotonic()
    if config.processes == 1:
        train(snapshot, folder, config, cache=cache)
    else:
        train_by_team(
            snapshot, folder, config, promoted=None, cache=cache, progress=lambda stage, done, total: None
        )
    seconds = time.monotonic() - started
    version = load(folder)
    rows = _rows(folder)
    report.add(
        part, seconds=seconds, processes=config.processes, device=config.device, scores=rows,
        best_epoch=version.settings["fine_tuning"]["best_epoch"],
    )  # fmt: skip
    return folder


def _rows(folder: Path) -> dict[str, float | None]:
    evaluation = json.loads((folder / "evaluation.json").read_text())
    return {row["key"]: row["score"] for row in evaluation["rows"]}


if __name__ == "__main__":
    sys.exit(main())
