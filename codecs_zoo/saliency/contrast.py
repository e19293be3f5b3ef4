"""Salient by colour alone: what differs from its surroundings, and from the photograph as a whole.

Two measures in CIE Lab, averaged, under a weak prior for the centre. Centre-surround: the distance between a narrow and
a wide Gaussian mean (the idea of Itti, Koch and Niebur, PAMI 1998, in the form of Achanta et al., "Frequency-tuned
Salient Region Detection", CVPR 2009, at several scales). Global: the Mahalanobis distance of a colour from all colours
of the photograph. People look at the middle of photographs more than at their edges (Tatler, Journal of Vision 2007).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms
from scipy.ndimage import gaussian_filter

from imaging.pixels import Pixels

Floats = npt.NDArray[np.float64]

LONGEST = 256
"""The map is computed on a copy of this many pixels on the long side."""
CENTRES = (1 / 64, 1 / 32)
"""Deviations of the narrow means, as shares of the long side."""
SURROUND = 6.0
"""How many times wider the surroundings are."""
CENTRE_PRIOR = 0.5
"""What a place on the edge keeps of its saliency, roughly; the middle keeps all."""


def contrast(pixels: Pixels) -> Floats:
    """The map of uint8 HxWx3 pixels: HxW in 0..1."""
    height, width = pixels.shape[:2]
    share = min(1.0, LONGEST / max(height, width))
    size = max(1, round(width * share)), max(1, round(height * share))
    lab = _lab(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))
    salient = stretched(_centre_surround(lab)) + stretched(_global(lab))
    salient = stretched(salient * _centre_prior(*salient.shape))
    large = Image.fromarray(salient.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(large, np.float64).clip(0, 1)


def stretched(values: Floats) -> Floats:
    """From the 2nd to the 98th percentile as 0 to 1; zeros where nothing differs."""
    low, high = np.percentile(values, [2, 98])
    if high - low < 1e-9:
        return np.zeros_like(values)
    return np.asarray(((values - low) / (high - low)).clip(0, 1))


@lru_cache(maxsize=1)
def _transform() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )


def _lab(picture: Image.Image) -> Floats:
    """L in 0..100, a and b around 0."""
    converted = ImageCms.applyTransform(picture, _transform())
    assert converted is not None
    lab = np.asarray(converted).astype(np.float64)
    signed = np.where(lab[..., 1:] > 127, lab[..., 1:] - 256, lab[..., 1:])
    return np.concatenate([lab[..., :1] * 100 / 255, signed], -1)


def _centre_surround(lab: Floats) -> Floats:
    longest = max(lab.shape[:2])
    total = np.zeros(lab.shape[:2])
    for share in CENTRES:
        near = gaussian_filter(lab, (share * longest, share * longest, 0))
        wide = gaussian_filter(lab, (share * longest * SURROUND,) * 2 + (0,))
        total += np.linalg.norm(near - wide, axis=-1)
    return total


def _global(lab: Floats) -> Floats:
    smooth = gaussian_filter(lab, (1, 1, 0)).reshape(-1, 3)
    away = smooth - smooth.mean(0)
    # A grey photograph has no spread of colour: one unit of each is always allowed for.
    covariance = away.T @ away / len(away) + np.eye(3)
    squared = np.einsum("ij,jk,ik->i", away, np.linalg.inv(covariance), away)
    return np.asarray(np.sqrt(squared).reshape(lab.shape[:2]))


def _centre_prior(height: int, width: int) -> Floats:
    rows = (np.arange(height) + 0.5) / height * 2 - 1
    columns = (np.arange(width) + 0.5) / width * 2 - 1
    return np.asarray(CENTRE_PRIOR ** (rows[:, None] ** 2 + columns[None, :] ** 2))
