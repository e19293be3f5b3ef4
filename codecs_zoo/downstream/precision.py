"""Average precision as COCO computes it, for many weightings of the pictures at once.

Lin et al., "Microsoft COCO: Common Objects in Context" (ECCV 2014), and the evaluation of the package pycocotools,
with which a test holds it equal: detections are matched to annotations greedily by score at ten overlaps from .50 to
.95, precision is made monotone and read at 101 recalls, and classes count alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codecs_zoo.downstream.detection import Boxes, iou

Floats = npt.NDArray[np.float64]

OVERLAPS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
BLOCK = 50
"""Weightings at a time: what fits into the memory of a small machine."""


@dataclass(frozen=True)
class Matches:
    """Detections of one class over P pictures, the surest first: `picture` (D,), `right` (D, 10) at each overlap;
    `annotated` (P,): how many objects of the class each picture has."""

    picture: npt.NDArray[np.int64]
    right: npt.NDArray[np.bool_]
    annotated: Floats


def match(detections: Sequence[Boxes], annotations: Sequence[Boxes]) -> list[Matches]:
    """One Matches for each class that is annotated on any picture; both sequences are by picture."""
    names = sorted({int(name) for boxes in annotations for name in boxes.classes})
    return [_of_class(name, detections, annotations) for name in names]


def _of_class(name: int, detections: Sequence[Boxes], annotations: Sequence[Boxes]) -> Matches:
    pictures, scores, right = [], [], []
    annotated = np.zeros(len(annotations))
    for picture, (seen, true) in enumerate(zip(detections, annotations, strict=True)):
        own, truth = seen.take(seen.classes == name), true.take(true.classes == name)
        own = own.take(np.argsort(-own.scores, kind="stable"))
        annotated[picture] = len(truth)
        pictures.append(np.full(len(own), picture))
        scores.append(own.scores)
        right.append(_matched(iou(own.corners, truth.corners)))
    order = np.argsort(-np.concatenate(scores), kind="stable")
    return Matches(np.concatenate(pictures)[order].astype(np.int64), np.concatenate(right)[order], annotated)


def _matched(overlaps: Floats) -> npt.NDArray[np.bool_]:
    """(D, 10): whether each detection, in its order, takes an annotation that none before it has taken."""
    right = np.zeros((len(overlaps), len(OVERLAPS)), bool)
    for column, least in enumerate(OVERLAPS):
        free = np.ones(overlaps.shape[1], bool)
        for row, own in enumerate(overlaps):
            candidates = np.where(free, own, -1.0)
            # Of equal overlaps the last wins, as in COCO's evaluation.
            best = len(own) - 1 - int(candidates[::-1].argmax()) if len(own) else -1
            if best >= 0 and candidates[best] >= min(least, 1 - 1e-10):
                right[row, column], free[best] = True, False
    return right


def average_precision(matches: Sequence[Matches], weights: Floats) -> Floats:
    """(B, 10): the average precision at each overlap, mean over classes, for B weightings (B, P) of the pictures.

    In weighting b picture p counts `weights[b, p]` times. NaN where no annotated picture has a weight.
    """
    blocks = [weights[start : start + BLOCK] for start in range(0, len(weights), BLOCK)]
    return np.concatenate([_in_block(matches, block) for block in blocks])


def _in_block(matches: Sequence[Matches], weights: Floats) -> Floats:
    total, classes = np.zeros((len(weights), len(OVERLAPS))), np.zeros((len(weights), 1))
    for each in matches:
        objects = (weights @ each.annotated)[:, None]
        present = objects > 0
        classes += present
        total += np.where(present, _one_class(each, weights, np.where(present, objects, 1)), 0)
    return np.divide(total, classes, out=np.full_like(total, np.nan), where=classes > 0)


def _one_class(matches: Matches, weights: Floats, objects: Floats) -> Floats:
    if not len(matches.picture):
        return np.zeros((len(weights), len(OVERLAPS)))
    counts = weights[:, matches.picture, None]
    true = np.cumsum(counts * matches.right, 1)
    seen = np.cumsum(counts, 1)
    precision = np.divide(true, seen, out=np.zeros_like(true), where=seen > 0)
    precision = np.maximum.accumulate(precision[:, ::-1], 1)[:, ::-1]
    # How many of the 101 recalls each detection is the first to reach.
    reached = np.searchsorted(RECALLS, true / objects[:, :, None], side="right")
    steps = np.diff(reached, axis=1, prepend=0)
    return np.asarray((precision * steps).sum(1) / len(RECALLS))
