"""The linear fit: decoding, features and our convex fit against the package's trainer on the same files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from benchmarks._sides import stock_metrics, their_trainer, trained_network
from benchmarks._timing import seconds_of
from imaging.pixels import Pixels
from metric.core import LPIPS
from metric.core.distance.cache import VectorCache
from metric.core.distance.combined import as_heads
from metric.core.evaluation.evaluate import evaluate
from metric.core.evaluation.scoring import Scoring
from metric.core.evaluation.votes import Candidate, votes_of
from metric.core.snapshot.folder import Snapshot, SnapshotTriplet, read_snapshot
from metric.core.training.fit import design, fit_heads
from tests.kit.snapshots import make_snapshot

# What the package's train.py does by default: five epochs, then five with a falling rate, in batches of 50.
EPOCHS, DECAYING = 10, 5
BATCH = 50
LOAD_SIZE = 64
SHARPNESS = 12
ROLES = ("ref", "p0", "p1")


def linear_fit(
    package: ModuleType, nets: list[str], device: torch.device, triplets: int, epochs: int
) -> None:
    """Prints seconds and ratios and, after all ten epochs, the scores on the test split."""
    print(f"\nLinear fit on {device}: {triplets} train triplets of {LOAD_SIZE} px", flush=True)
    with tempfile.TemporaryDirectory(prefix="closer-bench-") as name:
        folder = Path(name)
        photographs = (triplets // 4, 2, max(2, triplets // 16))
        snapshot = read_snapshot(
            make_snapshot(folder / "snapshot", per_split=photographs, rule=_sharp, seed=7)
        )
        for metric in stock_metrics(nets):
            _compare(package, metric.to(device), snapshot, folder / metric.name, epochs)


def _compare(package: ModuleType, metric: LPIPS, snapshot: Snapshot, cache: Path, epochs: int) -> None:
    device = metric.scaling_layer.shift.device
    fitted: dict[str, nn.Module] = {"stock": metric}

    def ours() -> None:
        fitted["ours"] = our_fit(snapshot, metric, cache)

    def theirs() -> None:
        fitted["theirs"] = their_fit(package, snapshot, metric, epochs)

    cold, warm, slow = (seconds_of(run, device) for run in (ours, ours, theirs))
    whole = slow * EPOCHS / epochs
    scaled = f", {epochs} of them measured" if epochs < EPOCHS else ""
    print(f"{metric.name}: lpips trainer, {EPOCHS} epochs{scaled}: {whole:.1f} s")
    for label, seconds in (("cold, decoding included", cold), ("vectors cached", warm)):
        print(f"  ours, {label}: {seconds:.2f} s, {whole / seconds:.0f}x", flush=True)
    if epochs >= EPOCHS:
        _print_scores(snapshot, fitted, device)


def our_fit(snapshot: Snapshot, metric: LPIPS, cache: Path) -> LPIPS:
    """Decode, compute vectors, cross-validate, fit: all on the train split, as the other side does."""
    triplets = snapshot.of("train")
    with closing(VectorCache(cache)) as vectors:
        scoring = Scoring.of(
            replace(snapshot, triplets=triplets), vectors, lambda stage, done, total: None, lambda text: None
        )
        v0, v1 = scoring.vectors(metric, "train", "features")
    counts = np.array([(t.n_p0, t.n_p1, t.n_tie) for t in triplets])
    votes = design(
        *(v0, v1), n_p0=counts[:, 0], n_p1=counts[:, 1], n_tie=counts[:, 2],
        groups=[t.photograph for t in triplets],
    )  # fmt: skip
    mean = np.concatenate([v0, v1]).mean(axis=0, dtype=np.float64)
    fit = fit_heads(votes, metric.weights.numpy().astype(np.float64), mean)
    heads = as_heads(metric.name, fit.weights.astype(np.float32))
    return LPIPS(metric.name, heads, metric.net).to(metric.scaling_layer.shift.device)


def their_fit(package: ModuleType, snapshot: Snapshot, metric: LPIPS, epochs: int) -> nn.Module:
    """The package's trainer with the defaults of its train.py, on the same files, decoded anew in each epoch."""
    trainer = their_trainer(package, metric, metric.scaling_layer.shift.device, tune=False)
    load = _their_loader()
    for epoch in range(epochs):
        for batch in _batches(snapshot, load, seed=epoch):
            trainer.set_input(batch)
            trainer.optimize_parameters()
        if epoch + 1 > EPOCHS - DECAYING:
            with redirect_stdout(StringIO()):
                trainer.update_learning_rate(DECAYING)
    return trained_network(trainer).eval()


def _batches(snapshot: Snapshot, load: Callable[[Path], Tensor], seed: int) -> Iterator[dict[str, Tensor]]:
    triplets = snapshot.of("train")
    order = np.random.default_rng(seed).permutation(len(triplets))
    for start in range(0, len(order), BATCH):
        chosen = [triplets[i] for i in order[start : start + BATCH]]
        batch = {role: torch.stack([load(t.files[role]) for t in chosen]) for role in ROLES}
        shares = [(t.n_p1 + t.n_tie / 2) / t.n for t in chosen]
        yield batch | {"judge": torch.tensor(shares, dtype=torch.float32).view(-1, 1, 1, 1)}


def _their_loader() -> Callable[[Path], Tensor]:
    """Decoding as the package's dataset does it: Pillow, then torchvision's resizing, ToTensor and Normalize."""
    from torchvision import transforms

    steps = [transforms.Resize(LOAD_SIZE), transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)]
    transform: Callable[[Any], Tensor] = transforms.Compose(steps)

    def load(path: Path) -> Tensor:
        with Image.open(path) as image:
            return transform(image.convert("RGB"))

    return load


def _sharp(reference: Pixels, p0: Pixels, p1: Pixels) -> float:
    """Votes by squared error with little doubt, so that there is something to learn."""
    errors = [float(np.mean((reference.astype(np.float64) - p) ** 2)) for p in (p0, p1)]
    return errors[0] ** SHARPNESS / (errors[0] ** SHARPNESS + errors[1] ** SHARPNESS)


def _print_scores(snapshot: Snapshot, metrics: dict[str, nn.Module], device: torch.device) -> None:
    triplets, load = snapshot.of("test"), _their_loader()
    candidates = []
    for label, metric in metrics.items():
        kind = {"ours": "new", "theirs": "promoted"}.get(label, "baseline")
        distances = np.array([_both(metric, load, triplet, device) for triplet in triplets])
        candidates.append(Candidate(label, label, kind, distances))  # type: ignore[arg-type]
    for row in evaluate(votes_of(triplets), candidates)["rows"]:
        print(f"  test score, {row['label']}: {row['score']:.3f} ({row['low']:.3f} to {row['high']:.3f})")
        if row["key"] == "ours":
            print(f"  ours minus theirs: {row['difference_to_promoted']}")


def _both(
    metric: nn.Module, load: Callable[[Path], Tensor], triplet: SnapshotTriplet, device: torch.device
) -> list[float]:
    images = {role: load(triplet.files[role])[None].to(device) for role in ROLES}
    with torch.inference_mode():
        return [float(metric(images["ref"], images[role])) for role in ("p0", "p1")]
