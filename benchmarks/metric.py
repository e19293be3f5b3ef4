"""The metric against the lpips package, side by side in one run, as ratios.

    python -m benchmarks.metric [--triplets 800] [--epochs 10]

Inference: one reference with twenty distorted images, our batch against the package's loop over pairs. Linear
fit: decoding, features and our convex fit with its whole cross-validation against the package's own trainer
on the same train split, then both scored on the same test split. `--epochs 1` times one epoch of theirs,
counts it ten times, and leaves the scores out. Both sides run on one thread, and their seconds are the
processor's, so that a busy machine does not decide. Needs the alex and squeeze
trunks (`python -m metric.core.weights`) and the development requirements.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from metric.core import LPIPS
from metric.core.cache import VectorCache
from metric.core.evaluate import Candidate, evaluate, votes_of
from metric.core.fit import ballots, fit_heads
from metric.core.images import Pixels, read_pixels
from metric.core.scoring import Scoring
from metric.core.snapshot import Snapshot, read_snapshot
from metric.core.weights import TrunkUnavailable
from tests.metric.core.snapshots import make_snapshot
from tests.reference_lpips import import_lpips

EPOCHS = 10
BATCH = 50
REPEATS = 5
SHARPNESS = 12
# Five codecs at four bitrates: what one source of a study has.
DISTORTED = 20


def best_of(run: Callable[[], object]) -> float:
    """Seconds of the fastest of a few runs, after one to warm up."""
    run()
    seconds = []
    for _ in range(REPEATS):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return min(seconds)


def their_metric(package: ModuleType, ours: LPIPS) -> nn.Module:
    """The package's metric on our copy of the trunk, so that nothing is downloaded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs: nn.Module = package.LPIPS(net=ours.name, pnet_rand=True, verbose=False)
    theirs.get_submodule("net").load_state_dict(ours.net.state_dict())
    return theirs.requires_grad_(False)


def inference(package: ModuleType) -> None:
    """Prints the ratio and the largest difference per trunk and size."""
    print(f"\nInference, one reference with {DISTORTED} images, float32")
    print(f"{'':14}{'theirs':>10}{'ours':>10}{'ratio':>8}{'largest difference':>21}")
    for net in ("alex", "squeeze"):
        ours = LPIPS(net)
        theirs = their_metric(package, ours)
        for side, references in ((64, 4), (256, 1)):
            with torch.inference_mode():
                _compare(
                    ours,
                    theirs,
                    f"{net} {side} px",
                    torch.rand(references, 1 + DISTORTED, 3, side, side) * 2 - 1,
                )


def _compare(ours: LPIPS, theirs: nn.Module, label: str, images: Tensor) -> None:
    def pairwise() -> Tensor:
        return torch.cat([theirs(group[:1], image[None]) for group in images for image in group[1:]])

    def batched() -> Tensor:
        return torch.cat([ours(group[:1], group[1:]) for group in images])

    gap = float((pairwise() - batched()).abs().max())
    slow, fast = best_of(pairwise), best_of(batched)
    print(f"{label:14}{1e3 * slow:8.1f}ms{1e3 * fast:8.1f}ms{slow / fast:7.1f}x{gap:21.1e}")


def our_fit(snapshot: Snapshot, metric: LPIPS, cache: Path) -> LPIPS:
    """Decode, compute vectors, cross-validate, fit: all on the train split, as the other side does."""
    snapshot = replace(snapshot, triplets=snapshot.of("train"))
    scoring = Scoring.of(snapshot, VectorCache(cache), lambda stage, done, total: None, lambda message: None)
    v0, v1 = scoring.vectors(metric, "train", "features")
    triplets = snapshot.of("train")
    counts = np.array([(t.n_p0, t.n_p1, t.n_tie) for t in triplets])
    votes = ballots(
        v0,
        v1,
        n_p0=counts[:, 0],
        n_p1=counts[:, 1],
        n_tie=counts[:, 2],
        groups=[t.photograph for t in triplets],
    )
    mean = np.concatenate([v0, v1]).mean(axis=0, dtype=np.float64)
    fit = fit_heads(votes, metric.weights.numpy().astype(np.float64), mean)
    parts = np.split(fit.weights.astype(np.float32), np.cumsum(metric.shape.channels)[:-1])
    heads = {
        name: torch.from_numpy(part.reshape(1, -1, 1, 1))
        for name, part in zip(metric.heads, parts, strict=True)
    }
    return LPIPS(metric.name, heads, metric.net)


