"""Which class each pixel shows, by ESPNetv2 or any ONNX model with logits 1 x 21 x h x w of Pascal VOC's classes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from codecs_zoo.contract import Pixels
from codecs_zoo.onnx_models import ModelUnavailable, open_model

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.uint8]

CLASSES = 21
PERSON = 15
UNKNOWN = 255
"""Pixels that nobody labelled (0 in COCO's masks, 255 in those with stuff): they count for nothing."""
VOC_OF_COCO = {
    1: PERSON, 2: 2, 3: 7, 4: 14, 5: 1, 6: 6, 7: 19, 9: 4, 16: 3, 17: 8, 18: 12, 19: 13, 20: 17, 21: 10,
    44: 5, 62: 9, 63: 18, 64: 16, 67: 11, 72: 20,
}  # fmt: skip
"""COCO's category numbers of the twenty things that Pascal VOC has; all else is background."""
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def segment(pixels: Pixels, model: str = "espnetv2") -> Labels:
    """Class numbers 0..20 of uint8 HxWx3 pixels, HxW. Raises ModelUnavailable."""
    session = open_model(model)
    side = session.get_inputs()[0].shape[2:]
    if len(side) != 2 or not all(isinstance(length, int) for length in side):
        raise ModelUnavailable(
            f"{model} does not take pictures of one fixed size. Use a model that does, or none."
        )
    height, width = side
    resized = Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR)
    blob = ((np.asarray(resized) / 255 - MEAN) / DEVIATION).transpose(2, 0, 1)[None].astype(np.float32)
    logits = session.run(None, {session.get_inputs()[0].name: blob})[0]
    if logits.ndim != 4 or logits.shape[1] != CLASSES:
        raise ModelUnavailable(f"{model} has an output of shape {logits.shape}, not 1 x {CLASSES} x h x w.")
    labels = Image.fromarray(logits[0].argmax(0).astype(np.uint8))
    return np.asarray(labels.resize((pixels.shape[1], pixels.shape[0]), Image.Resampling.NEAREST))


def from_coco(mask: Labels) -> Labels:
    """A mask of COCO's category numbers as Pascal VOC's classes; 0 and 255, which nobody labelled, as UNKNOWN."""
    table = np.zeros(256, np.uint8)
    table[[0, 255]] = UNKNOWN
    for coco, voc in VOC_OF_COCO.items():
        table[coco] = voc
    return table[mask]


def confusion(labels: Labels, truth: Labels) -> Floats:
    """(21, 3): for each class the pixels in the intersection and in the union of both, and those of `truth`.

    UNKNOWN ones are left out.
    """
    known = truth != UNKNOWN
    labels, truth = labels[known], truth[known]
    both = np.bincount(truth[labels == truth], minlength=CLASSES)
    annotated = np.bincount(truth, minlength=CLASSES)
    either = np.bincount(labels, minlength=CLASSES) + annotated - both
    return np.stack([both, either, annotated], 1).astype(np.float64)


def mean_iou(confusions: Floats, weights: Floats) -> tuple[float, float]:
    """Mean IoU over classes that occur, and the IoU of persons, where picture p counts `weights[p]` times.

    `confusions`: (P, 21, 3). NaN for what occurs nowhere; for persons, where none is annotated: a model that sees one
    there is wrong at whatever rate, which says nothing about a codec.
    """
    both, either, annotated = np.tensordot(weights, confusions, 1).T
    with np.errstate(invalid="ignore", divide="ignore"):
        each = both / either
    person = float(each[PERSON]) if annotated[PERSON] else float("nan")
    return (float(np.nanmean(each)) if np.isfinite(each).any() else float("nan")), person


def shows_person(labels: Labels | None) -> bool:
    """Whether a person is among the labels."""
    return labels is not None and bool((labels == PERSON).any())
