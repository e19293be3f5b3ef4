"""The metric against the lpips package, side by side in one run, as ratios.

    python -m benchmarks.metric [--triplets 800] [--epochs 10]

Inference: one reference with its distorted images, our batch against the package's loop over pairs.
Fine-tuning: one step on the same triplets with the trunk set free, forward and back. Linear fit: decoding,
features and our convex fit with its whole cross-validation against the package's own trainer on the same train
split, then both scored on the same test split. `--epochs 1` times one epoch of theirs, counts it ten times, and
leaves the scores out. Both sides run on one thread, and their seconds are the processor's, so that a busy
machine does not decide. Needs the alex and squeeze trunks (`python -m metric.core.weights`) and the development
requirements. With a GPU, inference and steps are measured there as well, in seconds by the clock, with the
share of the card's bfloat16 rate (measured in the same run, by a large matrix product) that a step reaches.
"""

from __future__ import annotations

import argparse
import copy
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
from torch.utils.flop_counter import FlopCounterMode

from metric.core import LPIPS
from metric.core.cache import VectorCache
from metric.core.combined import as_heads
from metric.core.comp import Model
from metric.core.evaluate import Candidate, evaluate, votes_of
from metric.core.examples import Batch
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
# Height and width, references, distorted images of each: five codecs at four bitrates, fewer of what is large.
SIZES = (((64, 64), 4, 20), ((256, 256), 1, 20), ((512, 512), 1, 5), ((512, 768), 1, 5))
STEP_SIDE, STEP_TRIPLETS = 64, 16


def best_of(run: Callable[[], object]) -> float:
    """Seconds of the fastest of a few runs, after one to warm up."""
    run()
    seconds = []
    for _ in range(REPEATS):
        start = _now()
        run()
        seconds.append(_now() - start)
    return min(seconds)


def _now() -> float:
    """Processor seconds; with a GPU, the clock's, once it has nothing left to do."""
    if not torch.cuda.is_available():
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def stock_metrics() -> Iterator[LPIPS]:
    """The published metric on each trunk that can be had; says which cannot."""
    for net in ("alex", "squeeze"):
        try:
            yield LPIPS(net)
        except TrunkUnavailable as error:
            print(f"{net}: not measured. {error}")


