"""Train the networks that all photographs share: a folder of photographs in, a folder with weights out.

python -m codecs_zoo.learned.pyramid.training --data photographs --out trained/pyramid --minutes 60

    trained/pyramid/
        pyramid.safetensors     the means of the weights over the last steps, written every half minute
        pyramid.json            settings, and what the held-out photographs cost at each level as it went on

The schedule is one of time: the learning rate falls to nothing as the minutes run out, on any machine. A run that
is killed leaves the weights of its last half minute. It needs torch, numpy and Pillow, nothing else.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from codecs_zoo.contract import CodecError
from codecs_zoo.learned.pyramid.entropy import HalvedContext, Quantizer, Rounding, StagedContext
from codecs_zoo.learned.pyramid.model import Output, PyramidModel
from codecs_zoo.learned.pyramid.muon import Muon
from codecs_zoo.learned.pyramid.photographs import Crops, centre, principal_components, read_photographs
from codecs_zoo.learned.pyramid.shape import LAMBDA_HIGH, LAMBDA_LOW, LEVELS, Shape
from codecs_zoo.learned.pyramid.storing import read_model, write_weights
from codecs_zoo.learned.pyramid.transforms import start_from_components
from imaging.files import write_json

WEIGHT_POWER = 0.45
"""Of lambda, by which a cost is divided, so that high rates do not rule the rest."""

HELD_OUT_EVERY = 29
HELD_OUT_SIDE = 448
EAGER_STEPS = 20
"""Before a step is captured: cuDNN chooses its kernels, the optimizer makes its state."""
CLIP = 2.0
BETAS = (0.9, 0.99)
MUON_SHARE = 3.0
"""Muon's learning rate, for the matrices, over Adam's, for all else."""


@dataclass(frozen=True)
class TrainingSettings:
    """Everything that shapes the weights, beside the photographs and the machine's speed."""

    data: str
    minutes: float
    device: str = "cpu"
    batch: int = 32
    crop: int = 256
    """Side of a crop in pixels, a multiple of 64."""
    learning_rate: float = 1e-3
    warm_up: int = 200
    """Steps."""
    mean_over: int = 500
    """Steps that the weights' means reach back, roughly."""
    seed: int = 0
    start: str = ""
    """Weights to start from."""
    parts: str = "all"
    """What is trained: `all`; the `decoder`, with analysis and steps as they are; or the `staged` contexts alone,
    for which nothing else has to run."""
    save_every: float = 30
    """Seconds."""


