"""The training loop behind `python -m codecs_zoo train`. (`codecs_zoo/learned/training.py` tells the story.)"""

from __future__ import annotations

import json
import math
import os
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as distributed
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from codecs_zoo.contract import CodecError, Pixels
from codecs_zoo.learned.networks.curve import draw_curve
from codecs_zoo.learned.networks.model import LearnedModel, lambdas
from codecs_zoo.learned.networks.photographs import load_folders, principal_components, random_crops
from codecs_zoo.learned.networks.shape import LEVELS
from codecs_zoo.learned.networks.transforms import start_from_components
from codecs_zoo.learned.networks.weights import build_model, read_weights, save_weights
from codecs_zoo.learned.training import TrainingSettings
from imaging.files import write_whole
from psychometrics.tables import to_text

CLIP = 1.0
LINEAR_SHARE = 0.05
WEIGHT_POWER = 0.4
FIELDS = ("step", "loss", "bpp", "psnr", "learning_rate", "seconds")


def train(settings: TrainingSettings, out: Path) -> Path:
    """Train, or go on with what `out` holds; returns the path of the weights.

    Under torchrun each process takes its own crops. Raises CodecError if `out` was started otherwise.
    """
    rank, device = _join_others()
    try:
        return _Training(settings, out, rank, device).run()
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


class _Training:
    def __init__(self, settings: TrainingSettings, out: Path, rank: int, device: torch.device) -> None:
        self.settings, self.out, self.rank, self.device = settings, out, rank, device
        _claim_folder(settings, out)
        self.photographs = load_folders(map(Path, settings.data), settings.crop)
        torch.manual_seed(settings.seed)
        self.model = build_model(settings.name)
        _start(self.model, settings, self.photographs)
        self.model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.Adam(_parameter_groups(self.model), settings.learning_rate)
        self.step = 0
        self.log: list[dict[str, float]] = []
        self._resume()
        alone = not distributed.is_initialized()
        self.parallel: nn.Module = self.model if alone else DistributedDataParallel(self.model)

    def run(self) -> Path:
        progress = tqdm(
            total=self.settings.steps, initial=self.step, disable=self.rank != 0, unit="step", mininterval=5
        )
        started, sums = time.monotonic() - (self.log[-1]["seconds"] if self.log else 0.0), _Sums()
        while self.step < self.settings.steps:
            sums.add(self._one_step())
            self.step += 1
            progress.update()
            if self.step % self.settings.log_every == 0 or self.step == self.settings.steps:
                self._note(sums, time.monotonic() - started, progress)
                sums = _Sums()
            if self.step % self.settings.save_every == 0 or self.step == self.settings.steps:
                self._save()
        progress.close()
        return self._finish()

    def _one_step(self) -> dict[str, float]:
        settings = self.settings
        seed = (settings.seed, self.step, self.rank)
        torch.manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
        x = random_crops(self.photographs, settings.crop, settings.batch, seed).to(self.device)
        # Each batch holds rates from all over the range.
        places = torch.arange(settings.batch) + torch.rand(1)
        quality = (1 + (LEVELS - 1) * places / settings.batch).to(self.device)
        for group in self.optimizer.param_groups:
            group["lr"] = group["share"] * learning_rate(settings, self.step)
        x = x.to(memory_format=torch.channels_last)
        found = self.parallel(x, quality, self._autocast())
        loss, figures = loss_of(x, found, quality)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if not nn.utils.clip_grad_norm_(self.model.parameters(), CLIP).isfinite():
            raise CodecError(
                f"Step {self.step} has no finite gradient. Start again with a lower learning rate."
            )
        self.optimizer.step()
        return figures

    def _autocast(self) -> AbstractContextManager[Any]:
        return torch.autocast(self.device.type, torch.bfloat16) if self.settings.bf16 else nullcontext()

    def _note(self, sums: _Sums, seconds: float, progress: tqdm[Any]) -> None:
        rate = learning_rate(self.settings, self.step - 1)
        row = {"step": self.step, **sums.means(), "learning_rate": rate, "seconds": round(seconds, 1)}
        self.log.append(row)
        progress.set_postfix(loss=f"{row['loss']:.3f}", bpp=f"{row['bpp']:.3f}", psnr=f"{row['psnr']:.2f}")

    def _resume(self) -> None:
        path = self.out / "state.pt"
        if not path.exists():
            return
        state = _read_state(path, self.device)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.log = state["step"], state["log"]

    def _save(self) -> None:
        if self.rank != 0:
            return
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "log": self.log,
        }
        half = self.out / "state.pt.half"
        torch.save(state, half)
        os.replace(half, self.out / "state.pt")
        log = to_text(FIELDS, ([row[name] for name in FIELDS] for row in self.log))
        write_whole(self.out / "log.csv", log.encode())
        write_whole(self.out / "curve.svg", draw_curve(self.settings.name, self.log).encode())

    def _finish(self) -> Path:
        path = self.out / f"{self.settings.name}.safetensors"
        if self.rank == 0:
            save_weights(self.settings.name, self.model, path)
            manifest = {
                "settings": asdict(self.settings),
                "photographs": len(self.photographs),
                "processes": distributed.get_world_size() if distributed.is_initialized() else 1,
                "torch": torch.__version__,
                "last": self.log[-1],
            }
            write_whole(self.out / "manifest.json", (json.dumps(manifest, indent=1) + "\n").encode())
        return path


