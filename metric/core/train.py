"""Snapshot folder in, metric folder out.

The result is the same bit for bit for one snapshot, one TrainConfig and one machine with one number of
threads; only log.jsonl holds times. What a killed run computed is in the cache, so the next one soon catches
up.
"""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
from contextlib import closing, nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

from metric.core.cache import VectorCache
from metric.core.checkpoint import (
    SETTINGS_SCHEMA,
    CheckpointError,
    load,
    read_manifest,
    save_metric,
    write_folder,
    write_json,
)
from metric.core.config import TrainConfig
from metric.core.distance import LPIPS, head_keys
from metric.core.evaluate import evaluate, votes_of
from metric.core.fit import Fit, ballots, fit_heads
from metric.core.scoring import Progress, Scoring
from metric.core.snapshot import SPLITS, Snapshot, read_snapshot, require_trainable
from metric.core.trunks import tensors_sha256

logger = logging.getLogger(__name__)

LIBRARIES = ("torch", "numpy", "scipy", "pillow", "lpips", "pytorch-msssim", "safetensors")


class _Log:
    """Sentences for log.jsonl; each also goes to the process's own log at once."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, message: str) -> None:
        logger.info(message)
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.lines.append(json.dumps({"at": at, "message": message}, ensure_ascii=False))


def train(
    snapshot: Path,
    out: Path,
    config: TrainConfig | None = None,
    *,
    promoted: Path | None = None,
    progress: Progress | None = None,
    cache: Path | None = None,
) -> dict[str, Any]:
    """Fit heads on a snapshot and evaluate them on its test split.

    Writes `out/` with heads.pth, metric.safetensors, settings.json, evaluation.json, log.jsonl and, last,
    manifest.json. `promoted`: folder of the version to compare with. `progress(stage, done, total)` is called
    often. `cache`: folder of pair vectors to keep; without it they live as long as the run. Returns
    {"settings", "evaluation", "manifest"}. A finished run of the same snapshot, config and code is returned
    as it is. Raises SnapshotError, TrunkUnavailable, FitError, CheckpointError (of `promoted`, or for a
    folder `out` that holds something else), ValueError.
    """
    config = config or TrainConfig()
    report = progress or (lambda stage, done, total: None)
    report("verify", 0, 1)
    verified = read_snapshot(snapshot)
    require_trainable(verified, photographs=config.minimum_photographs, judgments=config.minimum_judgments)
    identity = {
        "data_hash": verified.data_hash,
        "config": asdict(config) | {"strengths": list(config.strengths), "baselines": list(config.baselines)},
        "code": CODE_VERSION,
        "promoted": _fingerprint(promoted),
    }
    report("verify", 1, 1)
    if out.exists() and any(out.iterdir()):
        return _finished(out, identity)
    temporary = tempfile.TemporaryDirectory(prefix="closer-vectors-") if cache is None else nullcontext(cache)
    with temporary as folder, closing(VectorCache(Path(folder))) as vectors:
        return _train(verified, out, config, promoted, report, vectors, identity)


def _train(
    snapshot: Snapshot,
    out: Path,
    config: TrainConfig,
    promoted: Path | None,
    progress: Progress,
    cache: VectorCache,
    identity: dict[str, Any],
) -> dict[str, Any]:
    say = _Log()
    counts = ", ".join(f"{split} {len(snapshot.of(split))}" for split in SPLITS)
    say(f"Snapshot {snapshot.data_hash[:12]}: triplets {counts}")
    metric = LPIPS(config.net, progress=say).to(_device(config))
    scoring = Scoring.of(snapshot, cache, progress, say)
    fit = _fit(scoring, config, metric)
    heads = _as_heads(fit, metric)
    new = LPIPS(metric.name, heads, metric.net).to(_device(config))
    evaluation = _evaluate(scoring, config, new, promoted)
    settings = _settings(scoring, config, new, fit)
    progress("write", 0, 1)
    say(f"Writing {out.name}")

    def fill(folder: Path) -> None:
        save_metric(folder, new, settings)
        write_json(folder / "evaluation.json", evaluation)
        (folder / "log.jsonl").write_text("\n".join(say.lines) + "\n", encoding="utf-8")

    write_folder(out, fill, identity | {"versions": settings["versions"], "simulated": snapshot.simulated})
    removed = cache.trim()
    if removed:
        logger.info("The cache was over its cap: %d old entries removed", removed)
    progress("write", 1, 1)
    return {"settings": settings, "evaluation": evaluation, "manifest": read_manifest(out)}


def _fit(scoring: Scoring, config: TrainConfig, metric: LPIPS) -> Fit:
    vectors = scoring.vectors(metric, "train", "features")
    scoring.progress("fit", 0, 1)
    triplets = scoring.snapshot.of("train")
    # On the left p0 means that p1 was on the right: side +1.
    counts = np.array([(t.left, t.right) for t in triplets], dtype=np.int64)
    side: tuple[float, ...] = (1.0, -1.0)
    if not config.side_bias:
        counts, side = counts.sum(axis=1, keepdims=True), (0.0,)
    votes = ballots(
        vectors[0],
        vectors[1],
        n_p0=counts[:, :, 0],
        n_p1=counts[:, :, 1],
        n_tie=counts[:, :, 2],
        groups=[t.photograph for t in triplets],
        side=side,
    )
    fit = fit_heads(
        votes,
        # Stock heads are not below zero; max() only guards against a rounded −0.
        np.maximum(metric.weights.numpy().astype(np.float64), 0.0),
        vectors.reshape(-1, vectors.shape[-1]).mean(axis=0, dtype=np.float64),
        strengths=config.strengths,
        folds=config.folds,
        seed=config.seed,
    )
    for fold in fit.folds:
        scoring.say(
            f"Strength {fold.strength:g}: held-out log-loss {fold.log_loss:.5f}, score {fold.score:.4f}"
        )
    scoring.say(f"Chose strength {fit.strength:g}; log-loss on train {fit.log_loss_train:.5f}")
    if not fit.converged:
        scoring.say("The last fit stopped at its limit of steps before it had converged")
    scoring.progress("fit", 1, 1)
    return fit


def _as_heads(fit: Fit, metric: LPIPS) -> dict[str, torch.Tensor]:
    """The fitted vector cut into (1, C, 1, 1) per layer."""
    ends = np.cumsum(metric.shape.channels)[:-1]
    parts = np.split(fit.weights.astype(np.float32), ends)
    return {
        name: torch.from_numpy(part.reshape(1, -1, 1, 1))
        for name, part in zip(head_keys(metric.name), parts, strict=True)
    }


def _evaluate(scoring: Scoring, config: TrainConfig, new: LPIPS, promoted: Path | None) -> dict[str, Any]:
    splits = ("test", "val" if scoring.snapshot.of("val") else "train")
    rows = [scoring.baseline(key, splits) for key in config.baselines]
    if promoted is not None:
        old = load(promoted).to(_device(config))
        rows.append(
            scoring.metric("promoted", "Promoted version", "promoted", old, splits, "evaluate promoted")
        )
    rows.append(scoring.metric("new", "New version", "new", new, splits, "evaluate new"))
    evaluation = evaluate(
        votes_of(scoring.snapshot.of("test")),
        rows,
        calibration=votes_of(scoring.snapshot.of(splits[1])),
        calibrated_on=splits[1],
        simulated=scoring.snapshot.simulated,
        stock_key=f"lpips-{config.net}",
        seed=config.seed,
        resamples=config.resamples,
    )
    for row in evaluation["rows"]:
        scoring.say(
            f"{row['label']}: {row['score']:.4f}" if row["available"] else f"{row['label']}: {row['reason']}"
        )
    return evaluation


def _settings(scoring: Scoring, config: TrainConfig, new: LPIPS, fit: Fit) -> dict[str, Any]:
    snapshot = scoring.snapshot
    sides = [min(picture.height, picture.width) for picture in scoring.pictures.values()]
    splits = {
        split: {
            "photographs": sorted({t.photograph for t in snapshot.of(split)}),
            "triplets": len(snapshot.of(split)),
            "judgments": sum(t.n for t in snapshot.of(split)),
        }
        for split in SPLITS
    }
    return {
        "schema": SETTINGS_SCHEMA,
        "kind": config.kind,
        "net": config.net,
        "trunk_sha256": tensors_sha256(new.net.state_dict()),
        "normalisation": "RGB in [-1, 1], lpips scaling layer",
        "resolution": "as shown",
        "short_side": [min(sides), max(sides)],
        "slope": fit.slope,
        "side_bias": fit.side_bias,
        "strength": fit.strength,
        "cross_validation": [asdict(fold) for fold in fit.folds],
        "log_loss_train": fit.log_loss_train,
        "log_loss_held_out": fit.log_loss_held_out,
        "converged": fit.converged,
        "simulated": snapshot.simulated,
        "data_hash": snapshot.data_hash,
        "splits": splits,
        "versions": {name: metadata.version(name) for name in LIBRARIES},
        "code": CODE_VERSION,
    }


def _code_version() -> str:
    """sha256 over the sources of this package: two runs with the same one ran the same code."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


# Read once, when the code is: a worker that runs for weeks must not report sources that were edited since.
CODE_VERSION = _code_version()


def _device(config: TrainConfig) -> torch.device:
    wanted = config.device
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ValueError("device is cuda, but torch finds no GPU. Use auto or cpu.")
    return torch.device(wanted)


def _fingerprint(promoted: Path | None) -> str | None:
    return None if promoted is None else read_manifest(promoted)["files"]["metric.safetensors"]


def _finished(out: Path, identity: dict[str, Any]) -> dict[str, Any]:
    """What an earlier, equal run wrote: a task that is delivered twice ends in one result."""
    manifest = read_manifest(out)
    if any(manifest.get(name) != value for name, value in identity.items()):
        raise CheckpointError(
            f"{out} holds a training run of another snapshot or config. Choose another folder."
        )
    load(out)
    read = {
        name: json.loads((out / f"{name}.json").read_text("utf-8")) for name in ("settings", "evaluation")
    }
    return {**read, "manifest": manifest}