class Trainer:
    """One run. Everything random is drawn on the training device."""

    def __init__(self, settings: TrainingSettings, out: Path, shape: Shape | None = None) -> None:
        self.settings, self.out = settings, out
        out.mkdir(parents=True, exist_ok=True)
        self.device = torch.device(settings.device)
        torch.manual_seed(settings.seed)
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.benchmark = True
        photographs = read_photographs(Path(settings.data), max(settings.crop, HELD_OUT_SIDE))
        kept = [each for i, each in enumerate(photographs) if i % HELD_OUT_EVERY]
        self.crops = Crops(kept or photographs, self.device)
        self.held_out = centre(photographs[::HELD_OUT_EVERY], HELD_OUT_SIDE).to(self.device)
        self.photographs = len(photographs)
        self.model = self._begun(shape)
        self.model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.mean = copy.deepcopy(self.model).requires_grad_(False)
        self.model.requires_grad_(settings.parts == "all")
        for part in self._trained_parts():
            part.requires_grad_(True)
        pairs = zip(self.model.parameters(), self.mean.parameters(), strict=True)
        trained = [(own, mean) for own, mean in pairs if own.requires_grad]
        self.parameters: list[Tensor] = [own for own, _ in trained]
        self.means: list[Tensor] = [mean for _, mean in trained]
        on_gpu = self.device.type == "cuda"
        self.rate = torch.zeros((), device=self.device)
        matrices = [
            parameter
            for name, parameter in self.model.named_parameters()
            if parameter.dim() == 4 and ".linear." not in name and parameter.requires_grad
        ]
        known = {id(parameter) for parameter in matrices}
        self.muon = Muon(matrices)
        self.adam = torch.optim.Adam(
            [parameter for parameter in self.parameters if id(parameter) not in known],
            lr=self.rate if on_gpu else 0.0,
            betas=BETAS,
            capturable=on_gpu,
            foreach=True,
        )
        self.x = torch.zeros(settings.batch, 3, settings.crop, settings.crop, device=self.device)
        self.x = self.x.to(memory_format=torch.channels_last)
        self.level = torch.zeros(settings.batch, device=self.device)
        self.sums = torch.zeros(4, device=self.device)
        self.keep = torch.zeros((), device=self.device)
        self.step = 0
        self.began = time.monotonic()
        self._work: Callable[[], None] = self._update
        self.log: list[dict[str, Any]] = []

    def run(self) -> None:
        """Trains until the minutes are over; the weights lie in `out` then."""
        self.began = saved = time.monotonic()
        while (share := self._share()) < 1:
            self.advance(share)
            if self.device.type == "cuda" and self.step % 10 == 0:
                torch.cuda.synchronize()  # else the clock runs ahead of the work that is queued
            if time.monotonic() - saved > self.settings.save_every:
                self.save()
                saved = time.monotonic()
        self.save()

    def advance(self, share: float) -> None:
        """One step, where `share` of the schedule is over."""
        if self.step == EAGER_STEPS and self.device.type == "cuda":
            self._work = self._captured()
        self._set_rate(share)
        self._draw()
        self._work()
        self.step += 1

    def _share(self) -> float:
        return (time.monotonic() - self.began) / (60 * self.settings.minutes)

    def _set_rate(self, share: float) -> None:
        warm = min((self.step + 1) / self.settings.warm_up, 1.0)
        fall = 0.5 * (1 + math.cos(math.pi * min(share, 1)))
        rate = self.settings.learning_rate * warm * (0.005 + 0.995 * fall)
        self.rate.fill_(rate)  # a captured step reads it from there
        if self.device.type != "cuda":
            self.adam.param_groups[0]["lr"] = rate
        self.keep.fill_(1 / min(self.step + 1, self.settings.mean_over))

    def _draw(self) -> None:
        batch = self.settings.batch
        self.x.copy_(self.crops.draw(batch, self.settings.crop))
        # Each batch holds rates from all over the range.
        places = torch.arange(batch, device=self.device) + torch.rand(1, device=self.device)
        self.level.copy_((LEVELS - 1) * places / batch)

    def _update(self) -> None:
        """One step on `x` and `level`, without a round trip to the host."""
        self.model.zero_grad(set_to_none=True)
        loss, figures = loss_of(self.x, self._output(), self.level)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.parameters, CLIP, foreach=True)
        for parameter in self.parameters:
            if parameter.grad is not None:  # a step without a finite gradient changes nothing
                parameter.grad.nan_to_num_(0.0, 0.0, 0.0)
        self.adam.step()
        self.muon.step(self.rate * MUON_SHARE)
        with torch.no_grad():
            differences = torch._foreach_sub(self.parameters, self.means)
            torch._foreach_mul_(differences, self.keep)
            torch._foreach_add_(self.means, differences)
            self.sums += figures

    def _output(self) -> Output:
        if self.settings.parts != "staged":
            return self.model(self.x, self.level, None, self._autocast())  # type: ignore[no-any-return]
        with torch.no_grad():
            y = self.model.latents(self.x, self.level, self._autocast())
            steps = self.model.steps(self.level)
        _, likelihoods = self.model.hierarchy.forward_staged(y, steps, self.level, Quantizer())
        return Output(self.x, -torch.cat(likelihoods, 1).log2().flatten(1).sum(1))

    def _trained_parts(self) -> list[nn.Module]:
        """Beside everything."""
        hierarchy = self.model.hierarchy
        known: dict[str, list[nn.Module]] = {
            "all": [],
            "decoder": [hierarchy, self.model.synthesis],
            "staged": [hierarchy.staged],
        }
        if self.settings.parts not in known:
            raise CodecError(f"No part is called {self.settings.parts!r}. Known: {', '.join(known)}.")
        return known[self.settings.parts]

    def _autocast(self) -> Any:
        return torch.autocast(self.device.type, torch.bfloat16, cache_enabled=False)

    def _captured(self) -> Callable[[], None]:
        """The update as a CUDA graph, or as it is where the device refuses to capture it."""
        torch.cuda.synchronize()
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self._update()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        try:
            self.model.zero_grad(set_to_none=True)
            with torch.cuda.graph(graph):
                self._update()
        except RuntimeError as error:
            print(f"no CUDA graph, going on without: {error}", flush=True)
            torch.cuda.synchronize()
            return self._update
        print("one step is a CUDA graph", flush=True)
        return graph.replay

    @torch.no_grad()
    def save(self) -> None:
        """Weights and log, each written whole."""
        figures = self._measure()
        steps = max(self.step - (self.log[-1]["step"] if self.log else 0), 1)
        loss, bpp, psnr, bad = (self.sums / steps).tolist()
        self.sums.zero_()
        row = {
            "step": self.step,
            "seconds": round(time.monotonic() - self.began, 1),
            "loss": round(loss, 5),
            "bpp": round(bpp, 4),
            "psnr": round(psnr, 3),
            "not_finite": round(bad, 4),
            "held_out": figures,
        }
        self.log.append(row)
        print(json.dumps(row), flush=True)
        write_weights(self.mean, self.out / "pyramid.safetensors")
        about = {
            "settings": asdict(self.settings),
            "photographs": self.photographs,
            "torch": torch.__version__,
            "device": torch.cuda.get_device_name() if self.device.type == "cuda" else "cpu",
            "log": self.log,
        }
        write_json(self.out / "pyramid.json", about)

    @torch.no_grad()
    def _measure(self) -> list[list[float]]:
        """[bpp, PSNR in dB] of the held-out photographs, rounded latents, at each level."""
        found = []
        for level in range(LEVELS):
            rows = []
            for x in torch.split(self.held_out, 4):
                levels = torch.full((len(x),), float(level), device=self.device)
                output = self.mean(x, levels, Rounding(), self._autocast())
                rows.append(torch.stack([output.bits / x[0, 0].numel(), _psnr(x, output)]))
            found.append([round(value, 4) for value in torch.cat(rows, 1).mean(1).tolist()])
        return found

    @torch.no_grad()
    def _begun(self, shape: Shape | None) -> PyramidModel:
        """The networks of `start`, or new ones that begin as a transform codec of principal components."""
        if self.settings.start:
            return read_model(Path(self.settings.start))[0]
        model = PyramidModel(shape)
        channels = model.shape.latents
        components, mean, variances = principal_components(self.crops, channels)
        start_from_components(model.analysis, model.synthesis, components, mean)
        scales = variances.clamp(min=1e-8).sqrt().log2() - model.log_steps
        contexts: list[StagedContext | HalvedContext] = [
            *model.hierarchy.staged_contexts(),
            *model.hierarchy.halved_contexts(),
        ]
        for context, part in zip(contexts, torch.split(scales, list(model.hierarchy.groups), 1), strict=True):
            context.offset.rows[:, context.channels : 2 * context.channels] = part.clamp(min=-3)
        return model