def their_fit(package: ModuleType, snapshot: Snapshot, metric: LPIPS, epochs: int) -> nn.Module:
    """The package's trainer with its defaults, on the same files; images are decoded anew in each epoch."""
    trainer = package.Trainer()
    with warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        trainer.initialize(model="lpips", net=metric.name, pnet_rand=True, use_gpu=False, is_train=True)
    trainer.net.net.load_state_dict(metric.net.state_dict())
    for epoch in range(epochs):
        for batch in _batches(snapshot, seed=epoch):
            trainer.set_input(batch)
            trainer.optimize_parameters()
    trained: nn.Module = trainer.net.eval()
    return trained


def _batches(snapshot: Snapshot, seed: int) -> Iterator[dict[str, Tensor]]:
    triplets = snapshot.of("train")
    order = np.random.default_rng(seed).permutation(len(triplets))
    for start in range(0, len(order), BATCH):
        chosen = [triplets[i] for i in order[start : start + BATCH]]
        batch = {role: torch.stack([_image(t.files[role]) for t in chosen]) for role in ("ref", "p0", "p1")}
        shares = [(t.n_p1 + t.n_tie / 2) / t.n for t in chosen]
        yield batch | {"judge": torch.tensor(shares, dtype=torch.float32).view(-1, 1, 1, 1)}


def _image(path: Path) -> Tensor:
    return torch.from_numpy(read_pixels(path).astype(np.float32)).permute(2, 0, 1) / 127.5 - 1


def sharp(reference: Pixels, p0: Pixels, p1: Pixels) -> float:
    """Votes by squared error with little doubt, so that there is something to learn."""
    errors = [float(np.mean((reference.astype(np.float64) - p) ** 2)) for p in (p0, p1)]
    return errors[0] ** SHARPNESS / (errors[0] ** SHARPNESS + errors[1] ** SHARPNESS)


def linear_fit(package: ModuleType, triplets: int, epochs: int) -> None:
    """Prints times, ratios and, after all ten epochs, the scores on the test split."""
    with tempfile.TemporaryDirectory(prefix="closer-bench-") as name:
        folder = Path(name)
        print(f"\nMaking a snapshot of {triplets} train triplets at 64 px ...", flush=True)
        photographs = (triplets // 4, 2, max(2, triplets // 16))
        snapshot = read_snapshot(
            make_snapshot(folder / "snapshot", per_split=photographs, rule=sharp, seed=7)
        )
        for net in ("alex", "squeeze"):
            metric = LPIPS(net)
            seconds, (ours, _, theirs) = _timed(
                lambda m=metric, n=net: our_fit(snapshot, m, folder / n),  # type: ignore[misc]
                lambda m=metric, n=net: our_fit(snapshot, m, folder / n),  # type: ignore[misc]
                lambda m=metric: their_fit(package, snapshot, m, epochs),  # type: ignore[misc]
            )
            whole = seconds[2] * EPOCHS / epochs
            print(
                f"{net}: lpips trainer, {EPOCHS} epochs: {whole:.1f} s"
                + (" (scaled)" if epochs < EPOCHS else "")
            )
            for label, ours_took in (("cold, decoding included", seconds[0]), ("vectors cached", seconds[1])):
                print(f"  ours, {label}: {ours_took:.2f} s, {whole / ours_took:.0f}x")
            if epochs >= EPOCHS:
                _print_scores(snapshot, {"stock": metric, "theirs": theirs, "ours": ours})


def _timed(*runs: Callable[[], Any]) -> tuple[list[float], list[Any]]:
    seconds, results = [], []
    for run in runs:
        start = time.process_time()
        results.append(run())
        seconds.append(time.process_time() - start)
    return seconds, results


def _print_scores(snapshot: Snapshot, metrics: dict[str, nn.Module]) -> None:
    triplets = snapshot.of("test")
    candidates = []
    for label, metric in metrics.items():
        with torch.inference_mode():
            distances = [
                [
                    float(metric(_image(t.files["ref"])[None], _image(t.files[role])[None]))
                    for role in ("p0", "p1")
                ]
                for t in triplets
            ]
        kind = "new" if label == "ours" else "promoted" if label == "theirs" else "baseline"
        candidates.append(Candidate(label, label, kind, np.array(distances)))  # type: ignore[arg-type]
    for row in evaluate(votes_of(triplets), candidates)["rows"]:
        print(f"  test score, {row['label']}: {row['score']:.3f} ({row['low']:.3f} to {row['high']:.3f})")
        if row["key"] == "ours":
            print(f"  ours minus theirs: {row['difference_to_promoted']}")


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description="The metric against the lpips package.")
    parser.add_argument("--triplets", type=int, default=800)
    parser.add_argument("--epochs", type=int, default=1, help="of the lpips trainer; 10 also compares scores")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    package = import_lpips()
    try:
        inference(package)
        linear_fit(package, arguments.triplets, arguments.epochs)
    except TrunkUnavailable as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
