"""Average precision is what pycocotools computes, and weights are pictures counted several times."""

import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from codecs_zoo.downstream.detection import Boxes
from codecs_zoo.downstream.precision import OVERLAPS, average_precision, match

SIDE = 100


def random_boxes(rng: np.random.Generator, count: int) -> Boxes:
    low = rng.uniform(0, 0.6, (count, 2))
    corners = np.concatenate([low, low + rng.uniform(0.1, 0.4, (count, 2))], 1)
    return Boxes(corners, rng.integers(0, 3, count), np.ones(count))


def shaken(rng: np.random.Generator, true: Boxes) -> Boxes:
    """Detections near most of the true boxes, some with another class, and some of nothing."""
    near = true.corners + rng.normal(0, 0.03, true.corners.shape)
    others = random_boxes(rng, 6)
    corners = np.concatenate([near, others.corners])
    classes = np.concatenate([np.where(rng.uniform(size=len(true)) < 0.2, 1, true.classes), others.classes])
    return Boxes(corners, classes, rng.uniform(0.05, 1, len(corners)))


def by_pycocotools(detections: list[Boxes], annotations: list[Boxes]) -> np.ndarray:
    def sized(corners: np.ndarray) -> list[float]:
        left, top, right, bottom = corners * SIDE
        return [left, top, right - left, bottom - top]

    truth = [
        {"id": 0, "image_id": n, "category_id": int(name), "bbox": sized(box), "iscrowd": 0}
        for n, boxes in enumerate(annotations)
        for box, name in zip(boxes.corners, boxes.classes, strict=True)
    ]
    for number, row in enumerate(truth, 1):
        row |= {"id": number, "area": row["bbox"][2] * row["bbox"][3]}
    seen = [
        {"image_id": n, "category_id": int(name), "bbox": sized(box), "score": float(score)}
        for n, boxes in enumerate(detections)
        for box, name, score in zip(boxes.corners, boxes.classes, boxes.scores, strict=True)
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": n, "width": SIDE, "height": SIDE} for n in range(len(annotations))],
            "annotations": truth,
            "categories": [{"id": name} for name in range(3)],
        }
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(seen), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, 2]
    return np.array([each[each > -1].mean() for each in precision])


@pytest.mark.parametrize("seed", range(4))
def test_it_is_that_of_pycocotools(seed: int) -> None:
    rng = np.random.default_rng(seed)
    annotations = [random_boxes(rng, int(rng.integers(0, 8))) for _ in range(12)]
    detections = [shaken(rng, each) for each in annotations]
    ours = average_precision(match(detections, annotations), np.ones((1, 12)))[0]
    assert ours == pytest.approx(by_pycocotools(detections, annotations), abs=1e-9)
    assert 0.05 < ours.mean() < ours[0] < 0.95


def test_a_picture_that_counts_twice_is_a_picture_that_is_there_twice() -> None:
    rng = np.random.default_rng(9)
    annotations = [random_boxes(rng, 5) for _ in range(4)]
    detections = [shaken(rng, each) for each in annotations]
    weights = np.array([[1.0, 2, 0, 1], [1, 1, 1, 1]])
    weighted = average_precision(match(detections, annotations), weights)
    for row, counts in zip(weighted, weights, strict=True):
        places = np.repeat(np.arange(4), counts.astype(int))
        again = match([detections[n] for n in places], [annotations[n] for n in places])
        assert row == pytest.approx(average_precision(again, np.ones((1, len(places))))[0], abs=1e-9)


def test_without_an_annotated_object_it_is_unknown() -> None:
    nothing = average_precision(match([Boxes.none()], [Boxes.none()]), np.ones((1, 1)))
    assert nothing.shape == (1, len(OVERLAPS)) and np.isnan(nothing).all()


def test_what_nobody_detects_is_a_precision_of_zero() -> None:
    rng = np.random.default_rng(1)
    assert average_precision(match([Boxes.none()], [random_boxes(rng, 3)]), np.ones((1, 1))).max() == 0
