"""One step of training pyramid, on whatever device: on a GPU recorded once as a CUDA graph, then replayed.

What keeps it on its course: an error that is bounded far outside the range of pixels, gradients that are clipped to a
little more than their usual size, and steps without a finite gradient that change nothing. Clipping at a fixed size
is not enough: Muon's updates have one size whatever the gradient's, so a single gradient ten times the usual decides
where its momentum points for the next twenty steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn

from codecs_zoo.learned.levels import LEVELS
from codecs_zoo.learned.networks.rounding import in_training
from codecs_zoo.learned.pyramid.model import Output, PyramidModel
from codecs_zoo.learned.pyramid.muon import Muon
from codecs_zoo.learned.pyramid.shape import LAMBDA_HIGH, LAMBDA_LOW

WEIGHT_POWER: Final = 0.45
"""Of lambda, by which a cost is divided, so that high rates do not rule the rest."""
EAGER_STEPS: Final = 20
"""Before a step is captured: cuDNN chooses its kernels, the optimizer makes its state."""
CLIP: Final = 2.0
"""Largest norm of the gradient, however large it usually is."""
SPIKE: Final = 2.5
"""Largest norm of the gradient, in usual norms."""
USUAL: Final = 0.03
"""Share of the latest norm in the usual one."""
BETAS: Final = (0.9, 0.99)
MUON_SHARE: Final = 3.0
"""Muon's learning rate, for the matrices, over Adam's, for all else."""
FIGURES: Final = ("loss", "bpp", "psnr", "clipped")


class Stepper:
    """The networks that are trained, the means of their weights, the optimizers, and one batch on `device`."""

    def __init__(
        self, model: PyramidModel, mean: PyramidModel, parts: str, batch: int, crop: int, device: torch.device
    ) -> None:
        self.model, self.parts, self.device = model, parts, device
        pairs = zip(model.named_parameters(), mean.parameters(), strict=True)
        trained = [(name, own, its) for (name, own), its in pairs if own.requires_grad]
        self.parameters: list[Tensor] = [own for _, own, _ in trained]
        self.means: list[Tensor] = [its for _, _, its in trained]
        on_gpu = device.type == "cuda"
        self.rate = torch.zeros((), device=device)
        self.muon = Muon([own for name, own, _ in trained if _is_matrix(name, own)])
        self.adam = torch.optim.Adam(
            [own for name, own, _ in trained if not _is_matrix(name, own)],
            lr=self.rate if on_gpu else 0.0,
            betas=BETAS,
            capturable=on_gpu,
            fused=on_gpu,
        )
        self.x = torch.zeros(batch, 3, crop, crop, device=device).to(memory_format=torch.channels_last)
        self.level = torch.zeros(batch, device=device)
        self.keep = torch.zeros((), device=device)
        self.usual = torch.full((), CLIP / SPIKE, device=device)
        self.sums = torch.zeros(len(FIGURES), device=device)
        self.broken = torch.zeros((), device=device)
        self.done = 0
        self._work: Callable[[], None] = self._update

    def step(self, rate: float, keep: float) -> None:
        """One step on `x` and `level`; `keep` is the share of the new weights in their means."""
        if self.done == EAGER_STEPS and self.device.type == "cuda":
            self._work = self._captured()
        self.rate.fill_(rate)  # a captured step reads it from there
        if self.device.type != "cuda":
            self.adam.param_groups[0]["lr"] = rate
        self.keep.fill_(keep)
        self._work()
        self.done += 1

    def figures(self, steps: int) -> dict[str, float]:
        """Means over the last `steps`, since the last call, and how many of them were `skipped`."""
        broken = float(self.broken)
        values = (self.sums / max(steps - broken, 1)).tolist()
        self.sums.zero_()
        self.broken.zero_()
        return {**dict(zip(FIGURES, values, strict=True)), "skipped": broken}

    def state(self) -> dict[str, Any]:
        """Of the optimizers and of what is usual."""
        return {"adam": self.adam.state_dict(), "muon": self.muon.state(), "usual": self.usual}

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from such a state."""
        self.adam.load_state_dict(state["adam"])
        if self.device.type == "cuda":  # the loaded state brings a rate of its own
            self.adam.param_groups[0]["lr"] = self.rate
        self.muon.resume(state["muon"])
        self.usual.copy_(state["usual"])

    def _update(self) -> None:
        """On a GPU without a round trip to the host."""
        self.model.zero_grad(set_to_none=True)
        loss, figures = training_loss(self.x, self._output(), self.level)
        loss.backward()  # type: ignore[no-untyped-call]
        broken, clipped = self._clip(loss)
        with torch.no_grad():
            figures = torch.cat([figures, clipped[None]])
            self.sums += torch.where(broken > 0, torch.zeros_like(figures), figures)
            self.broken += broken
        if self.device.type != "cuda" and broken > 0:
            return
        vars(self.adam)["found_inf"] = (
            broken if self.device.type == "cuda" else None
        )  # the fused Adam reads it
        self.adam.step()
        self.muon.step(self.rate * MUON_SHARE, broken)
        with torch.no_grad():
            differences = torch._foreach_sub(self.parameters, self.means)
            torch._foreach_mul_(differences, self.keep)
            torch._foreach_add_(self.means, differences)

    @torch.no_grad()
    def _clip(self, loss: Tensor) -> tuple[Tensor, Tensor]:
        """Scales the gradients. Two numbers, 0 or 1: whether they are not finite, and whether they were too large."""
        gradients = [each.grad for each in self.parameters if each.grad is not None]
        norm = nn.utils.get_total_norm(gradients, foreach=True)
        finite = norm.isfinite() & loss.isfinite()
        limit = (SPIKE * self.usual).clamp(max=CLIP)
        scale = (limit / (norm + 1e-9)).clamp(max=1.0)
        for gradient in gradients:
            gradient.nan_to_num_(0.0, 0.0, 0.0)
        torch._foreach_mul_(gradients, torch.where(finite, scale, torch.zeros_like(scale)))
        usual = self.usual + USUAL * (torch.minimum(norm, limit) - self.usual)
        self.usual.copy_(torch.where(finite, usual, self.usual))
        return 1.0 - finite.float(), (norm > limit).float()

    def _output(self) -> Output:
        autocast = torch.autocast(self.device.type, torch.bfloat16, cache_enabled=False)
        if self.parts != "staged":
            return self.model(self.x, self.level, in_training, autocast)  # type: ignore[no-any-return]
        with torch.no_grad():
            y = self.model.latents(self.x, self.level, autocast)
            steps = self.model.steps(self.level)
        _, likelihoods = self.model.hierarchy.forward_staged(y, steps, self.level, in_training)
        return Output(self.x, -torch.cat(likelihoods, 1).log2().flatten(1).sum(1))

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
            print(f"no CUDA graph, continuing without: {error}", flush=True)
            torch.cuda.synchronize()
            return self._update
        print("one step is a CUDA graph", flush=True)
        return graph.replay


