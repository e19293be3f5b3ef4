"""Snapshot folder in, metric folder out.

The result is the same bit for bit for one snapshot, one TrainConfig and one machine with one number of
threads; only log.jsonl holds times. What a killed run computed is in the cache, so the next one soon catches
up.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

import psychometrics
from imaging.files import write_json
from metric.core.config import TrainConfig
from metric.core.distance.cache import VectorCache
from metric.core.distance.checkpoint import (
    SETTINGS_SCHEMA,
    CheckpointError,
    load,
    read_manifest,
    save_metric,
    write_folder,
)
from metric.core.distance.columns import metric_parts
from metric.core.distance.trunks import tensors_sha256
from metric.core.errors import InputError
from metric.core.evaluation.scoring import Progress, Scoring
from metric.core.snapshot.folder import (
    SPLITS,
    Snapshot,
    all_in_train,
    read_snapshot,
    require_tested,
    require_trainable,
)
from metric.core.snapshot.thumbnail import LEARNED_SOURCES, Thumbnail, thumbnails, write_thumbnails
from metric.core.training.evaluated import evaluation_on_test
from metric.core.training.kinds import fit_of, parts_of_config, train_metric, votes_of_split
from metric.core.training.learning_curve import learning_curve
from metric.core.training.parallel import Team, team, training_device
from metric.core.training.trained import Trained

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
    cache: Path | VectorCache | None = None,
    later: Collection[str] = (),
) -> dict[str, Any]:
    """Train a metric on a snapshot and evaluate it on its test split.

    Writes `out/` with metric.safetensors, heads.pth (or what `save_metric` says), settings.json,
    evaluation.json, log.jsonl and, last, manifest.json. `promoted`: folder of the version to compare with.
    `progress(stage, done, total)` is called often. `cache`: pair vectors or their folder, where a
    killed fine-tuning continues too; without it they live as long as the run. Under torchrun every process calls this,
    and the first one writes. `later`: baselines
    whose rows stay empty, for `evaluated.fill_in`. Returns
    {"settings", "evaluation", "manifest"}. A finished run of the same snapshot, config and code is returned
    as it is. Raises SnapshotError, TrunkUnavailable, FitError, CheckpointError (of `promoted`, or for a
    folder `out` that holds something else), ValueError.
    """
    config = config or TrainConfig()
    report = progress or (lambda stage, done, total: None)
    report("verify", 0, 1)
    verified = _verified(snapshot, config)
    identity = {
        "data_hash": verified.data_hash,
        "config": config.as_json(),
        "code": CODE_VERSION,
        "promoted": _fingerprint(promoted),
    } | ({"later": sorted(later)} if later else {})
    report("verify", 1, 1)
    if out.exists() and any(out.iterdir()):
        return _finished(out, identity)
    device = training_device(config)
    with _opened(cache) as vectors, team(device) as crew:
        run = _Run(verified, out, config, promoted, report, vectors, identity, device, crew)
        if crew.leads:
            result = run.whole()
            crew.wait()
            return result
        run.train(_Log())
        crew.wait()
    return _finished(out, identity)


def _verified(folder: Path, config: TrainConfig) -> Snapshot:
    snapshot = read_snapshot(folder)
    if config.everything:
        snapshot = all_in_train(snapshot)
    require_trainable(
        snapshot,
        photographs=config.minimum_photographs,
        judgments=config.minimum_judgments,
        tested=not config.everything,
    )
    return snapshot


@dataclass(frozen=True)
class _Run:
    snapshot: Snapshot
    out: Path
    config: TrainConfig
    promoted: Path | None
    progress: Progress
    cache: VectorCache
    identity: dict[str, Any]
    device: torch.device
    crew: Team

    @property
    def work(self) -> Path:
        """Where a killed run of the same identity finds what it had done."""
        return self.cache.path.parent / "training" / _digest(self.identity)[:32]

    def train(self, say: _Log) -> tuple[Scoring, Trained]:
        """The part that all processes of a team do together."""
        scoring = Scoring.of(self.snapshot, self.cache, self.progress, say)
        if scoring.moved:
            require_tested(scoring.snapshot, tested=not self.config.everything)
        return scoring, train_metric(scoring, self.config, self.device, self.work)

    def whole(self) -> dict[str, Any]:
        """Train, evaluate, write."""
        say = _Log()
        counts = ", ".join(f"{split} {len(self.snapshot.of(split))}" for split in SPLITS)
        say(f"Snapshot {self.snapshot.data_hash[:12]}: triplets {counts}")
        scoring, trained = self.train(say)
        later = self.identity.get("later", ())
        evaluation = evaluation_on_test(scoring, self.config, trained, self.promoted, self.device, later)
        settings = _settings(scoring, self.config, trained)
        self.progress("write", 0, 1)
        say(f"Writing {self.out.name}")

        def fill(folder: Path) -> None:
            save_metric(folder, trained.metric, settings)
            write_thumbnails(folder / LEARNED_SOURCES, _learned_sources(scoring))
            write_json(folder / "evaluation.json", evaluation)
            (folder / "log.jsonl").write_text("\n".join(say.lines) + "\n", encoding="utf-8")

        extra = {"versions": settings["versions"], "simulated": self.snapshot.simulated}
        write_folder(self.out, fill, self.identity | extra)
        shutil.rmtree(self.work, ignore_errors=True)
        removed = self.cache.trim()
        if removed:
            logger.info("The cache exceeded its limit: %d old entries removed", removed)
        self.progress("write", 1, 1)
        return {"settings": settings, "evaluation": evaluation, "manifest": read_manifest(self.out)}


def curve_of(snapshot: Path, config: TrainConfig, cache: Path | None = None) -> dict[str, Any]:
    """The learning curve of a fit of heads on a snapshot's folder (`learning_curve`), without a version.

    Raises ValueError for another kind, and as `train`.
    """
    if config.kind != "heads":
        raise InputError(f"A learning curve is only available for the kind heads, not for {config.kind}.")
    verified = read_snapshot(snapshot)
    require_trainable(verified, photographs=config.minimum_photographs, judgments=config.minimum_judgments)
    device = training_device(config)
    with _opened(cache) as vectors:
        scoring = Scoring.of(verified, vectors, lambda stage, done, total: None, logger.info)
        parts = parts_of_config(config, scoring, device)
        votes, mean = votes_of_split(scoring, config, parts, "train")
        return learning_curve(scoring, config, parts, fit_of(votes, mean, parts, config).strength)


@contextmanager
def _opened(cache: Path | VectorCache | None) -> Iterator[VectorCache]:
    """The cache itself, one in this folder, or one that lives as long as the run."""
    if isinstance(cache, VectorCache):
        yield cache
        return
    temporary = tempfile.TemporaryDirectory(prefix="closer-vectors-") if cache is None else nullcontext(cache)
    with temporary as folder, closing(VectorCache(Path(folder))) as vectors:
        yield vectors


def _digest(identity: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def _learned_sources(scoring: Scoring) -> dict[str, Thumbnail]:
    """The photographs of train and val as thumbnails: what a version may not be tested on, in whatever form."""
    triplets = [t for split in ("train", "val") for t in scoring.snapshot.of(split)]
    pictures = {t.photograph: scoring.pictures[t.sha256["ref"]] for t in triplets}
    return thumbnails(dict(sorted(pictures.items())), scoring.cache)


def _settings(scoring: Scoring, config: TrainConfig, trained: Trained) -> dict[str, Any]:
    snapshot = scoring.snapshot
    trunks = {part.name: tensors_sha256(part.net.state_dict()) for part in metric_parts(trained.metric).lpips}
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
        "nets": list(config.nets),
        "terms": list(config.terms),
        "structure": config.structure,
        "trunk_sha256": trunks.get(config.net),
        "trunks": trunks,
        "normalisation": "RGB in [-1, 1], lpips scaling layer",
        "resolution": "as shown",
        "short_side": [min(sides), max(sides)],
        **trained.curve.as_json(),
        "side_bias": trained.side_bias,
        **trained.details,
        "simulated": snapshot.simulated,
        "data_hash": snapshot.data_hash,
        "splits": splits,
        "moved": [asdict(one) for one in scoring.moved],
        "versions": {name: metadata.version(name) for name in LIBRARIES},
        "code": CODE_VERSION,
    }


def _code_version() -> str:
    """sha256 over the sources of metric.core and psychometrics: two runs with the same one ran the same code."""
    core, digest = Path(__file__).parents[1], hashlib.sha256()
    for root in (core, Path(psychometrics.__file__).parent):
        for path in sorted(root.rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


# Read once, when the code is: a worker that runs for weeks must not report sources that were edited since.
CODE_VERSION = _code_version()


def _fingerprint(promoted: Path | None) -> str | None:
    return None if promoted is None else read_manifest(promoted)["files"]["metric.safetensors"]


def _finished(out: Path, identity: dict[str, Any]) -> dict[str, Any]:
    """What an earlier, equal run wrote: a task that is delivered twice ends in one result."""
    manifest = read_manifest(out)
    if any(manifest.get(name) != value for name, value in identity.items()):
        raise CheckpointError(
            f"{out} contains a training run of another snapshot or configuration. Choose another folder."
        )
    load(out)
    read = {
        name: json.loads((out / f"{name}.json").read_text("utf-8")) for name in ("settings", "evaluation")
    }
    return {**read, "manifest": manifest}
