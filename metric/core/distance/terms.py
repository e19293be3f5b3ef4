"""Measures without a network as terms of a fitted distance: differentiable, zero for equal images, at any size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from metric.core.distance import ssim2
from metric.core.errors import InputError

# Squared error, in 8-bit steps, at which a decibel scale starts. It is what rounding alone may cost in the
# worst case; without it equal images would be infinitely far below all others.
ERROR_FLOOR = 1.0
# The same for 1 − MS-SSIM.
SIMILARITY_FLOOR = 1e-3
WINDOW, SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03
# Wang, Simoncelli and Bovik, "Multi-scale structural similarity", 2003.
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def psnr_term(a: Tensor, b: Tensor) -> Tensor:
    """10·log10(1 + MSE) with the MSE in squared 8-bit steps: (N,) for N×3×H×W in [-1, 1].

    For visible errors it is 48.13 dB minus the PSNR, so that differences are differences of PSNR.
    """
    error = (a - b).square().mean(dim=(1, 2, 3)) * 127.5**2
    return 10 * torch.log10(1 + error / ERROR_FLOOR)


def ms_ssim_term(a: Tensor, b: Tensor) -> Tensor:
    """10·log10(1 + (1 − MS-SSIM)/0.001): (N,) for N×3×H×W in [-1, 1]; the usual decibels where it is not small."""
    return 10 * torch.log10(1 + (1 - ms_ssim(a, b)).clamp(min=0) / SIMILARITY_FLOOR)


def ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    """Mean MS-SSIM over RGB, (N,), for N×3×H×W in [-1, 1]; Wang et al. 2003 with an 11-pixel Gaussian window.

    Five scales need 161 pixels a side. Smaller images use as many scales as their window fits (three at 64
    pixels), with the weights of these raised to the same sum. A product of means below zero counts as zero.
    """
    a, b = (a + 1) / 2, (b + 1) / 2
    count = scales_for(min(a.shape[2:]))
    weights = [weight / sum(SCALE_WEIGHTS[:count]) for weight in SCALE_WEIGHTS[:count]]
    window = _window(a)
    product: Tensor | None = None
    for scale, weight in enumerate(weights):
        if scale:
            odd = [side % 2 for side in a.shape[2:]]
            a, b = (functional.avg_pool2d(x, 2, padding=odd) for x in (a, b))
        similarity, contrast = _similarity(a, b, window)
        # A power below one has no finite slope at zero.
        part = (similarity if scale == count - 1 else contrast).clamp(min=1e-6) ** weight
        product = part if product is None else product * part
    assert product is not None
    return product.mean(dim=1)


def scales_for(side: int) -> int:
    """How many of the five scales an image with this shorter side has room for; ValueError for less than one."""
    if side < WINDOW:
        raise InputError(f"MS-SSIM needs at least {WINDOW} pixels a side, found {side}.")
    return next(n for n in range(5, 0, -1) if n == 1 or side > (WINDOW - 1) * 2 ** (n - 1))


def _similarity(a: Tensor, b: Tensor, window: Tensor) -> tuple[Tensor, Tensor]:
    """Mean SSIM and mean contrast-structure part, each (N, 3)."""
    blur = _Blur(window)
    mean_a, mean_b = blur(a), blur(b)
    variance_a, variance_b = blur(a * a) - mean_a.square(), blur(b * b) - mean_b.square()
    covariance = blur(a * b) - mean_a * mean_b
    contrast = (2 * covariance + K2**2) / (variance_a + variance_b + K2**2)
    light = (2 * mean_a * mean_b + K1**2) / (mean_a.square() + mean_b.square() + K1**2)
    return (light * contrast).mean(dim=(2, 3)), contrast.mean(dim=(2, 3))


def _window(like: Tensor) -> Tensor:
    places = torch.arange(WINDOW, dtype=like.dtype, device=like.device) - WINDOW // 2
    weights = torch.exp(-(places**2) / (2 * SIGMA**2))
    return weights / weights.sum()


class _Blur:
    """A Gaussian window over each channel, without padding."""

    def __init__(self, window: Tensor) -> None:
        self.down = window.view(1, 1, -1, 1).repeat(3, 1, 1, 1)
        self.across = window.view(1, 1, 1, -1).repeat(3, 1, 1, 1)

    def __call__(self, x: Tensor) -> Tensor:
        return functional.conv2d(functional.conv2d(x, self.down, groups=3), self.across, groups=3)


@dataclass(frozen=True)
class Term:
    """A measure that gives `columns` numbers of a pair, each zero for equal images and never below zero.

    `seen` keeps what is needed of N×3×H×W in [-1, 1]; `between` compares what was seen of originals and of
    reconstructions, of which one may hold a single image: (N, columns).
    """

    columns: int
    minimum_side: int
    seen: Callable[[Tensor], Any]
    between: Callable[[Any, Any], Tensor]


def _itself(images: Tensor) -> Tensor:
    return images


def _single(measure: Callable[[Tensor, Tensor], Tensor], minimum_side: int) -> Term:
    """A term of one column, from a measure (N,) of two batches of images."""
    return Term(1, minimum_side, _itself, lambda a, b: measure(a, b)[:, None])


TERMS: Mapping[str, Term] = {
    "psnr": _single(psnr_term, 1),
    "ms-ssim": _single(ms_ssim_term, WINDOW),
    "ssim2": Term(ssim2.COLUMNS, ssim2.MINIMUM_SIDE, ssim2.seen, ssim2.between),
}
