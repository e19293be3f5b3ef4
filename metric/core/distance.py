"""LPIPS v0.1 in plain torch: Zhang et al., "The Unreasonable Effectiveness of Deep Features", arXiv
1801.03924.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Iterator, Mapping
from itertools import repeat
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from metric.core.fetch import Say
from metric.core.trunks import ScalingLayer, Trunk, shape_of
from metric.core.weights import load_trunk, stock_heads

Heads = Path | str | Mapping[str, Tensor] | None

# Rounding of [0, 1] to [-1, 1] and of resampling may step over the edge by this much.
RANGE_SLACK = 1e-4
# Above this many bytes of float32 input, larger batches were slower than several small ones on a CPU.
BATCH_BYTES = 1_600_000


class HeadsError(ValueError):
    """A set of heads has the wrong keys, shapes or values; the message lists what is expected."""


def head_keys(net: str) -> dict[str, tuple[int, int, int, int]]:
    """Names and shapes of the heads of `net`, the same as in the lpips package and in torchmetrics."""
    return {f"lin{i}.model.1.weight": (1, c, 1, 1) for i, c in enumerate(shape_of(net).channels)}


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
            raise HeadsError(f"{name} holds numbers that are not finite.")
    return {name: heads[name].detach().to(torch.float32) for name in expected}


def read_heads(path: Path | str, net: str) -> dict[str, Tensor]:
    """Heads from a `.pth` (weights only) or `.safetensors` file, checked as by `check_heads`."""
    path = Path(path)
    try:
        tensors = (
            load_file(path)
            if path.suffix == ".safetensors"
            else torch.load(path, map_location="cpu", weights_only=True)
        )
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError, SafetensorError) as error:
        raise HeadsError(f"{path} cannot be read as a file of heads: {error}") from error
    if not isinstance(tensors, dict) or not all(isinstance(v, Tensor) for v in tensors.values()):
        raise HeadsError(f"{path} holds no state dict of tensors.")
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


class LPIPS(nn.Module):
    """Perceptual distance of image pairs; smaller is closer, zero for equal images.

    `heads`: None for the stock ones, a path to a file of heads, or the tensors themselves. `trunk`: None for
    the pinned ImageNet weights. `settings` is what a checkpoint carries; empty for a stock metric.
    `short_side`: the sizes it was fitted on, if known; the first use outside of them warns. Raises
    TrunkUnavailable or HeadsError; there is no way to get random weights.
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
        self.shape = shape_of(net)
        self.settings: Mapping[str, Any] = {}
        self.short_side: tuple[int, int] | None = None
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

    def forward(self, a: Tensor, b: Tensor, normalize: bool = False, spatial: bool = False) -> Tensor:
        """Distance of `a` and `b`, N×3×H×W, RGB in [-1, 1], or in [0, 1] with `normalize=True`.

        One image in `a` or `b` is compared with each of the other. Returns N×1×1×1, or a map N×1×H×W with
        `spatial=True`. Raises ValueError for another shape, for a side too small for the trunk, and for
        values out of range.
        """
        self._check(a, b, normalize)
        if normalize:
            a, b = 2 * a - 1, 2 * b - 1
        size = list(a.shape[2:]) if spatial else None
        if torch.is_grad_enabled() and (a.requires_grad or b.requires_grad):
            return self._between(self.features(a), self.features(b), size)
        return torch.cat(
            [self._between(x, y, size) for x, y in zip(self._parts(a, b), self._parts(b, a), strict=True)]
        )

    def features(self, images: Tensor) -> list[Tensor]:
        """Unit-length features of each layer for N×3×H×W in [-1, 1]: a list of N×C×h×w."""
        images = images.contiguous(memory_format=torch.channels_last)
        return [unit(x) for x in self.net(self.scaling_layer(images))]

    def _parts(self, images: Tensor, others: Tensor) -> Iterator[list[Tensor]]:
        """Features in small batches; a single image is computed once, and repeated for all the others."""
        count = max(1, BATCH_BYTES // (4 * images[0].numel()))
        if images.shape[0] == 1:
            yield from repeat(self.features(images), -(-others.shape[0] // count))
        else:
            for part in torch.split(images, count):
                yield self.features(part)

    def _between(self, a: list[Tensor], b: list[Tensor], size: list[int] | None) -> Tensor:
        total = a[0].new_zeros(())
        for index, (x, y) in enumerate(zip(a, b, strict=True)):
            layer = self.get_submodule(f"lin{index}")((x - y).square())
            if size:
                total = total + functional.interpolate(layer, size, mode="bilinear", align_corners=False)
            else:
                total = total + layer.mean(dim=(2, 3), keepdim=True)
        return total

    def _check(self, a: Tensor, b: Tensor, normalize: bool) -> None:
        for name, x in (("a", a), ("b", b)):
            if x.ndim != 4 or x.shape[1] != 3 or x.shape[0] == 0:
                raise ValueError(f"{name} must be N×3×H×W, found {tuple(x.shape)}.")
            if not x.is_floating_point():
                raise ValueError(f"{name} must be floating point in the stated range, found {x.dtype}.")
        if a.shape[2:] != b.shape[2:] or (a.shape[0] != b.shape[0] and 1 not in (a.shape[0], b.shape[0])):
            raise ValueError(f"a and b must match in size and number: {tuple(a.shape)} and {tuple(b.shape)}.")
        if min(a.shape[2:]) < self.shape.minimum_side:
            raise ValueError(
                f"{self.name} needs at least {self.shape.minimum_side} pixels a side: {tuple(a.shape)}."
            )
        check_range(a, "a", normalize)
        check_range(b, "b", normalize)
        self._warn_of_size(min(a.shape[2:]))

    def _warn_of_size(self, side: int) -> None:
        if self.short_side is None or self.short_side[0] <= side <= self.short_side[1]:
            return
        low, high = self.short_side
        self.short_side = None  # once is enough
        warnings.warn(
            f"This metric was fitted on images with a short side of {low} to {high} pixels, and is used at {side}: "
            "what it learned may not hold there.",
            stacklevel=5,
        )


def check_range(x: Tensor, name: str, normalize: bool) -> None:
    """Raises ValueError unless all of x lies in [-1, 1], or in [0, 1] with `normalize`; NaN is out of range."""
    low, high = (float(value) for value in x.detach().aminmax())
    floor = 0.0 if normalize else -1.0
    if not (low >= floor - RANGE_SLACK and high <= 1 + RANGE_SLACK):
        raise ValueError(
            f"{name} must lie in [{floor:g}, 1], found [{low:g}, {high:g}]. "
            "Images in [0, 1] need normalize=True; images in 0..255 are divided by 255 first; "
            "unclamped network outputs are clamped first."
        )


def _heads_for(net: str, heads: Heads) -> dict[str, Tensor]:
    if heads is None:
        return check_heads(net, stock_heads(net))
    if isinstance(heads, (str, Path)):
        return read_heads(heads, net)
    return check_heads(net, heads)
