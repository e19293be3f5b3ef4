"""Segmentation's figures: classes of COCO as those of Pascal VOC, and IoU over all pixels that somebody labelled."""

import numpy as np
import pytest

from codecs_zoo.downstream.folder import Annotations
from codecs_zoo.downstream.results import Truth, note_on_persons
from codecs_zoo.downstream.segmentation import PERSON, UNKNOWN, confusion, from_coco, mean_iou


def test_categories_of_coco_are_classes_of_pascal_voc() -> None:
    mask = np.array([[0, 1, 17, 184, 255]], np.uint8)
    assert from_coco(mask).tolist() == [[UNKNOWN, PERSON, 8, 0, UNKNOWN]]


def test_iou_is_over_labelled_pixels() -> None:
    truth = np.array([PERSON, PERSON, 0, 0, UNKNOWN], np.uint8)
    labels = np.array([PERSON, 0, 0, 0, PERSON], np.uint8)
    mean, person = mean_iou(confusion(labels, truth)[None], np.ones(1))
    assert person == pytest.approx(1 / 2)
    assert mean == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_pixels_are_summed_before_the_ratio_is_taken() -> None:
    small = confusion(np.array([PERSON], np.uint8), np.array([PERSON], np.uint8))
    large = confusion(np.zeros(9, np.uint8), np.full(9, PERSON, np.uint8))
    assert mean_iou(np.array([small, large]), np.ones(2))[1] == pytest.approx(0.1)
    assert mean_iou(np.array([small, large]), np.array([1.0, 0.0]))[1] == pytest.approx(1.0)


def test_a_class_that_occurs_nowhere_is_unknown() -> None:
    nothing = confusion(np.zeros(4, np.uint8), np.zeros(4, np.uint8))[None]
    mean, person = mean_iou(nothing, np.ones(1))
    assert mean == 1.0 and np.isnan(person)


def test_iou_of_persons_is_unknown_where_none_is_annotated() -> None:
    imagined = confusion(np.full(4, PERSON, np.uint8), np.array([0, 0, 8, 8], np.uint8))
    seen = confusion(np.full(4, PERSON, np.uint8), np.full(4, PERSON, np.uint8))
    both = np.array([imagined, seen])
    assert np.isnan(mean_iou(both, np.array([1.0, 0.0]))[1])
    assert mean_iou(both, np.ones(2))[1] == pytest.approx(1 / 2)


def test_a_note_says_that_no_person_is_annotated() -> None:
    chair, person, none = (
        Annotations(None, labels) for labels in (np.full((2, 2), 9), np.full((2, 2), PERSON), None)
    )
    notes = note_on_persons(Truth({"a": chair, "b": none}, agreement=False))
    assert notes == ["No person is annotated in masks/, so the IoU of persons is not evaluated."]
    assert "seen in the originals" in note_on_persons(Truth({"a": chair}, agreement=True))[0]
    assert not note_on_persons(Truth({"a": chair, "b": person}, agreement=False))
    assert not note_on_persons(Truth({"b": none}, agreement=False))
