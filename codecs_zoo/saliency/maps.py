"""The kinds of saliency maps by name, and what an encoder makes of one: weights with a mean of 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from codecs_zoo import onnx_models
from codecs_zoo.contract import Availability
from codecs_zoo.downstream.detection import SURE, Boxes, detect
from codecs_zoo.onnx_models import ModelUnavailable
from codecs_zoo.saliency.contrast import contrast
from codecs_zoo.saliency.faces import faces
from codecs_zoo.saliency.text import text
from imaging.pixels import Pixels

Floats = npt.NDArray[np.float64]

MODELS: Mapping[str, tuple[str, ...]] = {
    "contrast": (),
    "faces": ("centerface",),
    "text": ("ppocr-text",),
    "objects": ("fastestdet",),
    "combined": ("centerface", "ppocr-text", "fastestdet"),
}
KINDS = tuple(MODELS)
SHARES = {"contrast": 0.8, "faces": 1.0, "text": 0.9, "objects": 0.6}
"""What each part is worth in `combined`, which is their maximum: faces first, then text, then colour, then objects."""
LOWEST_WEIGHT, SLOPE = 0.4, 3.0
"""The weight of an error is .4 + 3 x saliency, divided by its mean over the photograph."""
SOFTNESS = 0.15
"""Deviation of a region's edge, as a share of the region's shorter side."""


def availability(kind: str) -> Availability:
    """Whether every model that `kind` needs can run here; if not, which is missing and how to get it."""
    for model in MODELS[kind]:
        state = onnx_models.availability(model)
        if not state.available:
            return state
    return Availability(True)


def saliency_map(pixels: Pixels, kind: str = "combined") -> Floats:
    """The map of uint8 HxWx3 pixels: HxW in 0..1. Raises ModelUnavailable, also for a kind that nobody knows."""
    require_map(kind)
    if kind != "combined":
        return _parts()[kind](pixels)
    return np.asarray(np.max([share * _parts()[name](pixels) for name, share in SHARES.items()], axis=0))


def require_map(kind: str) -> None:
    """Raises ModelUnavailable for a map that cannot be made here, and for a kind that nobody knows."""
    if kind not in MODELS:
        raise ModelUnavailable(f"There is no saliency map named {kind!r}; use {', '.join(KINDS)}.")
    state = availability(kind)
    if not state.available:
        raise ModelUnavailable(
            f"The saliency map {kind!r} is unavailable: {state.reason} {state.how}".strip()
            + " The kind 'contrast' needs no model."
        )


def saliency_weights(saliency: Floats) -> Floats:
    """What an error counts at each pixel: .4 + 3 x saliency, divided by its mean, so that the mean is 1."""
    raw = LOWEST_WEIGHT + SLOPE * saliency
    return np.asarray(raw / raw.mean())


def regions_map(boxes: Boxes, height: int, width: int) -> Floats:
    """HxW: each box as an ellipse with soft edges, as high as its score; the highest where they overlap."""
    total = np.zeros((height, width))
    for (left, top, right, bottom), score in zip(boxes.corners, boxes.scores, strict=True):
        wide, high = max((right - left) * width, 1.0), max((bottom - top) * height, 1.0)
        rows = ((np.arange(height) + 0.5) - (top + bottom) / 2 * height) / (high / 2)
        columns = ((np.arange(width) + 0.5) - (left + right) / 2 * width) / (wide / 2)
        # A superellipse: rounder than the box, and nearly all of it.
        inside = (rows[:, None] ** 4 + columns[None, :] ** 4 <= 1).astype(np.float64)
        soft = gaussian_filter(inside, SOFTNESS * min(wide, high))
        total = np.maximum(total, score * soft)
    return total.clip(0, 1)


def _parts() -> Mapping[str, Callable[[Pixels], Floats]]:
    return {
        "contrast": contrast,
        "faces": lambda pixels: regions_map(faces(pixels), *pixels.shape[:2]),
        "text": lambda pixels: regions_map(text(pixels), *pixels.shape[:2]),
        "objects": lambda pixels: regions_map(_objects(pixels), *pixels.shape[:2]),
    }


def _objects(pixels: Pixels) -> Boxes:
    boxes = detect(pixels)
    return boxes.take(boxes.scores >= SURE)