def their_metric(package: ModuleType, ours: LPIPS) -> nn.Module:
    """The package's metric on our copy of the trunk, so that nothing is downloaded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs: nn.Module = package.LPIPS(net=ours.name, pnet_rand=True, verbose=False)
    theirs.get_submodule("net").load_state_dict(ours.net.state_dict())
    return theirs.requires_grad_(False)


def inference(package: ModuleType, device: torch.device) -> None:
    """Prints the ratio and the largest difference per trunk and size."""
    print(f"\nInference on {device}, one reference with its images, float32")
    print(f"{'':24}{'theirs':>10}{'ours':>10}{'ratio':>8}{'largest difference':>21}")
    for ours in stock_metrics():
        net = ours.name
        theirs = their_metric(package, ours).to(device)
        ours.to(device)
        for (height, width), references, distorted in SIZES:
            label = f"{net} {width}x{height}, 1 with {distorted}"
            images = torch.rand(references, 1 + distorted, 3, height, width, device=device) * 2 - 1
            with torch.inference_mode():
                _compare(ours, theirs, label, images)


def _compare(ours: LPIPS, theirs: nn.Module, label: str, images: Tensor) -> None:
    def pairwise() -> Tensor:
        return torch.cat([theirs(group[:1], image[None]) for group in images for image in group[1:]])

    def batched() -> Tensor:
        return torch.cat([ours(group[:1], group[1:]) for group in images])

    gap = float((pairwise() - batched()).abs().max())
    slow, fast = best_of(pairwise), best_of(batched)
    print(f"{label:24}{1e3 * slow:8.1f}ms{1e3 * fast:8.1f}ms{slow / fast:7.1f}x{gap:21.1e}")


def fine_tune_step(package: ModuleType, device: torch.device) -> None:
    """Prints one step of both trainers with the trunk set free, and the largest difference of distances."""
    print(
        f"\nFine-tuning on {device}: a step on {STEP_TRIPLETS} triplets of {STEP_SIDE} px with 4 references"
    )
    for ours in stock_metrics():
        net = ours.to(device).name
        trainer = their_trainer(package, ours, device, tune=True)
        model = Model(copy.deepcopy(ours).requires_grad_(True), 10.0, 0.0, 0.0).to(device)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.0)
        batch = _step_batch(device)
        judge = torch.full((STEP_TRIPLETS, 1, 1, 1), 0.5)
        images = [batch.images[index] for index in (batch.reference, batch.p0, batch.p1)]
        theirs = dict(zip(("ref", "p0", "p1"), images, strict=True)) | {"judge": judge}

        def their_step(trainer: Any = trainer, theirs: Any = theirs) -> None:
            trainer.set_input(theirs)
            trainer.optimize_parameters()

        def our_step(model: Any = model, optimizer: Any = optimizer, batch: Any = batch) -> None:
            optimizer.zero_grad(set_to_none=True)
            model(batch).backward()
            optimizer.step()

        with torch.no_grad():
            trainer.net.eval()  # without its dropout
            gap = float((ours(images[0], images[1]) - trainer.net(images[0], images[1])).abs().max())
            trainer.net.train()
        slow, fast = best_of(their_step), best_of(our_step)
        line = f"{net}: theirs {1e3 * slow:.0f} ms, ours {1e3 * fast:.0f} ms, {slow / fast:.1f}x"
        print(f"{line}, largest difference before it {gap:.1e}{_share_of_peak(our_step, fast, device)}")


def _step_batch(device: torch.device) -> Batch:
    """References, then p0 and p1 of each triplet; four triplets share a reference, as in a study."""
    count = STEP_TRIPLETS
    images = torch.rand(4 + 2 * count, 3, STEP_SIDE, STEP_SIDE, device=device) * 2 - 1
    numbers = torch.arange(count, device=device)
    share, total = (torch.full((count, 1), value, device=device) for value in (0.5, 1.0))
    places = numbers % 4, 4 + numbers, 4 + count + numbers
    return Batch(images, *places, share, total, torch.zeros(1, device=device))


def _share_of_peak(step: Callable[[], None], seconds: float, device: torch.device) -> str:
    """What a GPU's bfloat16 rate allows, and how much of it the step reached; nothing on a CPU."""
    if device.type != "cuda":
        return ""
    with FlopCounterMode(display=False) as counter:
        step()
    side = 8192
    a = torch.rand(side, side, device=device, dtype=torch.bfloat16)
    peak = 2 * side**3 / best_of(lambda: a @ a)
    return (
        f", {100 * counter.get_total_flops() / seconds / peak:.0f} % of bfloat16's {peak / 1e12:.0f} TFLOP/s"
    )


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
    heads = as_heads(metric.name, fit.weights.astype(np.float32))
    return LPIPS(metric.name, heads, metric.net)


def their_trainer(package: ModuleType, metric: LPIPS, device: torch.device, *, tune: bool) -> Any:
    """The package's trainer on our copy of the trunk, with the trunk set free if asked to."""
    trainer = package.Trainer()
    gpu = device.type == "cuda"
    with warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        trainer.initialize(
            model="lpips", net=metric.name, pnet_rand=True, pnet_tune=tune, use_gpu=gpu, is_train=True
        )
    trainer.net.net.load_state_dict(metric.net.state_dict())
    trainer.net.load_state_dict(metric.heads, strict=False)
    return trainer


def their_fit(package: ModuleType, snapshot: Snapshot, metric: LPIPS, epochs: int) -> nn.Module:
    """The package's trainer with its defaults, on the same files; images are decoded anew in each epoch."""
    trainer = their_trainer(package, metric, torch.device("cpu"), tune=False)
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
        for metric in stock_metrics():
            net = metric.name
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
    for device in [torch.device("cpu"), *([torch.device("cuda")] if torch.cuda.is_available() else [])]:
        inference(package, device)
        fine_tune_step(package, device)
    if not torch.cuda.is_available():
        print("\nGPU: not measured, torch finds none")
    linear_fit(package, arguments.triplets, arguments.epochs)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
