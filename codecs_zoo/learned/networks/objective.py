"""How far a reconstruction is from its source, for whoever makes it: training, search, an overfitted codec.

    D(x, x_hat) = mean over pixels of s (255**2 e**2 + weight m)

e**2 is the squared error of a pixel, m a metric of `metric.core` as it is (stock LPIPS, or a version that was
trained on people's choices), s a saliency map whose mean is one. The metric never sees the pictures in the same
position twice: they are shifted by up to 7 pixels, flipped, transposed and scaled at random, the same way both. A
metric that is looked at from one position only is gamed, by dots in step with its trunk's strides.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from codecs_zoo.contract import CodecError
from codecs_zoo.learned.networks.transforms import in_bfloat16
from codecs_zoo.site_metrics import PERCEPTUAL, STOCK, is_name, metric_folder
from metric.core.distance.base import Metric
from metric.core.distance.columns import Parts

TUNED_TRUNKS: Final = ("alex", "squeeze")
"""What `tune=perceptual` looks through. vgg is left alone, to judge what was tuned."""

METRIC_WEIGHT: Final = 40.0
"""Of LPIPS against squared errors of pixels in 0..255. From about 300 on, the metric is gamed."""
METRIC_SHARE: Final = 0.5
"""The metric's weight in a search over the mean squared error of a plain file, where that is more than METRIC_WEIGHT:
at a low rate, and in textures, the error is several times larger and the metric's value is not, so that a fixed weight
would fade."""
MOST_WEIGHT: Final = 150.0
"""In a search: more has not been tried there."""

MOST_SHIFT: Final = 7
MOST_SCALE: Final = 2**0.5
"""Sides are scaled by 1 / MOST_SCALE to MOST_SCALE."""


@dataclass(frozen=True)
class View:
    """One random position: N x 2 x 3 affine maps from places in the view to places in the picture (both -1..1,
    as `affine_grid` has them), and the view's height and width."""

    maps: Tensor
    size: tuple[int, int]

    def of(self, images: Tensor) -> Tensor:
        """N x C x H x W seen in this position; beyond an edge, the picture is mirrored."""
        shape = [len(self.maps), images.shape[1], *self.size]
        places = functional.affine_grid(self.maps.to(images), shape, align_corners=False)
        return functional.grid_sample(
            images, places, mode="bilinear", padding_mode="reflection", align_corners=False
        )


def random_view(height: int, width: int, seed: tuple[int, ...]) -> View:
    """Of one whole picture. The same seed, such as (picture, iteration), gives the same view."""
    rng = np.random.default_rng(seed)
    scale = MOST_SCALE ** rng.uniform(-1, 1)
    maps = _turned(rng, 1)
    maps[:, :, 2] = 2 * rng.integers(0, MOST_SHIFT + 1, size=(1, 2)) / (width, height)
    size = (max(round(height * scale), 1), max(round(width * scale), 1))
    transposed = bool(maps[0, 0, 0] == 0)
    return View(torch.from_numpy(maps).float(), size[::-1] if transposed else size)


def random_maps(count: int, side: int, seed: tuple[int, ...]) -> Tensor:
    """Maps for views of `count` square crops that keep their size: scaled up, a view shows a part of the crop."""
    rng = np.random.default_rng(seed)
    scale = MOST_SCALE ** rng.uniform(-1, 1, size=(count, 1))
    maps = _turned(rng, count) / scale[:, :, None]
    hidden = (1 - 1 / scale).clip(0) * rng.uniform(-1, 1, size=(count, 2))
    maps[:, :, 2] = hidden + 2 * rng.integers(0, MOST_SHIFT + 1, size=(count, 2)) / side
    return torch.from_numpy(maps).float()


class Objective(nn.Module):
    """D(x, x_hat) of each picture. Without a metric, the squared error of pixels in 0..255."""

    def __init__(self, metric: Metric | None = None, weight: float = METRIC_WEIGHT) -> None:
        super().__init__()
        self.metric = metric.eval().requires_grad_(False) if metric else None
        self.weight = weight

    def forward(
        self, x: Tensor, x_hat: Tensor, view: View | None = None, saliency: Tensor | None = None
    ) -> Tensor:
        """N distances of N x 3 x H x W in 0..1 (x_hat may stray a little out of it).

        `saliency` is N x 1 x H x W with a mean of one. With a metric a `view` is required: ValueError.
        """
        distance = squared_error(x, x_hat, saliency)
        if self.metric is None:
            return distance
        if view is None:
            raise ValueError("A metric needs a view: random_view(height, width, (picture, iteration)).")
        return distance + self.weight * self.seen(view, x, x_hat, saliency)

    def seen(
        self, view: View, x: Tensor, x_hat: Tensor, saliency: Tensor | None, bf16: bool = False
    ) -> Tensor:
        """N distances by the metric alone, from one position; its trunks run in bfloat16 where `bf16` says so."""
        assert self.metric is not None
        with torch.no_grad():
            source = self._features(view.of(x), bf16)
        made = self._features(view.of(x_hat), bf16)
        if saliency is None:
            return self.metric.between(made, source).flatten(1).mean(1)
        return (self.metric.between(made, source, list(view.size)) * view.of(saliency)).flatten(1).mean(1)

    def _features(self, images: Tensor, bf16: bool) -> Any:
        assert self.metric is not None
        with in_bfloat16(images, bf16):
            return self.metric.features(2 * images - 1)


def squared_error(x: Tensor, x_hat: Tensor, saliency: Tensor | None = None) -> Tensor:
    """N means of the squared error of pixels in 0..255, weighed by `saliency`; arguments as for `Objective`."""
    error = (x_hat - x).square().mean(1, keepdim=True) * 255.0**2
    return (error if saliency is None else saliency * error).flatten(1).mean(1)


def weight_in_a_search(weight: float, plain_error: float) -> float:
    """The metric's weight beside squared errors of pixels in 0..255, whose mean in a plain file is `plain_error`."""
    return max(weight, min(METRIC_SHARE * plain_error, MOST_WEIGHT))


def metric_for(tune: str) -> Metric | None:
    """The metric that `tune` names: none for mse, stock LPIPS for perceptual and stock, else a version.

    Raises CodecError for a folder that holds none, a name that no site here has, or whose trunks are missing here.
    """
    if tune == "mse":
        return None
    from metric.core.distance.checkpoint import CheckpointError, load
    from metric.core.distance.weights import TrunkUnavailable

    try:
        if tune in (PERCEPTUAL, STOCK):
            return stock_metric()
        if is_name(tune):
            return load(metric_folder(tune))
        if not Path(tune).is_dir():
            raise CodecError(
                f"There is no metric version in {tune!r}. Use mse, perceptual, or the folder of a version."
            )
        return load(tune)
    except (CheckpointError, TrunkUnavailable) as error:
        raise CodecError(f"The metric cannot be used: {error}") from error


def stock_metric() -> Metric:
    """The mean of stock LPIPS through each of TUNED_TRUNKS."""
    parts = Parts.of(TUNED_TRUNKS, (), False, lambda line: None, torch.device("cpu"))
    return parts.build((parts.stock() / len(TUNED_TRUNKS)).astype(np.float32))


def _turned(rng: np.random.Generator, count: int) -> np.ndarray:
    """count x 2 x 3 maps: each axis flipped or not, both swapped or not."""
    maps = np.zeros((count, 2, 3))
    maps[:, 0, 0], maps[:, 1, 1] = rng.choice([-1.0, 1.0], size=(2, count))
    swapped = rng.random(count) < 0.5
    maps[swapped] = maps[swapped][:, :, [1, 0, 2]]
    return maps