def loss_of(x: Tensor, output: Output, level: Tensor) -> tuple[Tensor, Tensor]:
    """Rate plus lambda times squared error, over a power of lambda; and figures: loss, bpp, PSNR, not finite."""
    bpp = output.bits / (x.shape[2] * x.shape[3])
    # Far outside 0..1 the error says nothing, and one such picture would throw the networks off their course.
    error = (output.x_hat.clamp(-1, 2) - x).square().flatten(1).mean(1)
    lmbda = LAMBDA_LOW * (LAMBDA_HIGH / LAMBDA_LOW) ** (level / (LEVELS - 1))
    middle = LAMBDA_LOW**0.5 * LAMBDA_HIGH**0.5
    loss = ((bpp + lmbda * 255**2 * error) / (lmbda / middle).pow(WEIGHT_POWER)).mean()
    with torch.no_grad():
        psnr = -10 * error.clamp(min=1e-10).log10()
        figures = torch.stack([loss, bpp.mean(), psnr.mean(), 1.0 - loss.isfinite().float()])
    return loss, figures


def _psnr(x: Tensor, output: Output) -> Tensor:
    rounded = (output.x_hat.clamp(0, 1) * 255).round() / 255
    return -10 * (rounded - x).square().flatten(1).mean(1).clamp(min=1e-10).log10()


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, metavar="FOLDER", help="photographs to train on")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument(
        "--minutes", type=float, required=True, help="of training, reading photographs not counted"
    )
    parser.add_argument("--device", default=TrainingSettings.device, help="cpu or cuda")
    for name in (
        "batch",
        "crop",
        "learning_rate",
        "warm_up",
        "mean_over",
        "seed",
        "start",
        "parts",
        "save_every",
    ):
        default = getattr(TrainingSettings, name)
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    options = vars(parser.parse_args(arguments))
    out = options.pop("out")
    Trainer(TrainingSettings(**options), out).run()


if __name__ == "__main__":
    main()
