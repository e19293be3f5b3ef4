"""Cautions name what cannot be concluded from a ranking, and what to add; a whole study has nothing of the kind."""

from dataclasses import replace

import numpy as np
import pytest

from psychometrics.cautions import cautions
from psychometrics.comparisons import Comparisons
from psychometrics.ranking import rank
from tests.psychometrics.studies import NAMES, answers, study


def by_one_above_all(about: bool = False) -> Comparisons:
    """Ten people about ten photographs, and one of them as many answers as four times all others."""
    rows = study(400, annotators=10, sources=10)
    assert rows.annotator is not None and rows.source is not None
    more = np.arange(400) >= 80
    one = np.where(more, 0, rows.source if about else rows.annotator).astype(np.int64)
    return replace(rows, source=one) if about else replace(rows, annotator=one)


@pytest.mark.parametrize(
    ("rows", "output"),
    [
        (study(400, annotators=1), "Only one annotator answered"),
        (study(400, annotators=4), "Only 4 annotators answered"),
        (study(400, sources=4), "Only 4 photographs were shown"),
        (study(400, sources=1), "Only one photograph was shown"),
        (answers([(0, 1, 0)] * 30 + [(1, 2, 0), (2, 1, 0)] * 20, NAMES[:3]), "jpeg never lost to webp, so"),
        (answers([(0, 2, 0), (1, 2, 0)] * 20, NAMES[:3]), "jpeg, webp never lost to avif, so"),
        (answers([(0, 1, 2), (1, 2, 2)] * 20, NAMES[:3]), "Every answer was a tie"),
        (by_one_above_all(), "One annotator gave 82 % of the answers"),
        (by_one_above_all(about=True), "81 % of the answers are about one photograph"),
    ],
)
def test_what_cannot_be_said_is_said_with_what_to_add(rows: Comparisons, output: str) -> None:
    assert output in " ".join(cautions(rank(rows)))


def test_a_whole_study_has_no_cautions() -> None:
    assert cautions(rank(study(4_000))) == []
    assert cautions(rank(study(4_000, annotators=5, sources=5))) == []


def test_answers_without_names_hold_for_nobody_else() -> None:
    rows = study(400)
    words = " ".join(cautions(rank(Comparisons(rows.names, rows.first, rows.second, rows.counts))))
    assert "Annotators were not recorded" in words and "Photographs were not recorded" in words
