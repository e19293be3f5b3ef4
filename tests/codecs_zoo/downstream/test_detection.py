"""From a detector's output to boxes: where they lie, how sure they are, and which of two is kept."""

import numpy as np
import pytest
from scipy.special import logit

from codecs_zoo.downstream.detection import MOST, Boxes, decoded, iou, suppressed


def output_with(row: int, column: int, *, objectness: float, probability: float) -> np.ndarray:
    """3 classes on 4 x 8 cells; in one cell an object of class 2, shifted by half a cell right and down."""
    output = np.zeros((8, 4, 8))
    output[:5, row, column] = objectness, np.arctanh(0.5), np.arctanh(0.5), logit(0.25), logit(0.5)
    output[7, row, column] = probability
    return output


def test_a_cell_says_where_its_object_is() -> None:
    boxes = decoded(output_with(1, 2, objectness=0.9, probability=0.8))
    assert len(boxes) == 1 and boxes.classes[0] == 2
    centre = np.array([2.5 / 8, 1.5 / 4])
    assert boxes.corners[0] == pytest.approx([*(centre - [0.125, 0.25]), *(centre + [0.125, 0.25])])
    assert boxes.scores[0] == pytest.approx(0.9**0.6 * 0.8**0.4)


def test_what_is_hardly_likely_is_nothing() -> None:
    assert len(decoded(output_with(0, 0, objectness=1e-4, probability=0.1))) == 0


def test_of_two_boxes_of_one_object_the_surer_stays() -> None:
    corners = np.array([[0, 0, 0.5, 0.5], [0.02, 0, 0.52, 0.5], [0.02, 0, 0.52, 0.5], [0.5, 0.5, 1, 1]])
    kept = suppressed(Boxes(corners, np.array([0, 0, 1, 0]), np.array([0.6, 0.9, 0.5, 0.3])))
    assert kept.scores.tolist() == [0.9, 0.5, 0.3]


def test_no_more_than_a_hundred_a_picture() -> None:
    place = np.arange(150)[:, None] / 200
    corners = np.concatenate([place, place * 0, place + 0.002, place * 0 + 0.002], 1)
    assert len(suppressed(Boxes(corners, np.zeros(150, int), np.linspace(0.1, 1, 150)))) == MOST


def test_overlap_is_intersection_over_union() -> None:
    one = np.array([[0, 0, 0.4, 0.4]])
    other = np.array([[0.2, 0, 0.6, 0.4], [0.5, 0.5, 0.6, 0.6], [0, 0, 0.4, 0.4]])
    assert iou(one, other)[0] == pytest.approx([1 / 3, 0, 1])
