"""Objects in a picture by FastestDet, or by any ONNX model with the same output: boxes, classes, scores.

The output is 1 x (5 + C) x h x w for C classes: for each cell an objectness in 0..1, four numbers of the box and C
class probabilities. The box's centre is the cell's corner plus tanh of the first two, in cells; its width and height
are sigmoids of the other two, as shares of the picture; the score is objectness^0.6 x probability^0.4 (FastestDet's
own description of its head, dog-qiuqiu/FastestDet, README).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.special import expit

from codecs_zoo.contract import Pixels
from codecs_zoo.onnx_models import ModelUnavailable, open_model

Floats = npt.NDArray[np.float64]

LOWEST_SCORE = 0.01
"""Kept for the precision–recall curve, which wants the doubtful ones too."""
SURE = 0.4
"""From this score on a detection on the original stands in for an annotation, where there are none."""
SAME_BOX = 0.45
"""Two boxes of one class with more overlap are one object; the surer stays."""
ROUNDING = 1e-3
MOST = 100
"""Detections a picture, as COCO's evaluation takes them."""


@dataclass(frozen=True)
class Boxes:
    """N objects. `corners`: (N, 4), left, top, right, bottom as shares of the sides; `classes`: (N,), from 0;
    `scores`: (N,) in 0..1, 1 for annotations."""

    corners: Floats
    classes: npt.NDArray[np.int64]
    scores: Floats

    @classmethod
    def none(cls) -> Boxes:
        """No object."""
        return cls(np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros(0))

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, chosen: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Boxes:
        """Those at `chosen`."""
        return Boxes(self.corners[chosen], self.classes[chosen], self.scores[chosen])


def detect(pixels: Pixels, model: str = "fastestdet") -> Boxes:
    """The objects in uint8 HxWx3 pixels, the surest first, at most 100. Raises ModelUnavailable."""
    return suppressed(decoded(_output(pixels, model)))


def class_count(model: str) -> int:
    """How many classes the detector knows, from one look at a black picture. Raises ModelUnavailable."""
    return len(_output(np.zeros((64, 64, 3), np.uint8), model)) - 5


def _output(pixels: Pixels, model: str) -> Floats:
    """(5 + C, h, w), as above. Raises ModelUnavailable for a model with another output."""
    session = open_model(model)
    side = session.get_inputs()[0].shape[2:]
    if len(side) != 2 or not all(isinstance(length, int) for length in side):
        raise ModelUnavailable(
            f"{model} does not take pictures of one fixed size, as FastestDet does. Use a model that does, or none."
        )
    resized = Image.fromarray(pixels).resize((side[1], side[0]), Image.Resampling.BILINEAR)
    # The network was trained on pictures as OpenCV reads them: blue first.
    blob = np.asarray(resized, np.float32)[:, :, ::-1].transpose(2, 0, 1)[None] / 255
    output = session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(blob)})[0]
    if output.ndim != 4 or output.shape[1] < 6:
        raise ModelUnavailable(
            f"{model} has an output of shape {output.shape}, not 1 x (5 + classes) x h x w."
        )
    shares = output[0, [0, *range(5, output.shape[1])]]
    if not (shares.min() >= -ROUNDING and shares.max() <= 1 + ROUNDING):
        raise ModelUnavailable(
            f"{model} is not a detector like FastestDet: its objectness and class probabilities are not all "
            f"between 0 and 1."
        )
    return np.asarray(output[0], np.float64)


def decoded(output: Floats) -> Boxes:
    """One candidate for each cell of an output (5 + C, h, w) with a score of at least 0.01."""
    height, width = output.shape[1:]
    classes = output[5:].argmax(0)
    scores = np.clip(output[0], 0, 1) ** 0.6 * np.clip(output[5:].max(0), 0, 1) ** 0.4
    rows, columns = np.nonzero(scores >= LOWEST_SCORE)
    at = output[:, rows, columns]
    x, y = (columns + np.tanh(at[1])) / width, (rows + np.tanh(at[2])) / height
    wide, high = expit(at[3]) / 2, expit(at[4]) / 2
    corners = np.stack([x - wide, y - high, x + wide, y + high], 1).clip(0, 1)
    return Boxes(corners, classes[rows, columns].astype(np.int64), scores[rows, columns])


def suppressed(boxes: Boxes) -> Boxes:
    """Non-maximum suppression within each class; the surest first, at most 100."""
    boxes = boxes.take(np.argsort(-boxes.scores, kind="stable"))
    overlaps = iou(boxes.corners, boxes.corners)
    same = boxes.classes[:, None] == boxes.classes[None, :]
    alive = np.ones(len(boxes), bool)
    for n in range(len(boxes)):
        if alive[n]:
            alive[n + 1 :] &= ~(same[n, n + 1 :] & (overlaps[n, n + 1 :] > SAME_BOX))
    return boxes.take(np.flatnonzero(alive)[:MOST])


def iou(one: Floats, other: Floats) -> Floats:
    """Intersection over union of every pair of (N, 4) and (M, 4) corners: (N, M)."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    inside = np.clip(high - low, 0, None).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (one, other)]
    union = areas[0][:, None] + areas[1][None, :] - inside
    return np.asarray(np.divide(inside, union, out=np.zeros_like(inside), where=union > 0))
