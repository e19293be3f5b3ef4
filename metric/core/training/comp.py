"""Fine-tuning: trunk and weights of a fitted metric follow the votes together ("LPIPS-Comp").

It starts from the convex fit, takes small steps on the binomial loss of the votes, and keeps the state with the
lowest loss on validation photographs, which may be the start. Each epoch ends with a state on disk, from which
a killed run goes on to the same result bit for bit.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from metric.core.config import TrainConfig
from metric.core.distance.base import Metric
from metric.core.distance.choice import ChoiceCurve, fit_curve
from metric.core.distance.columns import distances
from metric.core.distance.compiling import compile_trunks
from metric.core.distance.fetch import Say
from metric.core.evaluation.scoring import Progress
from metric.core.training.examples import (
    Batch,
    BatchVotes,
    Example,
    Examples,
    batches,
    gather,
    votes_of_batch,
)
from metric.core.training.parallel import Team, team
from metric.core.training.resume import State, read_state, write_state
from metric.core.training.trained import Trained

BATCH = 16
# Fitted heads are of the order of one, trunk weights of a hundredth.
HEADS_FASTER = 10.0
SLOPE_RATE = 1e-3


class Model(nn.Module):
    """The metric with what turns its distances into a chance."""

    def __init__(self, metric: Metric, curve: ChoiceCurve, side_bias: float) -> None:
        super().__init__()
        self.metric = metric
        self.log_slope = nn.Parameter(torch.tensor(math.log(max(curve.slope, 1e-6))))
        self.side_bias = nn.Parameter(torch.tensor(side_bias))
        self.bend, self.lapse = curve.bend, curve.lapse

    def forward(self, batch: Batch) -> Tensor:
        """Summed log-loss of the batch's votes, in nats."""
        device = batch.images.device
        with _autocast(device):
            seen = self.metric.features(batch.images)
        d0, d1 = (self._distances(seen, batch.reference, index) for index in (batch.p0, batch.p1))
        return self.loss(d0, d1, batch.votes)

    def loss(self, d0: Tensor, d1: Tensor, votes: BatchVotes) -> Tensor:
        """Summed log-loss of the votes, in nats, at these distances, each (N, 1)."""
        if self.bend is not None:
            d0, d1 = (self.bend * torch.log1p(d / self.bend) for d in (d0, d1))
        odds = self.log_slope.exp() * (d0 - d1) + self.side_bias * votes.side
        if self.lapse:
            chance = self.lapse / 2 + (1 - self.lapse) * torch.sigmoid(odds)
            odds = torch.logit(chance)
        losses = nn.functional.binary_cross_entropy_with_logits(
            odds, votes.share, weight=votes.total, reduction="none"
        )
        return losses.sum()

    def _distances(self, seen: Any, a: Tensor, b: Tensor) -> Tensor:
        return self.metric.between(_take(seen, a), _take(seen, b)).view(-1, 1)


def fine_tune(
    examples: Examples, config: TrainConfig, start: Trained, work: Path, *, say: Say, progress: Progress
) -> Trained:
    """Fine-tune on `examples.train`, keeping the epoch with the least loss on `examples.validation`.

    The curve is fitted on the validation votes; `details` are the epochs, the best of them, and how many processes.

    `work`: folder of the state, kept until the end. Under torchrun all processes call this together. Raises
    CompileError.
    """
    device = next(start.metric.parameters()).device
    metric = copy.deepcopy(start.metric).requires_grad_(True).train(False)
    if config.compile:
        say(f"Compiled: distances deviate by {compile_trunks(metric):.1e}")
    model = Model(metric, start.curve, start.side_bias).to(device)
    model.side_bias.requires_grad_(config.side_bias)
    with team(device) as crew:
        optimizer, state = _optimizer(model, config), work / "fine-tune.pt"
        tuning = _Tuning(examples, config, model, optimizer, crew, state, say, progress)
        best = tuning.run()
    model.load_state_dict(best.best)
    tuned = model.metric.requires_grad_(False).eval()
    side_bias = float(model.side_bias.detach())
    return Trained(
        tuned,
        _calibrated(tuned, examples.validation, side_bias, lapse=config.lapse),
        side_bias,
        {
            "epochs": list(best.history),
            "best_epoch": best.best_epoch,
            "processes": crew.size,
        },
    )


def _calibrated(metric: Metric, examples: Sequence[Example], side_bias: float, *, lapse: bool) -> ChoiceCurve:
    """The choice curve of the tuned distances on votes that moved no weight."""
    pairs = [(one.reference, one.p0) for one in examples] + [(one.reference, one.p1) for one in examples]
    values = np.repeat(distances(metric, pairs).reshape(2, -1).T, len(examples[0].side), axis=0)
    p1, total = (np.concatenate([getattr(one, name) for one in examples]) for name in ("for_p1", "total"))
    offset = side_bias * np.concatenate([one.side for one in examples])
    return fit_curve(values, p1, total, offset=offset, lapse=lapse)


