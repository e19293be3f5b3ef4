"""One step of training, on whatever device: on a GPU recorded once as a CUDA graph, then replayed.

The networks are so small that starting their kernels one by one would take longer than running them.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor, nn

from codecs_zoo.contract import CodecError
from codecs_zoo.learned.networks.model import LearnedModel, lambdas
from codecs_zoo.learned.networks.objective import Objective, View, squared_error
from codecs_zoo.learned.networks.photographs import CropPool, as_pictures

CLIP: Final = 1.0
LINEAR_SHARE: Final = 0.05
WEIGHT_POWER: Final = 0.4
EAGER_STEPS: Final = 5
"""Before a graph is recorded: cuDNN chooses its kernels, the optimizer makes its state."""

FIGURES: Final = ("loss", "bpp", "psnr", "distance", "metric")
"""`distance` is the objective's: the squared error, and the metric times its weight. `metric` is the metric alone."""


class Stepper:
    """The network, its optimizer and one batch's worth of inputs, all on `device`.

    `forward` is the network, or what stands for it where several processes train one. `saliency` holds a map for each
    photograph of the pool. `bf16` and `compiled` say how the transforms run.
    """

    def __init__(
        self,
        model: LearnedModel,
        forward: nn.Module,
        optimizer: torch.optim.Optimizer,
        objective: Objective,
        pool: CropPool,
        batch: int,
        *,
        saliency: CropPool | None = None,
        bf16: bool,
        compiled: bool,
    ) -> None:
        self.model, self.optimizer, self.objective, self.pool = model, optimizer, objective, pool
        self.forward, self.bf16, self.saliency = forward, bf16, saliency
        device = pool.values.device
        self.places = torch.zeros(batch, 3, dtype=torch.int64, device=device)
        self.quality = torch.ones(batch, device=device)
        self.maps = torch.zeros(batch, 2, 3, device=device)
        self.sums = torch.zeros(len(FIGURES), device=device)
        self.broken = torch.zeros((), device=device)
        self.steps = self.done = 0
        self.code = torch.compile(self._code) if compiled else self._code
        self.graph: torch.cuda.CUDAGraph | None = None
        self.recordable = device.type == "cuda" and forward is model

    def step(self, places: Tensor, quality: Tensor, maps: Tensor, rate: float) -> None:
        """One batch: where its crops are, their qualities, the metric's views, the learning rate.

        Raises CodecError for a gradient that is not finite (on a GPU, `means` does).
        """
        for own, new in ((self.places, places), (self.quality, quality), (self.maps, maps)):
            own.copy_(new.pin_memory() if own.is_cuda else new, non_blocking=True)
        for group in self.optimizer.param_groups:
            set_rate(group, group["share"] * rate)
        if self.recordable and self.graph is None and self.done == EAGER_STEPS:
            self._record()
        if self.graph:
            self.graph.replay()
        else:
            self._on_side_stream() if self.recordable else self._body()
        self.steps += 1
        self.done += 1
        if not self.places.is_cuda:
            self._require_finite()

    def means(self) -> dict[str, float]:
        """Of the figures since the last call. Raises CodecError if no step had a finite gradient."""
        self._require_finite()
        values = (self.sums / max(self.steps - float(self.broken), 1)).tolist()
        self.sums.zero_()
        self.broken.zero_()
        self.steps = 0
        return {name: round(value, 5) for name, value in zip(FIGURES, values, strict=True)}

    def _require_finite(self) -> None:
        if self.steps and float(self.broken) == self.steps:
            raise CodecError(
                f"Training diverged: no gradient is finite after {self.done} steps. Start again with a "
                f"lower learning rate."
            )

    def _on_side_stream(self) -> None:
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            self._body()
        torch.cuda.current_stream().wait_stream(stream)

    def _record(self) -> None:
        graph = torch.cuda.CUDAGraph()
        self.optimizer.zero_grad(set_to_none=True)
        torch.cuda.synchronize()
        with torch.cuda.graph(graph):
            self._body()
        self.graph = graph

    def _body(self) -> None:
        x = as_pictures(self.pool.cut(self.places))
        bpp, x_hat = self.code(x, self.quality)
        view = View(self.maps, (self.pool.crop, self.pool.crop)) if self.objective.metric else None
        saliency = self.saliency.cut(self.places).float() if self.saliency else None
        distance = self.objective(x, x_hat, view, saliency)
        loss = rate_distortion_loss(bpp, distance, self.quality)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_([p for p in self.model.parameters() if p.grad is not None], CLIP)
        broken = (~norm.isfinite()).float()
        self._skip_if(broken)
        self.optimizer.step()
        with torch.no_grad():
            error = (x_hat - x).square().flatten(1).mean(1).clamp(min=1e-10)
            metric = (distance - squared_error(x, x_hat, saliency)) / self.objective.weight
            psnr = (-10 * error.log10()).mean()
            figures = torch.stack([loss, bpp.mean(), psnr, distance.mean(), metric.mean()])
            self.sums += torch.where(broken > 0, torch.zeros_like(figures), figures)
            self.broken += broken

    def _code(self, x: Tensor, quality: Tensor) -> tuple[Tensor, Tensor]:
        """Bits per pixel of each picture, and x_hat."""
        output: dict[str, Any] = self.forward(x, quality, self.bf16)
        return bits_per_pixel(output["likelihoods"], x), output["x_hat"]

    def _skip_if(self, broken: Tensor) -> None:
        """Where the gradient is not finite a GPU's step changes nothing; elsewhere `step` raises after it."""
        if broken.is_cuda:
            vars(self.optimizer)["found_inf"] = broken  # which the fused Adam reads


def bits_per_pixel(likelihoods: dict[str, Tensor], x: Tensor) -> Tensor:
    """Of each of N pictures, from the likelihoods of all that is coded of it."""
    area = x.shape[2] * x.shape[3]
    bits = sum((-part.log2().flatten(1).sum(1) for part in likelihoods.values()), start=x.new_zeros(()))
    return bits / area


def rate_distortion_loss(bpp: Tensor, distance: Tensor, quality: Tensor) -> Tensor:
    """Rate plus lambda times distance, over a power of lambda that keeps high rates from ruling the rest: a mean."""
    lmbda = lambdas(quality)
    cost = bpp + lmbda * distance
    return (cost / (lmbda / lambdas(quality.new_full((), 4.5))).pow(WEIGHT_POWER)).mean()


def make_optimizer(model: LearnedModel, rate: float, device: torch.device) -> torch.optim.Adam:
    """The linear parts start well and have small weights: they move at a fraction of the learning rate."""
    linear: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            (linear if ".linear." in name else others).append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": others, "share": 1.0},
        {"params": linear, "share": LINEAR_SHARE},
    ]
    if device.type != "cuda":
        return torch.optim.Adam(groups, rate)
    for group in groups:
        group["lr"] = torch.tensor(rate, device=device)
    return torch.optim.Adam(groups, fused=True, capturable=True)


def set_rate(group: dict[str, Any], rate: float) -> None:
    """Where a graph was recorded it reads the rate from one tensor, which keeps its place."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate
