"""From a snapshot's train split to a metric, by the way that the config asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from metric.core.config import TrainConfig
from metric.core.distance.choice import ChoiceCurve
from metric.core.distance.columns import Parts
from metric.core.evaluation.scoring import Scoring
from metric.core.snapshot.answers import SingleAnswers, read_split_answers
from metric.core.snapshot.folder import counts_by_side
from metric.core.training.examples import split_examples, with_validation
from metric.core.training.fit import Design, Fit, design, fit_heads
from metric.core.training.problem import Floats
from metric.core.training.ranker import fit_ranker
from metric.core.training.trained import Trained


def train_metric(scoring: Scoring, config: TrainConfig, device: torch.device, work: Path) -> Trained:
    """Fit, and fine-tune where configured, on the train split. `work`: folder for what a killed run goes on from."""
    return _WAYS[config.kind](scoring, config, parts_of_config(config, scoring, device), work)


def parts_of_config(config: TrainConfig, scoring: Scoring, device: torch.device) -> Parts:
    """The trunks, terms and structure that the config names. Raises TrunkUnavailable."""
    return Parts.of(config.trunks, config.terms, config.structure, scoring.say, device)


def votes_of_split(scoring: Scoring, config: TrainConfig, parts: Parts, split: str) -> tuple[Design, Floats]:
    """The votes of a split on its columns, and the mean of all columns, (D,)."""
    stock = parts.build(parts.stock().astype(np.float32))
    columns = scoring.vectors(stock, split, "features")
    triplets = scoring.snapshot.of(split)
    counts, side = counts_by_side(triplets, config.side_bias)
    votes = design(
        columns[0],
        columns[1],
        n_p0=counts[:, :, 0],
        n_p1=counts[:, :, 1],
        n_tie=counts[:, :, 2],
        groups=[t.photograph for t in triplets],
        side=side,
    )
    return votes, columns.reshape(-1, columns.shape[-1]).mean(axis=0, dtype=np.float64)


def fit_of(
    votes: Design, mean: Floats, parts: Parts, config: TrainConfig, answers: SingleAnswers | None = None
) -> Fit:
    """The convex fit that the config asks for; `mean` (D,): of all columns. Raises FitError."""
    return fit_heads(
        votes,
        parts.stock(),
        mean,
        blocks=np.stack([parts.blocks(layers) for layers in _ways(config)]),
        scale=parts.scale(mean),
        even=parts.even(),
        strengths=config.strengths,
        folds=config.folds,
        seed=config.seed,
        lapse=config.lapse,
        answers=answers,
    )


def _ways(config: TrainConfig) -> list[bool]:
    """Whether layers have multiples of their own: the ways that cross-validation chooses from."""
    return [False, True] if config.layer_scales is None else [config.layer_scales]


def _heads(scoring: Scoring, config: TrainConfig, parts: Parts, work: Path) -> Trained:
    votes, mean = votes_of_split(scoring, config, parts, "train")
    scoring.progress("fit", 0, 1)
    answers = None
    names: tuple[str, ...] = ()
    if config.reliability:
        answers, names = read_split_answers(scoring.snapshot, "train", by_side=config.side_bias)
    fit = fit_of(votes, mean, parts, config, answers)
    _tell(scoring, fit)
    scoring.progress("fit", 1, 1)
    weights = fit.weights.astype(np.float32)
    details = _described(fit) | {
        "layer_scales": _ways(config)[fit.blocks],
        "weights": parts.term_weights(weights),
        "reliability": dict(zip(names, fit.reliability, strict=True)) if config.reliability else None,
    }
    return Trained(parts.build(weights), fit.curve, fit.side_bias, details, fit.slope)


def _comp(scoring: Scoring, config: TrainConfig, parts: Parts, work: Path) -> Trained:
    from metric.core.training.comp import fine_tune

    learning = replace(scoring, snapshot=with_validation(scoring.snapshot, config.seed))
    start = _heads(learning, config, parts, work)
    tuned = fine_tune(
        split_examples(learning, config.side_bias),
        config,
        replace(start, curve=ChoiceCurve(start.slope)),
        work,
        say=scoring.say,
        progress=scoring.progress,
    )
    stop = "val" if scoring.snapshot.of("val") else "a fifth of the train photographs"
    details = start.details | {"fine_tuning": tuned.details | {"validation": stop}}
    return replace(tuned, curve=replace(tuned.curve, calibrated_on=stop), details=details)


def _ranker(scoring: Scoring, config: TrainConfig, parts: Parts, work: Path) -> Trained:
    votes, _ = votes_of_split(scoring, config, parts, "train")
    scoring.progress("fit", 0, config.epochs)
    ranked = fit_ranker(
        votes,
        scoring.vectors(parts.lpips[0], "train", "features"),
        parts.stock(),
        epochs=config.epochs,
        seed=config.seed,
        count=lambda done, total: scoring.progress("fit", done, total),
    )
    scoring.say(f"Ranker: mean loss of the last epoch {ranked.losses[-1]:.5f}")
    details: dict[str, Any] = dict.fromkeys(("strength", "log_loss_held_out", "layer_scales", "reliability"))
    details |= {
        "cross_validation": [],
        "converged": True,
        "log_loss_train": ranked.log_loss_train,
        "weights": {},
        "ranker_losses": list(ranked.losses),
    }
    return Trained(parts.build(ranked.weights.astype(np.float32)), ranked.curve, 0.0, details)


_WAYS: dict[str, Callable[[Scoring, TrainConfig, Parts, Path], Trained]] = {
    "heads": _heads,
    "comp": _comp,
    "ranker": _ranker,
}


def _described(fit: Fit) -> dict[str, Any]:
    return {
        "strength": fit.strength,
        "scales": list(fit.scales),
        "cross_validation": [asdict(fold) for fold in fit.folds],
        "log_loss_train": fit.log_loss_train,
        "log_loss_held_out": fit.log_loss_held_out,
        "converged": fit.converged,
    }


def _tell(scoring: Scoring, fit: Fit) -> None:
    for fold in fit.folds:
        way = f", way {fold.blocks + 1} of blocks" if fold.blocks else ""
        scoring.say(
            f"Strength {fold.strength:g}{way}: held-out log-loss {fold.log_loss:.5f}, score {fold.score:.4f}"
        )
    scoring.say(f"Chose strength {fit.strength:g}; log-loss on train {fit.log_loss_train:.5f}")
    if not fit.converged:
        scoring.say("The last fit stopped at its limit of steps before it had converged")
