"""A training of pyramid's networks from its photographs to its weights: schedule, state, log.

Not the trainer of `networks`, with which it shares the components of crops, roundings and the course of the rate: this
one ends by the clock, keeps means of the weights, and steps with Muon in captured graphs; that one runs in several
processes, weighs pictures by saliency and learns from a metric. One trainer for both would be a switch at every line.
"""

from __future__ import annotations

import copy
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from codecs_zoo.contract import CodecError
from codecs_zoo.learned.levels import LEVELS
from codecs_zoo.learned.networks.photographs import principal_components
from codecs_zoo.learned.networks.rounding import rounded
from codecs_zoo.learned.networks.schedule import cosine_fall
from codecs_zoo.learned.networks.transforms import start_from_components
from codecs_zoo.learned.pyramid.entropy import HalvedContext, StagedContext
from codecs_zoo.learned.pyramid.model import Output, PyramidModel
from codecs_zoo.learned.pyramid.photographs import Crops, centre, read_photographs
from codecs_zoo.learned.pyramid.shape import PATCH, Shape
from codecs_zoo.learned.pyramid.stepping import Stepper, trained_parts
from codecs_zoo.learned.pyramid.storing import read_model, write_weights
from codecs_zoo.learned.pyramid.training_settings import TrainingSettings
from imaging.files import atomic_file, write_json
from metric.core.distance.tensors import save_tensors

HELD_OUT_EVERY: Final = 29
HELD_OUT_SIDE: Final = 448
LOWEST_RATE: Final = 0.005
"""Share of the learning rate that is left at the end."""


