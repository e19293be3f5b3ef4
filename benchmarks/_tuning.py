"""One step of fine-tuning, trunk set free, forward and back: ours against the package's trainer."""

from __future__ import annotations

import copy
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks._sides import stock_metrics, their_trainer, trained_network
from benchmarks._timing import best_of_turns, share_of_peak
from imaging.pixels import Pixels
from metric.core import LPIPS
from metric.core.distance.choice import ChoiceCurve
from metric.core.distance.features import to_tensor
from metric.core.distance.images import as_picture
from metric.core.training.comp import Model
from metric.core.training.examples import Example, batches, gather
from tests.kit.snapshots import coded, photograph

# The package's own batch. Triplets with a photograph each, as in BAPPS, and four for each, as in a small study.
TRIPLETS = 50
PHOTOGRAPHS = (50, 13)
Triplet = tuple[Pixels, Pixels, Pixels]


def fine_tune_step(package: ModuleType, nets: list[str], device: torch.device) -> None:
    """Prints seconds, ratio, and the largest difference of distances before the step, for each trunk and size."""
    print(f"\nFine-tuning on {device}: a step on {TRIPLETS} triplets")
    print(f"{'':36}{'theirs':>10}{'ours':>10}{'ratio':>8}{'largest difference':>20}")
    sides = (64, 256) if device.type == "cuda" else (64,)
    for ours in stock_metrics(nets):
        for side in sides:
            for photographs in PHOTOGRAPHS:
                _compare(package, ours.to(device), _triplets(side, photographs), photographs, device)


def _triplets(side: int, photographs: int) -> list[Triplet]:
    """JPEG against WebP, each pair at a quality of its own."""
    references = [photograph(seed, (side, side)) for seed in range(photographs)]
    chosen = [references[number % photographs] for number in range(TRIPLETS)]
    return [
        (reference, coded(reference, "JPEG", 10 + number), coded(reference, "WEBP", 10 + number))
        for number, reference in enumerate(chosen)
    ]


def _compare(
    package: ModuleType, ours: LPIPS, triplets: list[Triplet], photographs: int, device: torch.device
) -> None:
    trainer = their_trainer(package, ours, device, tune=True)
    loaded = _as_loaded(triplets)
    model = Model(copy.deepcopy(ours).requires_grad_(True), ChoiceCurve(10.0), 0.0).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-6)
    examples = [_example(number, triplet) for number, triplet in enumerate(triplets)]

    def their_step() -> None:
        trainer.set_input(loaded)
        trainer.optimize_parameters()

    def our_step() -> None:
        optimizer.zero_grad(set_to_none=True)
        for part in batches(examples, 0):
            (model(gather(part, 0, (0, 0), device)) / TRIPLETS).backward()
        optimizer.step()
        model.metric.clamp()

    gap = _largest_difference(ours, trainer, loaded, device)
    their_step()
    our_step()
    slow, fast = best_of_turns([their_step, our_step], device)
    label = f"{ours.name} {triplets[0][0].shape[0]} px, {photographs} photographs"
    print(f"{label:36}{1e3 * slow:8.0f}ms{1e3 * fast:8.0f}ms{slow / fast:7.1f}x{gap:20.1e}", end="")
    print(share_of_peak(our_step, fast, device), flush=True)


def _as_loaded(triplets: list[Triplet]) -> dict[str, Tensor]:
    """What the package's loader hands over: numbers, while ours turns bytes into numbers inside the step."""
    roles = zip(("ref", "p0", "p1"), zip(*triplets, strict=True), strict=True)
    images = {role: to_tensor(pixels).contiguous() for role, pixels in roles}
    return images | {"judge": torch.full((TRIPLETS, 1, 1, 1), 0.5)}


def _example(number: int, triplet: Triplet) -> Example:
    reference, p0, p1 = map(as_picture, triplet)
    votes = np.array([2.0])
    return Example(str(number), reference, p0, p1, for_p1=votes / 2, total=votes, side=(0.0,))


def _largest_difference(ours: LPIPS, trainer: Any, loaded: dict[str, Tensor], device: torch.device) -> float:
    """In full float32 and without the trainer's dropout."""
    theirs = trained_network(trainer)
    a, b = (loaded[role].to(device) for role in ("ref", "p0"))
    theirs.eval()
    with torch.no_grad(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        gap = float((ours(a, b) - theirs(a, b)).abs().max())
    theirs.train()
    return gap
