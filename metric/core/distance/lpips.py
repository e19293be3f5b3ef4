"""LPIPS v0.1 in plain torch: Zhang et al., "The Unreasonable Effectiveness of Deep Features", arXiv
1801.03924.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from metric.core.distance.base import Metric, check_range
from metric.core.distance.fetch import Say
from metric.core.distance.tensors import load_tensors
from metric.core.distance.trunks import ScalingLayer, Trunk, trunk_shape
from metric.core.distance.weights import load_trunk, stock_heads
from metric.core.errors import InputError

Heads = Path | str | Mapping[str, Tensor] | None

__all__ = [
    "LPIPS",
    "Heads",
    "HeadsError",
    "check_heads",
    "check_range",
    "head_keys",
    "read_heads",
]


class HeadsError(InputError):
    """A set of heads has the wrong keys, shapes or values; the message lists what is expected."""


def head_keys(net: str) -> dict[str, tuple[int, int, int, int]]:
    """Names and shapes of the heads of `net`, the same as in the lpips package and in torchmetrics."""
    return {f"lin{i}.model.1.weight": (1, c, 1, 1) for i, c in enumerate(trunk_shape(net).channels)}


def check_heads(net: str, heads: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same heads in layer order, as float32. Raises HeadsError on any key, shape or value that is wrong."""
    expected = head_keys(net)
    listed = ", ".join(f"{name} {shape}" for name, shape in expected.items())
    if set(heads) != set(expected):
        raise HeadsError(
            f"Heads for {net} need exactly these keys: {listed}. Found: {', '.join(sorted(heads))}."
        )
    for name, shape in expected.items():
        if tuple(heads[name].shape) != shape:
            raise HeadsError(f"{name} has shape {tuple(heads[name].shape)}. Heads for {net}: {listed}.")
        if not bool(torch.isfinite(heads[name]).all()):
            raise HeadsError(f"{name} contains numbers that are not finite.")
    return {name: heads[name].detach().to(torch.float32) for name in expected}


def read_heads(path: Path | str, net: str) -> dict[str, Tensor]:
    """Heads from a `.pth` (weights only) or `.safetensors` file, checked as by `check_heads`."""
    try:
        tensors = load_tensors(Path(path))
    except ValueError as error:
        raise HeadsError(f"No heads: {error}.") from error
    if not isinstance(tensors, dict) or not all(isinstance(v, Tensor) for v in tensors.values()):
        raise HeadsError(f"{path} does not contain a state dict of tensors.")
    return check_heads(net, tensors)


def unit(x: Tensor) -> Tensor:
    """Each pixel's feature vector at length one. N×C×H×W to the same.

    The epsilon stands inside the root: the gradient is finite where all features are zero.
    """
    return x * torch.rsqrt(torch.sum(x * x, dim=1, keepdim=True) + 1e-20)


class Head(nn.Module):
    """One non-negative weight per channel. Holds them under the key `model.1.weight` which others expect."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.model = nn.Sequential(nn.Identity(), nn.Conv2d(channels, 1, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)  # type: ignore[no-any-return]


class LPIPS(Metric):
    """Perceptual distance of image pairs; smaller is closer, zero for equal images.

    `heads`: None for the stock ones, a path to a file of heads, or the tensors themselves. `trunk`: None for
    the pinned ImageNet weights. Raises TrunkUnavailable or HeadsError; there is no way to get random weights.
    """

    def __init__(
        self,
        net: str = "alex",
        heads: Heads = None,
        trunk: Trunk | None = None,
        progress: Say | None = None,
    ) -> None:
        super().__init__()
        self.name = net
        self.shape = trunk_shape(net)
        self.minimum_side = self.shape.minimum_side
        self.scaling_layer = ScalingLayer()
        self.net = load_trunk(net, progress) if trunk is None else trunk
        for index, channels in enumerate(self.shape.channels):
            self.add_module(f"lin{index}", Head(channels))
        self.load_state_dict(_heads_for(net, heads), strict=False)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.eval().requires_grad_(False)

    @property
    def heads(self) -> dict[str, Tensor]:
        """The heads as `lin{i}.model.1.weight`, (1, C, 1, 1), on the CPU."""
        return {name: self.get_parameter(name).detach().cpu().contiguous() for name in head_keys(self.name)}

    @property
    def weights(self) -> Tensor:
        """All heads as one float32 vector: the w of `d = w·v` with a pair vector v."""
        return torch.cat([value.flatten() for value in self.heads.values()])

    def features(self, images: Tensor) -> list[Tensor]:
        """Unit-length features of each layer for N×3×H×W in [-1, 1]: a list of N×C×h×w."""
        images = images.contiguous(memory_format=torch.channels_last)
        # A trunk under autocast gives bfloat16, in which near pairs would change places.
        return [unit(x.to(images.dtype)) for x in self.net(self.scaling_layer(images))]

    def between(self, a: list[Tensor], b: list[Tensor], size: list[int] | None = None) -> Tensor:
        """Distance of two lists of features, N×1×1×1; a map N×1×H×W with a size."""
        total = a[0].new_zeros(())
        for index, (x, y) in enumerate(zip(a, b, strict=True)):
            layer = self.get_submodule(f"lin{index}")((x - y).square())
            if size:
                total = total + functional.interpolate(layer, size, mode="bilinear", align_corners=False)
            else:
                total = total + layer.mean(dim=(2, 3), keepdim=True)
        return total

    def clamp(self) -> None:
        """Heads below zero become zero. The original clamps every 1×1 convolution, SqueezeNet's trunk included."""
        with torch.no_grad():
            for name in head_keys(self.name):
                self.get_parameter(name).clamp_(min=0)


def _heads_for(net: str, heads: Heads) -> dict[str, Tensor]:
    if heads is None:
        return check_heads(net, stock_heads(net))
    if isinstance(heads, (str, Path)):
        return read_heads(heads, net)
    return check_heads(net, heads)
