"""Distances of one reference and its images: our batch against the package's loop over pairs, and its batch."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks._sides import stock_metrics, their_metric
from benchmarks._timing import best_of_turns, share_of_peak
from metric.core import LPIPS
from metric.core.distance.features import to_tensor
from tests.kit.snapshots import coded, photograph

# Height and width, references, distorted images of each: five codecs at four bitrates, fewer of what is large.
SIZES = (((64, 64), 4, 20), ((256, 256), 1, 20), ((512, 512), 1, 5), ((512, 768), 1, 5))
QUALITIES = (5, 95)


def inference(package: ModuleType, nets: list[str], device: torch.device) -> None:
    """Prints seconds, ratios and the largest difference of distances, for each trunk and size."""
    print(f"\nInference on {device}, one reference with its images, float32")
    print(
        f"{'':28}{'their loop':>12}{'their batch':>12}{'ours':>10}{'loop/ours':>11}{'batch/ours':>11}", end=""
    )
    print(f"{'largest difference':>20}")
    for ours in stock_metrics(nets):
        theirs = their_metric(package, ours).to(device)
        ours.to(device)
        for (height, width), references, distorted in SIZES:
            groups = [_group((height, width), distorted, seed).to(device) for seed in range(references)]
            with torch.inference_mode():
                _compare(ours, theirs, f"{ours.name} {width}x{height}, {references}x(1+{distorted})", groups)


def _group(size: tuple[int, int], distorted: int, seed: int) -> Tensor:
    """An invented photograph, and JPEGs of it from poor to good."""
    reference = photograph(seed, size)
    qualities = np.linspace(*QUALITIES, distorted).astype(int)
    return to_tensor([reference, *(coded(reference, "JPEG", int(quality)) for quality in qualities)])


def _compare(ours: LPIPS, theirs: nn.Module, label: str, groups: list[Tensor]) -> None:
    device = groups[0].device

    def their_loop() -> Tensor:
        return torch.cat([theirs(group[:1], image[None]) for group in groups for image in group[1:]])

    def their_batch() -> Tensor:
        return torch.cat([theirs(group[:1].expand_as(group[1:]), group[1:]) for group in groups])

    def our_batch() -> Tensor:
        return torch.cat([ours(group[:1], group[1:]) for group in groups])

    gap = _largest_difference(their_loop, our_batch)
    their_batch()
    loop, batch, fast = best_of_turns([their_loop, their_batch, our_batch], device)
    milliseconds = f"{1e3 * loop:10.1f}ms{1e3 * batch:10.1f}ms{1e3 * fast:8.1f}ms"
    print(f"{label:28}{milliseconds}{loop / fast:10.1f}x{batch / fast:10.1f}x{gap:20.1e}", end="")
    print(share_of_peak(our_batch, fast, device), flush=True)


def _largest_difference(a: Callable[[], Tensor], b: Callable[[], Tensor]) -> float:
    """In full float32: a GPU's convolutions may otherwise round to ten bits, each side in its own way."""
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        return float((a() - b()).abs().max())
