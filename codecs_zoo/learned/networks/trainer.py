"""The training loop behind `python -m codecs_zoo train`. (`codecs_zoo/learned/training.py` tells the story.)"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as distributed
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from codecs_zoo.contract import CodecError, Pixels
from codecs_zoo.learned._state import check_training_folder
from codecs_zoo.learned.levels import LEVELS
from codecs_zoo.learned.networks.model import LearnedModel
from codecs_zoo.learned.networks.objective import Objective, metric_for, random_maps
from codecs_zoo.learned.networks.photographs import CropPool, as_pictures, load_folders, principal_components
from codecs_zoo.learned.networks.schedule import cosine_fall
from codecs_zoo.learned.networks.shape import PATCH, SIZES, Shape
from codecs_zoo.learned.networks.stepping import FIGURES, Stepper, make_optimizer
from codecs_zoo.learned.networks.transforms import start_from_components
from codecs_zoo.learned.networks.weights import read_weights, save_weights, shape_in
from codecs_zoo.learned.training_settings import TrainingSettings, network_builder, start_file
from codecs_zoo.saliency import saliency_map, saliency_weights
from imaging.files import atomic_file, write_atomic
from imaging.manifest import hash_files, write_manifest
from imaging.plots import charts
from imaging.plots.svg import to_svg_file
from metric.core.distance.tensors import save_tensors
from metric.core.training.parallel import join
from psychometrics.tables import to_text

MANIFEST_SCHEMA = "closer-codec-training/1"
STATE = "state.pt"
FIELDS = ("step", *FIGURES, "learning_rate", "seconds")


Watch = Callable[[int, int, dict[str, float] | None], None]


def train(settings: TrainingSettings, out: Path, watch: Watch | None = None) -> Path:
    """Train, or go on with what `out` holds; returns the path of the weights.

    Under torchrun each process takes its own crops. `watch(step, steps, row)` hears of every step, and of the log's
    row where one was written; what it raises ends the training, which then goes on from its last save. Raises
    CodecError if `out` was started otherwise.
    """
    rank, device = _join_others()
    try:
        return _Training(settings, out, rank, device, watch).run()
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


class _Training:
    def __init__(
        self,
        settings: TrainingSettings,
        out: Path,
        rank: int,
        device: torch.device,
        watch: Watch | None = None,
    ) -> None:
        self.watch = watch or (lambda step, steps, row: None)
        self.settings, self.out, self.rank, self.device = settings, out, rank, device
        check_training_folder(out, _as_text(settings).encode())
        self.photographs = load_folders(map(Path, settings.data), settings.crop)
        torch.manual_seed(settings.seed)
        self.model = network_builder(settings.name)(_shape_for(settings))
        _start(self.model, settings, self.photographs)
        self.model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if settings.parts == "decoder":
            self.model.requires_grad_(False).synthesis.requires_grad_(True)
        self.optimizer = make_optimizer(self.model, settings.learning_rate, device)
        self.step = 0
        self.log: list[dict[str, float]] = []
        self._resume()
        self.stepper = self._make_stepper()
        _claim_folder(settings, out)

    def run(self) -> Path:
        progress = tqdm(
            total=self.settings.steps, initial=self.step, disable=self.rank != 0, unit="step", mininterval=5
        )
        started = time.monotonic() - (self.log[-1]["seconds"] if self.log else 0.0)
        while (share := self._share_done(time.monotonic() - started)) < 1:
            self._one_step(share)
            self.step += 1
            progress.update()
            last = self._share_done(time.monotonic() - started) >= 1
            if self.step % self.settings.log_every == 0 or last:
                self._note(share, time.monotonic() - started, progress)
            if self.step % self.settings.save_every == 0 or last:
                self._save()
            noted = bool(self.log) and self.log[-1]["step"] == self.step
            self.watch(self.step, self.settings.steps, self.log[-1] if noted else None)
        progress.close()
        return self._finish()

    def _share_done(self, seconds: float) -> float:
        """Of the training, from 0 to 1: by time where minutes are given, else by steps."""
        steps = self.step / self.settings.steps
        return max(seconds / (60 * self.settings.minutes), steps) if self.settings.minutes else steps

    def _make_stepper(self) -> Stepper:
        settings = self.settings
        if self.device.type == "cuda":
            torch.backends.cudnn.benchmark = True
        alone = not distributed.is_initialized()
        return Stepper(
            self.model,
            self.model if alone else DistributedDataParallel(self.model),
            self.optimizer,
            Objective(metric_for(settings.tune), settings.metric_weight).to(self.device),
            CropPool(self.photographs, settings.crop, self.device),
            settings.batch,
            saliency=self._saliency_pool(),
            bf16=settings.bf16,
            compiled=settings.compiled,
        )

    def _saliency_pool(self) -> CropPool | None:
        """Of each photograph the weights of its errors, as float16."""
        if (kind := self.settings.saliency) == "none":
            return None
        maps = [saliency_weights(saliency_map(pixels, kind)) for pixels in self.photographs]
        return CropPool(
            [each[..., None].astype(np.float16) for each in maps], self.settings.crop, self.device
        )

    def _one_step(self, share: float) -> None:
        settings = self.settings
        seed = (settings.seed, self.step, self.rank)
        if self.device.type == "cpu" or self.stepper.done == 0:
            torch.manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
        places = self.stepper.pool.places(settings.batch, seed)
        # Each batch holds rates from all over the range.
        turn = np.random.default_rng((*seed, 1)).random()
        quality = 1 + (LEVELS - 1) * (torch.arange(settings.batch) + turn).float() / settings.batch
        maps = random_maps(settings.batch, settings.crop, (*seed, 2))
        self.stepper.step(places, quality, maps, learning_rate(settings, self.step, share))

    def _note(self, share: float, seconds: float, progress: tqdm[Any]) -> None:
        rate = learning_rate(self.settings, self.step - 1, share)
        row = {
            "step": self.step,
            **self.stepper.means(),
            "learning_rate": rate,
            "seconds": round(seconds, 1),
        }
        self.log.append(row)
        progress.set_postfix(loss=f"{row['loss']:.3f}", bpp=f"{row['bpp']:.3f}", psnr=f"{row['psnr']:.2f}")

    def _resume(self) -> None:
        path = self.out / STATE
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
        with atomic_file(self.out / STATE) as draft:
            save_tensors(state, draft)
        log = to_text(FIELDS, ([row.get(name, "") for name in FIELDS] for row in self.log))
        write_atomic(self.out / "log.csv", log.encode())
        if self.log:
            write_atomic(
                self.out / "curve.svg", to_svg_file(charts.loss(self.settings.name, self.log)).encode()
            )
        save_weights(self.settings.name, self.model, self.weights)

    @property
    def weights(self) -> Path:
        return self.out / f"{self.settings.name}.safetensors"

    def _finish(self) -> Path:
        if self.rank == 0:
            manifest = {
                "settings": asdict(self.settings),
                "photographs": len(self.photographs),
                "processes": distributed.get_world_size() if distributed.is_initialized() else 1,
                "torch": torch.__version__,
                "device": torch.cuda.get_device_name() if self.device.type == "cuda" else "cpu",
                "last": self.log[-1],
            }
            files = hash_files(self.out, ("log.csv", "curve.svg", self.weights.name))
            write_manifest(self.out, MANIFEST_SCHEMA, manifest, files)
        return self.weights


def learning_rate(settings: TrainingSettings, step: int, share: float) -> float:
    """Linear up over the warm-up, then a cosine down to a hundredth; `share` of the training is done."""
    if step < settings.warm_up:
        return settings.learning_rate * (step + 1) / settings.warm_up
    return settings.learning_rate * (0.01 + 0.99 * cosine_fall(share))


def _shape_for(settings: TrainingSettings) -> Shape:
    """The requested size, else that of the weights to start from, else small."""
    if settings.size:
        return SIZES[settings.size]
    path = start_file(settings.start) if settings.start else None
    return shape_in(path) if path and path.suffix == ".safetensors" else SIZES["small"]


def _start(model: LearnedModel, settings: TrainingSettings, photographs: list[Pixels]) -> None:
    """From the principal components of the photographs, then from whatever fits in `settings.start`.

    Raises CodecError where nothing there fits.
    """
    pool = CropPool(photographs, 4 * PATCH)
    crops = as_pictures(pool.cut(pool.places(1000, (settings.seed, 0xC0))))
    components, mean, variances = principal_components(crops, model.shape.latents)
    start_from_components(model.analysis, model.synthesis, components, mean)
    model.start_scales(variances.sqrt())
    if not settings.start:
        return
    path = start_file(settings.start)
    weights = path.suffix == ".safetensors"
    weights_read = read_weights(path)[1] if weights else _read_state(path, "cpu")["model"]
    own = model.state_dict()
    fitting = {
        key: value for key, value in weights_read.items() if key in own and own[key].shape == value.shape
    }
    if not fitting:
        raise CodecError(
            f"Nothing in {path} fits {settings.name}: use --start with weights of a learned codec."
        )
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
        kind = type(error).__name__
        raise CodecError(
            f"{path} is damaged or not a training state ({kind}). Use another file"
            f"{', or delete this one to start from the beginning' if path.name == STATE else ''}."
        ) from error
    raise CodecError(f"{path} is not a training state: the model or the step is missing. Use another file.")


def _join_others() -> tuple[int, torch.device]:
    """This process's rank and device; joins the others where torchrun started several."""
    gpu = torch.cuda.is_available()
    if "RANK" not in os.environ:
        return 0, torch.device("cuda" if gpu else "cpu")
    join("cuda" if gpu else "cpu")
    return distributed.get_rank(), torch.device(f"cuda:{os.environ['LOCAL_RANK']}" if gpu else "cpu")


def _claim_folder(settings: TrainingSettings, out: Path) -> None:
    """Writes settings.json, once everything that a training needs is there: a refusal leaves nothing behind."""
    out.mkdir(parents=True, exist_ok=True)
    write_atomic(out / "settings.json", _as_text(settings).encode())


def _as_text(settings: TrainingSettings) -> str:
    return json.dumps(asdict(settings), indent=1) + "\n"