class _Sums:
    """Means of figures over the steps since the last line of the log."""

    def __init__(self) -> None:
        self.count, self.totals = 0, dict.fromkeys(("loss", "bpp", "psnr"), 0.0)

    def add(self, figures: dict[str, float]) -> None:
        self.count += 1
        for name, value in figures.items():
            self.totals[name] += value

    def means(self) -> dict[str, float]:
        return {name: round(total / self.count, 5) for name, total in self.totals.items()}


def loss_of(x: Tensor, found: dict[str, Any], quality: Tensor) -> tuple[Tensor, dict[str, float]]:
    """Rate plus lambda times squared error, over a power of lambda that keeps high rates from ruling the rest.

    Returns the mean over the batch, and the batch's plain means of loss, bits per pixel and PSNR in dB.
    """
    area = x.shape[2] * x.shape[3]
    bits = sum(
        (-part.log2().flatten(1).sum(1) for part in found["likelihoods"].values()), start=x.new_zeros(())
    )
    bpp = bits / area
    error = (found["x_hat"] - x).square().flatten(1).mean(1)
    lmbda = lambdas(quality)
    cost = bpp + lmbda * 255**2 * error
    loss = (cost / (lmbda / lambdas(quality.new_tensor(4.5))).pow(WEIGHT_POWER)).mean()
    psnr = -10 * error.detach().clamp(min=1e-10).log10()
    return loss, {"loss": loss.item(), "bpp": bpp.mean().item(), "psnr": psnr.mean().item()}


def learning_rate(settings: TrainingSettings, step: int) -> float:
    """Linear up over the warm-up, then a cosine down to a hundredth."""
    if step < settings.warm_up:
        return settings.learning_rate * (step + 1) / settings.warm_up
    share = (step - settings.warm_up) / max(settings.steps - settings.warm_up, 1)
    return settings.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)))


def _start(model: LearnedModel, settings: TrainingSettings, photographs: list[Pixels]) -> None:
    """From the principal components of the photographs, then from whatever fits in `settings.start`."""
    components, mean, variances = principal_components(photographs, model.shape.latents, settings.seed)
    start_from_components(model.analysis, model.synthesis, components, mean)
    model.start_scales(variances.sqrt())
    if not settings.start:
        return
    path = Path(settings.start)
    weights = path.suffix == ".safetensors"
    given = read_weights(path)[1] if weights else _read_state(path, "cpu")["model"]
    own = model.state_dict()
    fitting = {key: value for key, value in given.items() if key in own and own[key].shape == value.shape}
    model.load_state_dict(own | fitting)


def _read_state(path: Path, device: torch.device | str) -> dict[str, Any]:
    """A state.pt. Raises CodecError for another kind of file, or a damaged one."""
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        if {"model", "step"} <= set(state):
            return dict(state)
    except OSError:
        raise
    except Exception as error:  # damage makes torch's reader stumble anywhere, over a KeyError for one
        raise CodecError(f"{path} is damaged, or no state of a training ({type(error).__name__}).") from error
    raise CodecError(f"{path} is no state of a training: it lacks the model or the step.")


def _parameter_groups(model: LearnedModel) -> list[dict[str, Any]]:
    """The linear parts start well and have small weights: they move at a fraction of the learning rate."""
    linear: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        (linear if ".linear." in name else others).append(parameter)
    return [{"params": others, "share": 1.0}, {"params": linear, "share": LINEAR_SHARE}]


def _join_others() -> tuple[int, torch.device]:
    """This process's rank and device; joins the others where torchrun started several."""
    gpu = torch.cuda.is_available()
    if "RANK" not in os.environ:
        return 0, torch.device("cuda" if gpu else "cpu")
    distributed.init_process_group("nccl" if gpu else "gloo")
    return distributed.get_rank(), torch.device(f"cuda:{os.environ['LOCAL_RANK']}" if gpu else "cpu")


def _claim_folder(settings: TrainingSettings, out: Path) -> None:
    """Write settings.json, or check that the folder was started with the same ones."""
    out.mkdir(parents=True, exist_ok=True)
    path, text = out / "settings.json", json.dumps(asdict(settings), indent=1) + "\n"
    if path.exists() and path.read_text() != text:
        raise CodecError(f"{out} was started with other settings ({path}). Give those, or another --out.")
    write_whole(path, text.encode())