class Trainer:
    """One run. Everything random is drawn on the training device."""

    def __init__(self, settings: TrainingSettings, out: Path, shape: Shape | None = None) -> None:
        """Raises CodecError for photographs or a start that can't be used."""
        self.settings, self.out = settings, out
        if settings.device == "cuda" and not torch.cuda.is_available():
            raise CodecError("There is no GPU that torch can use here. Use --device cpu.")
        self.device = torch.device(settings.device)
        torch.manual_seed(settings.seed)
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.benchmark = True
        smallest = max(settings.crop, HELD_OUT_SIDE)
        photographs = [each for folder in settings.data for each in read_photographs(Path(folder), smallest)]
        kept = [each for i, each in enumerate(photographs) if i % HELD_OUT_EVERY]
        self.crops = Crops(kept or photographs, self.device)
        self.held_out = centre(photographs[::HELD_OUT_EVERY], HELD_OUT_SIDE).to(self.device)
        self.photographs = len(photographs)
        self.model = self._begun(shape)
        self.model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.mean = copy.deepcopy(self.model).requires_grad_(False)
        self.model.requires_grad_(False)
        for part in trained_parts(self.model, settings.parts):
            part.requires_grad_(True)
        self.stepper = Stepper(
            self.model, self.mean, settings.parts, settings.batch, settings.crop, self.device
        )
        self.step, self.before = 0, 0.0
        self.began = time.monotonic()
        self.log: list[dict[str, Any]] = []
        self._resume()

    def run(self) -> Path:
        """Trains until the schedule is over; returns the weights."""
        self.began = saved = time.monotonic()
        while (share := self._share()) < 1:
            self.advance(share)
            if self.device.type == "cuda" and self.step % 10 == 0:
                torch.cuda.synchronize()  # else the clock runs ahead of the work that is queued
            if time.monotonic() - saved > self.settings.save_every:
                self.save()
                saved = time.monotonic()
        return self.save(last=True)

    def advance(self, share: float) -> None:
        """One step, where `share` of the schedule is over."""
        batch, stepper = self.settings.batch, self.stepper
        stepper.x.copy_(self.crops.draw(batch, self.settings.crop))
        # Each batch holds rates from all over the range.
        places = torch.arange(batch, device=self.device) + torch.rand(1, device=self.device)
        stepper.level.copy_((LEVELS - 1) * places / batch)
        stepper.step(self._rate(share), 1 / min(self.step + 1, self.settings.mean_over))
        self.step += 1

    def save(self, last: bool = False) -> Path:
        """State, weights and log, each written whole. Raises CodecError where no step since the last was sound.

        `last`: measure the weights of the last step too, beside their means.
        """
        seconds = self._seconds()
        row = self._row(seconds)
        self.out.mkdir(parents=True, exist_ok=True)
        if last:
            row["held_out_last_step"] = self._measure(self.model)
        self.log.append(row)
        print(json.dumps(row), flush=True)
        weights = self.out / "pyramid.safetensors"
        write_weights(self.mean, weights)
        self._keep_state(seconds)
        about = {
            "settings": asdict(self.settings),
            "photographs": self.photographs,
            "torch": torch.__version__,
            "device": torch.cuda.get_device_name() if self.device.type == "cuda" else "cpu",
            "log": self.log,
        }
        write_json(self.out / "pyramid.json", about)
        return weights

    def _row(self, seconds: float) -> dict[str, Any]:
        steps = self.step - (self.log[-1]["step"] if self.log else 0)
        figures = self.stepper.figures(steps)
        if steps and figures["skipped"] == steps:
            raise CodecError(
                f"None of the last {steps} steps had a finite gradient. The last good state is kept in "
                f"{self.out}: start from its weights with a lower learning rate, in another folder."
            )
        spelt = {name: round(value, 5) for name, value in figures.items()}
        held_out = self._measure(self.mean)
        return {"step": self.step, "seconds": round(seconds, 1), **spelt, "held_out": held_out}

    def _seconds(self) -> float:
        return self.before + time.monotonic() - self.began

    def _share(self) -> float:
        settings = self.settings
        by_clock = self._seconds() / (60 * settings.minutes) if settings.minutes else 0.0
        return max(by_clock, self.step / settings.steps if settings.steps else 0.0)

    def _rate(self, share: float) -> float:
        warm = min((self.step + 1) / self.settings.warm_up, 1.0)
        return self.settings.learning_rate * warm * (LOWEST_RATE + (1 - LOWEST_RATE) * cosine_fall(share))

    @torch.no_grad()
    def _measure(self, model: PyramidModel) -> list[list[float]]:
        """[bpp, PSNR in dB] of the held-out photographs, rounded latents, at each level."""
        autocast = torch.autocast(self.device.type, torch.bfloat16, cache_enabled=False)
        table = []
        for level in range(LEVELS):
            rows = []
            for x in torch.split(self.held_out, 4):
                levels = torch.full((len(x),), float(level), device=self.device)
                output = model(x, levels, rounded, autocast)
                rows.append(torch.stack([output.bits / x[0, 0].numel(), _psnr(x, output)]))
            table.append([round(value, 4) for value in torch.cat(rows, 1).mean(1).tolist()])
        return table

    def _keep_state(self, seconds: float) -> None:
        state = {
            "model": self.model.state_dict(),
            "mean": self.mean.state_dict(),
            "stepper": self.stepper.state(),
            "step": self.step,
            "seconds": seconds,
            "log": self.log,
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state() if self.device.type == "cuda" else None,
        }
        with atomic_file(self.out / "state.pt") as draft:
            save_tensors(state, draft)

    def _resume(self) -> None:
        """Go on from the folder's state. Raises CodecError for a damaged one."""
        path = self.out / "state.pt"
        if not path.exists():
            return
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.mean.load_state_dict(state["mean"])
            self.stepper.resume(state["stepper"])
            self.step, self.before, self.log = state["step"], state["seconds"], state["log"]
            torch.set_rng_state(state["random"].cpu())
            if state["random_cuda"] is not None and self.device.type == "cuda":
                torch.cuda.set_rng_state(state["random_cuda"].cpu())
        except Exception as error:  # damage makes torch's reader stumble anywhere
            kind = type(error).__name__
            raise CodecError(
                f"{path} is damaged or has a different shape ({kind}): delete it to start from the beginning."
            ) from error

    @torch.no_grad()
    def _begun(self, shape: Shape | None) -> PyramidModel:
        """The networks of `start`, or new ones that begin as a transform codec of principal components."""
        if self.settings.start:
            return read_model(Path(self.settings.start))[0]
        model = PyramidModel(shape)
        channels = model.shape.latents
        components, mean, variances = principal_components(self.crops.draw(1000, 4 * PATCH), channels)
        start_from_components(model.analysis, model.synthesis, components, mean)
        scales = variances.clamp(min=1e-8).sqrt().log2() - model.log_steps
        contexts: list[StagedContext | HalvedContext] = [
            *model.hierarchy.staged_contexts(),
            *model.hierarchy.halved_contexts(),
        ]
        for context, part in zip(contexts, torch.split(scales, list(model.hierarchy.groups), 1), strict=True):
            context.offset.rows[:, context.channels : 2 * context.channels] = part.clamp(min=-3)
        return model


def _psnr(x: Tensor, output: Output) -> Tensor:
    shown = (output.x_hat.clamp(0, 1) * 255).round() / 255
    return -10 * (shown - x).square().flatten(1).mean(1).clamp(min=1e-10).log10()
