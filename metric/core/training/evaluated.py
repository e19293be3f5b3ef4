"""The table of a finished training: its rows, the panel of agreement, on the test split."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from metric.core.config import RIVALS, ROWS, TrainConfig, stock_rival
from metric.core.distance.base import Metric
from metric.core.distance.cache import VectorCache
from metric.core.distance.checkpoint import load, read_manifest
from metric.core.distance.choice import ChoiceCurve
from metric.core.distance.fetch import Say
from metric.core.evaluation.evaluate import evaluate, untested
from metric.core.evaluation.reasons import PENDING
from metric.core.evaluation.scoring import Progress, Scoring
from metric.core.evaluation.votes import Candidate, single_answers, votes_of
from metric.core.snapshot.folder import Snapshot, read_snapshot
from metric.core.training.kinds import parts_of_config
from metric.core.training.learning_curve import learning_curve
from metric.core.training.parallel import training_device
from metric.core.training.trained import Trained

INTERVAL_SEED = 0
# More than some tens of milliseconds for a picture of 512 pixels.
SLOW = {"lpips-vgg", *RIVALS}
# Of an evaluation whose second step has ended: what came after the first one, or does not depend on rows.
UNCHANGED = ("learning_curve", "decision", "disagreements")
NO_TEST = (
    "it was trained on every source, so no test split is left; evaluate it on answers that it has not "
    "seen with evaluate_metric"
)


def slow_baselines(config: TrainConfig) -> tuple[str, ...]:
    """The baselines that take long, and on which nothing waits: a promotion asks for stock LPIPS and PSNR alone."""
    return tuple(key for key in config.baselines if key in SLOW and key != stock_rival(config.nets))


def evaluation_on_test(
    scoring: Scoring,
    config: TrainConfig,
    new: Trained,
    promoted: Path | None,
    device: torch.device,
    later: Collection[str] = (),
) -> dict[str, Any]:
    """`evaluate`'s dict of the baselines, the promoted version and the new one, with "panel" and the rest.

    The rows of `later` are left empty, and "pending" lists them: `fill_in` computes them. What is unavailable is logged
    in full; the table has the reason in words for everybody.
    """
    if config.everything:
        return untested("New version", NO_TEST, simulated=scoring.snapshot.simulated)
    evaluation = _evaluated(scoring, config, new.metric, new.curve, promoted, device, later)
    if config.kind == "heads" and config.learning_curve:
        parts = parts_of_config(config, scoring, device)
        evaluation["learning_curve"] = learning_curve(scoring, config, parts, new.details["strength"])
    for row in evaluation["rows"]:
        scoring.say(
            f"{row['label']}: {row['score']:.4f}" if row["available"] else f"{row['label']}: {row['reason']}"
        )
    return evaluation


def fill_in(
    evaluation: Mapping[str, Any],
    *,
    snapshot: Path,
    version: Path,
    promoted: Path | None,
    cache: VectorCache,
    progress: Progress,
    say: Say,
) -> dict[str, Any]:
    """The evaluation of the version in folder `version` with the rows that are "pending", from its own snapshot.

    Everything else of it stays, and every distance that was computed before comes from the cache: it may be called
    again after a kill. Raises CheckpointError, SnapshotError, and what `progress` raises.
    """
    config = TrainConfig(**read_manifest(version)["config"])
    device = training_device(config)
    scoring = Scoring.of(read_snapshot(snapshot), cache, progress, say)
    metric = load(version).to(device)
    filled = _evaluated(scoring, config, metric, metric.curve, promoted, device, ())
    kept = {key: evaluation[key] for key in UNCHANGED if key in evaluation}
    return dict(evaluation) | filled | kept


def _evaluated(
    scoring: Scoring,
    config: TrainConfig,
    new: Metric,
    curve: ChoiceCurve | None,
    promoted: Path | None,
    device: torch.device,
    later: Collection[str],
) -> dict[str, Any]:
    splits = ("test", "val" if scoring.snapshot.of("val") else "train")
    rows = [_pending(key) if key in later else scoring.baseline(key, splits) for key in config.baselines]
    if promoted is not None:
        old = load(promoted).to(device)
        rows.append(scoring.metric("promoted", "Promoted version", "promoted", old, old.curve, "test"))
    rows.append(scoring.metric("new", "New version", "new", new, curve, "test"))
    table = _table(scoring.snapshot, rows, splits[1], config)
    return table | {
        "n_moved": len(scoring.moved),
        "pending": [key for key in config.baselines if key in later],
    }


def _pending(key: str) -> Candidate:
    return Candidate(key, ROWS[key], "baseline", None, reason=PENDING)


def _table(
    snapshot: Snapshot, rows: Sequence[Candidate], calibrated_on: str, config: TrainConfig
) -> dict[str, Any]:
    """The evaluation with the panel of agreement, on the test split."""
    triplets = snapshot.of("test")
    votes, answers = votes_of(triplets), single_answers(snapshot, "test")
    calibration = votes_of(snapshot.of(calibrated_on))
    evaluation = evaluate(
        votes,
        rows,
        answers=answers,
        calibration=calibration,
        calibrated_on=calibrated_on,
        simulated=snapshot.simulated,
        stock_key=stock_rival(config.nets),
        conditions=np.array([(t.sha256["p0"], t.sha256["p1"]) for t in triplets], dtype=np.str_),
        # Not the config's: nobody shall try seeds until an interval is above zero.
        seed=INTERVAL_SEED,
        resamples=config.resamples,
    )
    return evaluation | {"n_annotators": evaluation["panel"]["n_annotators"]}