def trained_parts(model: PyramidModel, parts: str) -> Sequence[nn.Module]:
    """What `parts` stands for."""
    known: dict[str, Sequence[nn.Module]] = {
        "all": [model],
        "decoder": [model.hierarchy, model.synthesis],
        "staged": [model.hierarchy.staged],
    }
    return known[parts]


def training_loss(x: Tensor, output: Output, level: Tensor) -> tuple[Tensor, Tensor]:
    """Rate plus lambda times squared error, over a power of lambda: a mean; and figures: loss, bpp, PSNR."""
    bpp = output.bits / (x.shape[2] * x.shape[3])
    # Far outside 0..1 the error says nothing, and one such picture would throw the networks off their course.
    error = (output.x_hat.clamp(-1, 2) - x).square().flatten(1).mean(1)
    lmbda = LAMBDA_LOW * (LAMBDA_HIGH / LAMBDA_LOW) ** (level / (LEVELS - 1))
    middle = LAMBDA_LOW**0.5 * LAMBDA_HIGH**0.5
    loss = ((bpp + lmbda * 255**2 * error) / (lmbda / middle).pow(WEIGHT_POWER)).mean()
    with torch.no_grad():
        psnr = -10 * error.clamp(min=1e-10).log10()
        return loss, torch.stack([loss, bpp.mean(), psnr.mean()])


def _is_matrix(name: str, parameter: Tensor) -> bool:
    """Whether Muon moves it: weights of convolutions, but not the linear parts, which start well."""
    return parameter.dim() == 4 and ".linear." not in name
