"""The term `ssim2`: 72 columns of structural difference in an opponent colour space, without a network.

Our own measure, after the idea of SSIMULACRA2 (Sneyers, "SSIMULACRA 2", Cloudinary, 2022): compare images in
XYB, the colour space of JPEG XL (Alakuijala et al., "JPEG XL next-generation image compression architecture and
coding tools", SPIE 11137, 2019), at four scales, by three maps:

- SSIM: 1 − (1 − (μa − μb)²)·(2·cov(a, b) + C)/(var a + var b + C), Gaussian windows of σ = 1.5 (Wang, Bovik, Sheikh
  and Simoncelli, 2004), without the division of the means, which are already perceptual;
- ringing: max(0, r) with r = (1 + |b − μb|)/(1 + |a − μa|) − 1, a being the original: detail that was added;
- blur: max(0, −r): detail that was lost.

Each map gives two numbers, its mean and its 4-norm, which weighs the worst places. Three channels, four scales, three
maps and two norms are 72 numbers, each zero for equal images and above zero for others. The weights are fitted to
people's votes, as those of all columns are. The values are not those of SSIMULACRA2, whose weights, edge maps and
downscaling differ in detail.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

SCALES = 4
COLUMNS = 3 * SCALES * 3 * 2
# So that the coarsest scale has two pixels a side.
MINIMUM_SIDE = 16
WINDOW, SIGMA = 11, 1.5
CONTRAST = 0.0009
# Linear RGB to the responses of three kinds of cones, and the light that these see in the dark (JPEG XL).
OPSIN = (
    (0.3, 0.622, 0.078),
    (0.23, 0.692, 0.078),
    (0.24342268924547819, 0.20476744424496821, 0.5518098665095536),
)
OPSIN_BIAS = 0.0037930732552754493
# Of each channel, so that all three have a spread of one order. An offset would change nothing: every map is of
# differences from a mean.
GAIN = (14.0, 1.0, 1.0)
# Keeps the 4-norm's slope finite where a map is zero everywhere. Less than a rounded 8-bit step matters.
NORM_FLOOR = 1e-12


class Scale(NamedTuple):
    """An image at one scale: `xyb`, its local `mean` and local mean of squares `square`, each N×3×h×w."""

    xyb: Tensor
    mean: Tensor
    square: Tensor


def seen(images: Tensor) -> list[Scale]:
    """What is kept of N×3×H×W in [-1, 1], from the finest scale to the coarsest."""
    light = linear(images)
    scales = []
    for number in range(SCALES):
        if number:
            light = functional.avg_pool2d(light, 2)
        x = xyb(light)
        scales.append(Scale(x, blurred(x), blurred(x * x)))
    return scales


def between(a: list[Scale], b: list[Scale]) -> Tensor:
    """The columns of N pairs, (N, 72), `a` being the originals; by scale, map, norm, channel."""
    return torch.cat([_scale(x, y) for x, y in zip(a, b, strict=True)], dim=1)


def linear(images: Tensor) -> Tensor:
    """sRGB in [-1, 1] to linear light in [0, 1] (IEC 61966-2-1)."""
    encoded = (images + 1) / 2
    curved = ((encoded.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    return torch.where(encoded <= 0.04045, encoded / 12.92, curved)


def xyb(light: Tensor) -> Tensor:
    """Linear RGB to X (red against green), Y (brightness) and B − Y, N×3×H×W, each with its gain."""
    matrix = light.new_tensor(OPSIN).view(3, 3, 1, 1)
    cones = (functional.conv2d(light, matrix).clamp(min=0) + OPSIN_BIAS) ** (1 / 3) - OPSIN_BIAS ** (1 / 3)
    long, middle, short = cones.unbind(dim=1)
    brightness = (long + middle) / 2
    opponent = torch.stack([(long - middle) / 2, brightness, short - brightness], dim=1)
    return opponent * light.new_tensor(GAIN).view(1, 3, 1, 1)


def blurred(x: Tensor) -> Tensor:
    """The Gaussian mean around each pixel; at the edges, of what lies inside."""
    for axis in (2, 3):
        weights, inside = _window(x, axis)
        x = (
            functional.conv2d(x, weights, padding=[(n - 1) // 2 for n in weights.shape[2:]], groups=3)
            / inside
        )
    return x


def _window(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """The window along one axis, (3, 1, n, 1) or (3, 1, 1, n), and its sum inside the image at each place."""
    places = torch.arange(WINDOW, dtype=x.dtype, device=x.device) - WINDOW // 2
    weights = torch.exp(-(places**2) / (2 * SIGMA**2))
    weights = weights / weights.sum()
    inside = functional.conv1d(x.new_ones(1, 1, x.shape[axis]), weights.view(1, 1, -1), padding=WINDOW // 2)
    shape = (-1, 1) if axis == 2 else (1, -1)
    return weights.view(1, 1, *shape).expand(3, -1, -1, -1), inside.view(1, 1, *shape)


def _scale(a: Scale, b: Scale) -> Tensor:
    """(N, 18): mean and 4-norm of the three maps at one scale."""
    # In this order twice the variance of equal images is their covariance twice, to the last bit.
    variances = (a.square - a.mean * a.mean) + (b.square - b.mean * b.mean)
    covariance = blurred(a.xyb * b.xyb) - a.mean * b.mean
    structure = (2 * covariance + CONTRAST) / (variances + CONTRAST)
    similarity = torch.relu(1 - (1 - (a.mean - b.mean).square()) * structure)
    ratio = (1 + (b.xyb - b.mean).abs()) / (1 + (a.xyb - a.mean).abs()) - 1
    maps = (similarity, torch.relu(ratio), torch.relu(-ratio))
    return torch.cat([norm for each in maps for norm in (each.mean(dim=(2, 3)), _fourth(each))], dim=1)


def _fourth(x: Tensor) -> Tensor:
    """(mean x⁴)^¼ of each channel, (N, C), zero for zero."""
    root: Tensor = (x.square().square().mean(dim=(2, 3)) + NORM_FLOOR) ** 0.25
    fourth: Tensor = root - NORM_FLOOR**0.25
    return fourth
