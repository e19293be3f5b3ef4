"""The metric against the lpips package, side by side in one run, as ratios.

    python -m benchmarks.metric [--nets alex squeeze] [--triplets 800] [--epochs 10] [--threads 2]

Inference: one reference with its distorted images, our batch against the package's loop over pairs, and against
the package given all of them at once. Fine-tuning: one step on the same triplets with the trunk set free, forward
and back, for the package's own batch of 50. Linear fit: decoding, features and our convex fit with its whole
cross-validation against the package's own trainer, ten epochs with its defaults; `--epochs 10` measures all of
them, not one, and also scores both sides on the same test split. Both sides take turns with equal threads; with one
thread their seconds are the processor's, so that a busy machine does not decide. A trunk that cannot be had
(`python -m metric.core.distance.weights`) is left out. Needs the development requirements. With a GPU, all is measured
there as well, in seconds by the clock, with the share of the card's bfloat16 rate that is reached.
"""

from __future__ import annotations

import argparse
import os
import platform

import torch

from benchmarks._fitting import EPOCHS, linear_fit
from benchmarks._inference import inference
from benchmarks._tuning import fine_tune_step
from metric.core.config import NETS
from tests.kit.reference_lpips import import_lpips


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description="The metric against the lpips package.")
    parser.add_argument("--nets", nargs="+", choices=NETS, default=list(NETS))
    parser.add_argument("--triplets", type=int, default=200, help="of the linear fit")
    parser.add_argument(
        "--epochs", type=int, choices=range(1, EPOCHS + 1), default=1, metavar=f"1..{EPOCHS}",
        help=f"of the lpips trainer, whose time is counted for {EPOCHS}; {EPOCHS} also compares scores",
    )  # fmt: skip
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(arguments.threads)
    package = import_lpips()
    load = os.getloadavg()[0]
    print(f"torch {torch.__version__}, {platform.machine()}, threads {arguments.threads}, load {load:.1f}")
    for device in _devices():
        inference(package, arguments.nets, device)
        fine_tune_step(package, arguments.nets, device)
        linear_fit(package, arguments.nets, device, arguments.triplets, arguments.epochs)
    return 0


def _devices() -> list[torch.device]:
    if torch.cuda.is_available():
        return [torch.device("cpu"), torch.device("cuda", 0)]
    print("GPU: not measured, torch finds none")
    return [torch.device("cpu")]


if __name__ == "__main__":
    raise SystemExit(main())
