"""What every metric has in common: checks, batches, size warnings, and a loss to train with."""

from __future__ import annotations

import threading
import warnings
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from itertools import repeat
from typing import Any

import torch
from torch import Tensor, nn

from metric.core.config import NOT_CALIBRATED
from metric.core.distance.choice import ChoiceCurve, curve_from
from metric.core.errors import InputError

# Rounding of [0, 1] to [-1, 1] and of resampling may step over the edge by this much.
RANGE_SLACK = 1e-4
# Above this many bytes of float32 input, larger batches were slower than several small ones on a CPU.
BATCH_BYTES = 1_600_000
# A GPU wants many at once; at this many, the widest layer of vgg needs about 2 GB for it. Not measured.
GPU_BATCH_BYTES = 96_000_000


class NotCalibrated(InputError):
    """The metric has no choice curve; the message says what to do."""


class Metric(nn.Module, ABC):
    """A distance of image pairs; smaller is closer, zero for equal images.

    `settings` is what a checkpoint carries; empty for a stock metric. `short_side`: the sizes it was fitted on,
    if known; the first use outside of them warns. Subclasses say what a batch of images is seen as (`features`)
    and how far two of these are apart (`between`).
    """

    name: str
    minimum_side: int

    def __init__(self) -> None:
        super().__init__()
        self.settings: Mapping[str, Any] = {}
        self.short_side: tuple[int, int] | None = None

    @property
    @abstractmethod
    def weights(self) -> Tensor:
        """All weights as one float32 vector: the w of `d = w·v` with a vector v of the pair."""

    @abstractmethod
    def features(self, images: Tensor) -> Any:
        """What is seen of N×3×H×W in [-1, 1]."""

    @abstractmethod
    def between(self, a: Any, b: Any, size: list[int] | None = None) -> Tensor:
        """N×1×1×1 from what is seen of two batches, of which one may hold a single image; N×1×H×W with a size."""

    @abstractmethod
    def clamp(self) -> None:
        """Weights below zero become zero; the trunks are left alone."""

    def forward(self, a: Tensor, b: Tensor, normalize: bool = False, spatial: bool = False) -> Tensor:
        """Distance of originals `a` and `b`, N×3×H×W, RGB in [-1, 1], or in [0, 1] with `normalize=True`.

        One image in `a` or `b` is compared with each of the other. Returns N×1×1×1, or a map N×1×H×W with
        `spatial=True`. Raises ValueError for another shape or type, for a side that is too small, and for values
        out of range.
        """
        check_shapes(a, b, self.minimum_side, self.name)
        check_range(a, "a", normalize)
        check_range(b, "b", normalize)
        a, b = self.own_dtype(a, b)
        doubt = self.doubt_about_size(min(a.shape[2:]))
        if doubt:
            warnings.warn(doubt, stacklevel=4)
        if normalize:
            a, b = 2 * a - 1, 2 * b - 1
        size = list(a.shape[2:]) if spatial else None
        with full_precision(a.device):
            if torch.is_grad_enabled() and (a.requires_grad or b.requires_grad):
                return self.between(self.features(a), self.features(b), size)
            return torch.cat(
                [self.between(x, y, size) for x, y in zip(self._parts(a, b), self._parts(b, a), strict=True)]
            )

    @property
    def curve(self) -> ChoiceCurve | None:
        """What turns its distances into chances; None for a metric that was not fitted to votes."""
        return curve_from(self.settings)

    @property
    def calibrated_on(self) -> str:
        """The votes that its chances were calibrated on, in words, or "not calibrated"."""
        curve = self.curve
        return (curve.calibrated_on if curve else "") or NOT_CALIBRATED

    def require_curve(self) -> ChoiceCurve:
        """Its choice curve. Raises NotCalibrated for a metric that has none."""
        if self.curve is None:
            raise NotCalibrated(
                f"{self.name} is {NOT_CALIBRATED}: its distances cannot be converted to people's choices. "
                f"Train a version on people's answers, and load that."
            )
        return self.curve

    def preference(self, reference: Tensor, a: Tensor, b: Tensor, normalize: bool = False) -> Tensor:
        """The share of people, 0 to 1, expected to find `a` closer to `reference` than `b`, (N,).

        Images as in `forward`, by the slope, bend and lapse rate of `curve`. Warns where the curve was not calibrated
        on votes that the fit did not see. Raises NotCalibrated, and ValueError as `forward`.
        """
        curve = self.require_curve()
        if not curve.calibrated_on:
            warnings.warn(f"{NOT_CALIBRATED}: the slope is that of the votes of the fit itself", stacklevel=2)
        first, second = (self(reference, x, normalize).detach().double().cpu().flatten() for x in (a, b))
        # One of the two may be a single picture.
        pair = torch.stack([second + 0 * first, first + 0 * second], dim=1).numpy()
        return torch.from_numpy(curve.chance(pair))

    def jnd(self, reference: Tensor, distorted: Tensor, normalize: bool = False) -> Tensor:
        """Distances in just noticeable differences, (N,): at 1 from equal, 75 % see which of the two is closer.

        Raises as `preference`.
        """
        distances = self(reference, distorted, normalize).detach().double().cpu().flatten().numpy()
        return torch.from_numpy(self.require_curve().jnd(distances))

    def train_loss(self) -> TrainLoss:
        """This metric as a loss for training a codec: `loss(x_hat, x)`."""
        return TrainLoss(self)

    def _parts(self, images: Tensor, others: Tensor) -> Iterator[Any]:
        """Features in small batches; a single image is computed once, and repeated for all the others."""
        count = max(1, batch_bytes(images.device) // (4 * images[0].numel()))
        if images.shape[0] == 1:
            yield from repeat(self.features(images), -(-others.shape[0] // count))
        else:
            for part in torch.split(images, count):
                yield self.features(part)

    def doubt_about_size(self, side: int) -> str:
        """The warning, given once, before images with this short side are compared; empty if there is none."""
        if self.short_side is None or self.short_side[0] <= side <= self.short_side[1]:
            return ""
        low, high = self.short_side
        self.short_side = None  # once is enough
        return (
            f"This metric was fitted on images with a short side of {low} to {high} pixels, but is used at {side}: "
            "results may be unreliable there."
        )

    def own_dtype(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        """Both images in the type of the metric's weights, in which it computes whatever the caller's autocast says.

        Raises ValueError for images of another type, outside of autocast, and for weights of 16 bits.
        """
        own = next(self.parameters()).dtype
        if own in (torch.float16, torch.bfloat16):
            raise InputError(
                f"The metric is {own}, in which near pairs change places. Keep it out of half() and bfloat16(), and "
                f"load it while torch's default dtype is torch.float32."
            )
        for which, x in (("a", a), ("b", b)):
            if x.dtype != own and not torch.is_autocast_enabled(x.device.type):
                raise InputError(
                    f"{which} is {x.dtype} but the metric is {own}: convert with {which}.to({own}) first."
                )
        return a.to(own), b.to(own)


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Without the caller's autocast, and with all bits of float32: in fewer bits near pairs change places.

    Callers ask for fewer by torch.set_float32_matmul_precision, by torch.backends.fp32_precision, and on a GPU by TF32,
    which convolutions take by default. Gradients flow through it as they do outside. torch's settings are
    those of the whole process: where several threads compute at once, the first one changes them and the last one
    restores them.
    """
    _begin_full_precision(device.type, _operations(device))
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        _end_full_precision(device.type, _operations(device))


_turn = threading.Lock()
_within: Counter[str] = Counter()
"""How many callers are within `full_precision`, by type of device."""
_before: dict[str, list[str]] = {}


def _begin_full_precision(kind: str, operations: Sequence[Any]) -> None:
    with _turn:
        if not _within[kind]:
            _before[kind] = [operation.fp32_precision for operation in operations]
            for operation in operations:
                operation.fp32_precision = "ieee"
        _within[kind] += 1


def _end_full_precision(kind: str, operations: Sequence[Any]) -> None:
    with _turn:
        _within[kind] -= 1
        if _within[kind]:
            return
        for operation, precision in zip(operations, _before[kind], strict=True):
            # What was read may have been inherited from the setting of a whole library, and is left to it then.
            operation.fp32_precision = "none"
            if operation.fp32_precision != precision:
                operation.fp32_precision = precision


def _operations(device: torch.device) -> tuple[Any, ...]:
    """Settings of the libraries behind convolutions and products of matrices."""
    backends: Any = torch.backends  # whose types lack these
    if device.type == "cuda":
        return backends.cudnn.conv, backends.cuda.matmul
    return backends.mkldnn.conv, backends.mkldnn.matmul


def batch_bytes(device: torch.device) -> int:
    """Bytes of float32 input that are taken through a trunk at once."""
    return GPU_BATCH_BYTES if device.type == "cuda" else BATCH_BYTES


class TrainLoss(nn.Module):
    """A metric as a differentiable loss. Its own weights stay as they are."""

    def __init__(self, metric: Metric) -> None:
        super().__init__()
        self.metric = metric.eval().requires_grad_(False)

    def forward(self, x_hat: Tensor, x: Tensor) -> Tensor:
        """Mean distance, a scalar, of reconstructions and originals, both N×3×H×W in [-1, 1].

        Gradients are finite everywhere, zero where the images are equal. Values a little out of range are taken
        as they are: what a codec puts out in training is not clamped yet.
        Raises ValueError for shapes, and for another type than the metric's.
        """
        check_shapes(x_hat, x, self.metric.minimum_side, self.metric.name)
        x_hat, x = self.metric.own_dtype(x_hat, x)
        with full_precision(x.device):
            # The originals' half of the trunk needs no graph: a third of the time and half of the memory.
            with nullcontext() if x.requires_grad else torch.no_grad():
                seen = self.metric.features(x)
            return self.metric.between(seen, self.metric.features(x_hat)).mean()


def check_shapes(a: Tensor, b: Tensor, minimum_side: int, name: str) -> None:
    """Raises ValueError unless both are floating point N×3×H×W of one size, and of one number or a single one."""
    for which, x in (("a", a), ("b", b)):
        if x.ndim != 4 or x.shape[1] != 3 or x.shape[0] == 0:
            raise InputError(f"{which} must be N×3×H×W, found {tuple(x.shape)}.")
        if not x.is_floating_point():
            raise InputError(f"{which} must be floating point in the stated range, found {x.dtype}.")
    if a.shape[2:] != b.shape[2:] or (a.shape[0] != b.shape[0] and 1 not in (a.shape[0], b.shape[0])):
        raise InputError(f"a and b must match in size and number: {tuple(a.shape)} and {tuple(b.shape)}.")
    if min(a.shape[2:]) < minimum_side:
        raise InputError(f"{name} needs at least {minimum_side} pixels a side: {tuple(a.shape)}.")


def check_range(x: Tensor, name: str, normalize: bool) -> None:
    """Raises ValueError unless all of x lies in [-1, 1], or in [0, 1] with `normalize`; NaN is out of range."""
    low, high = (float(value) for value in x.detach().aminmax())
    floor = 0.0 if normalize else -1.0
    if not (low >= floor - RANGE_SLACK and high <= 1 + RANGE_SLACK):
        raise InputError(
            f"{name} must lie in [{floor:g}, 1], found [{low:g}, {high:g}]. "
            "Images in [0, 1] need normalize=True; images in 0..255 are divided by 255 first; "
            "unclamped network outputs must be clamped first."
        )