def _optimizer(model: Model, config: TrainConfig) -> torch.optim.Optimizer:
    trunk = [value for name, value in model.metric.named_parameters() if _of_trunk(name)]
    heads = [value for name, value in model.metric.named_parameters() if not _of_trunk(name)]
    return torch.optim.Adam(
        [
            {"params": trunk, "lr": config.learning_rate},
            {"params": heads, "lr": HEADS_FASTER * config.learning_rate},
            {"params": [model.log_slope, model.side_bias], "lr": SLOPE_RATE},
        ]
    )


def _of_trunk(name: str) -> bool:
    return name.startswith("net.") or ".net." in name


@dataclass
class _Tuning:
    examples: Examples
    config: TrainConfig
    model: Model
    optimizer: torch.optim.Optimizer
    crew: Team
    path: Path
    say: Say
    progress: Progress

    def run(self) -> State:
        """Epochs until validation has not become better for `patience` of them, or there are no more."""
        state = read_state(self.path)
        if state is None:
            state = self._first()
        else:
            self.model.load_state_dict(state.model)
            self.optimizer.load_state_dict(state.optimizer)
            self.say(f"Resuming after epoch {state.epoch}")
        while state.epoch < self.config.epochs and state.epoch - state.best_epoch < self.config.patience:
            state = self._next(state)
        return state

    def _first(self) -> State:
        loss = self._validate()
        self.say(f"Before fine-tuning: log-loss on validation {loss:.5f}")
        now = _copied(self.model)
        return State(0, now, self.optimizer.state_dict(), now, 0, [{"epoch": 0, "validation": loss}])

    def _next(self, state: State) -> State:
        epoch = state.epoch + 1
        fitted = self._epoch(epoch)
        loss = self._validate()
        self.say(f"Epoch {epoch}: log-loss {fitted:.5f}, on validation {loss:.5f}")
        history = [*state.history, {"epoch": epoch, "train": fitted, "validation": loss}]
        now = _copied(self.model)
        better = loss < state.history[state.best_epoch]["validation"]
        best, best_epoch = (now, epoch) if better else (state.best, state.best_epoch)
        state = State(epoch, now, self.optimizer.state_dict(), best, best_epoch, history)
        if self.crew.leads:
            write_state(self.path, state)
        self.crew.wait()
        return state

    def _epoch(self, epoch: int) -> float:
        """One pass in an order of its own; mean loss in nats a vote."""
        train = self.examples.train
        rng = np.random.default_rng([self.config.seed, epoch])
        order = rng.permutation(len(train))
        steps = range(0, len(order), BATCH)
        sums = 0.0
        for number, start in enumerate(steps):
            chosen = [train[index] for index in order[start : start + BATCH]]
            sums += self._step(chosen, epoch)
            self.progress("fine-tune", (epoch - 1) * len(steps) + number + 1, self.config.epochs * len(steps))
        return sums / sum(example.votes for example in train)

    def _step(self, chosen: list[Example], epoch: int) -> float:
        self.optimizer.zero_grad(set_to_none=True)
        votes = sum(example.votes for example in chosen)
        total = torch.zeros((), device=self.model.log_slope.device)
        for batch in self._mine(chosen, epoch):
            loss = self.model(batch)
            (loss / votes).backward()
            total += loss.detach()
        self.crew.sum_gradients(p for p in self.model.parameters() if p.requires_grad)
        self.optimizer.step()
        self.model.metric.clamp()
        return float(self.crew.sum(total))

    def _validate(self) -> float:
        """Mean loss in nats a vote; a picture of many triplets goes through the trunk once."""
        validation = self.examples.validation
        mine = [validation[index] for index in self.crew.share(len(validation))]
        total = torch.zeros((), device=self.model.log_slope.device)
        if mine:
            pairs = [(one.reference, one.p0) for one in mine] + [(one.reference, one.p1) for one in mine]
            with torch.no_grad():
                values = torch.from_numpy(distances(self.model.metric, pairs)).to(total)
                d0, d1 = values.view(2, -1, 1)
                total += self.model.loss(d0, d1, votes_of_batch(mine, total.device))
        return float(self.crew.sum(total)) / sum(example.votes for example in validation)

    def _mine(self, chosen: Sequence[Example], epoch: int) -> Iterator[Batch]:
        """This process's share, cropped."""
        mine = [chosen[index] for index in self.crew.share(len(chosen))]
        for part in batches(mine, self.config.crop):
            yield gather(part, self.config.crop, (self.config.seed, epoch), self.model.log_slope.device)


def _autocast(device: torch.device) -> Any:
    # A GPU's bfloat16 is many times faster; the CPU's is not, and float32 there is equal bit for bit.
    return torch.autocast("cuda", dtype=torch.bfloat16) if device.type == "cuda" else nullcontext()


def _take(seen: Any, index: Tensor) -> Any:
    """The chosen images' part of what was seen, in whatever tuples and lists it lies."""
    if isinstance(seen, Tensor):
        return seen[index]
    if isinstance(seen, tuple):
        return type(seen)(*(_take(part, index) for part in seen))
    return [_take(part, index) for part in seen]


def _copied(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}
