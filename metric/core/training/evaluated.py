"""The table of a finished training: its rows, the panel of agreement, on the test split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from metric.core.config import TrainConfig, stock_rival
from metric.core.distance.checkpoint import load
from metric.core.evaluation.evaluate import evaluate, untested
from metric.core.evaluation.scoring import Scoring
from metric.core.evaluation.votes import Candidate, single_answers, votes_of
from metric.core.snapshot.folder import Snapshot
from metric.core.training.learning_curve import learning_curve
from metric.core.training.trained import Trained, parts_of_config

INTERVAL_SEED = 0
NO_TEST = (
    "it was trained on every source, so no test split is left; evaluate it on answers that it has not "
    "seen with evaluate_metric"
)


def evaluation_of(
    scoring: Scoring, config: TrainConfig, new: Trained, promoted: Path | None, device: torch.device
) -> dict[str, Any]:
    """`evaluate`'s dict of the baselines, the promoted version and the new one, with "panel" and the rest.

    What is unavailable is logged in full; the table has the reason in words for everybody.
    """
    if config.everything:
        return untested("New version", NO_TEST, simulated=scoring.snapshot.simulated)
    splits = ("test", "val" if scoring.snapshot.of("val") else "train")
    rows = [scoring.baseline(key, splits) for key in config.baselines]
    if promoted is not None:
        old = load(promoted).to(device)
        rows.append(scoring.metric("promoted", "Promoted version", "promoted", old, old.curve, "test"))
    rows.append(scoring.metric("new", "New version", "new", new.metric, new.curve, "test"))
    evaluation = _table(scoring.snapshot, rows, splits[1], config) | {"n_moved": len(scoring.moved)}
    if config.kind == "heads" and config.learning_curve:
        parts = parts_of_config(config, scoring, device)
        evaluation["learning_curve"] = learning_curve(scoring, config, parts, new.details["strength"])
    for row in evaluation["rows"]:
        scoring.say(
            f"{row['label']}: {row['score']:.4f}" if row["available"] else f"{row['label']}: {row['reason']}"
        )
    return evaluation


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
