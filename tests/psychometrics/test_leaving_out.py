"""Scales without one annotator each, from one fit of everybody: what a fit of the others' answers gives."""

import numpy as np
import pytest

from psychometrics.annotator_counts import AnnotatorCounts
from psychometrics.comparisons import Comparisons, pair_indices
from psychometrics.scaling import fit_counts, fit_without
from tests.psychometrics.studies import study


def tables(votes: int, annotators: int, *, ties: bool) -> tuple[np.ndarray, int]:
    rows = study(votes, annotators=annotators)
    counts = rows.counts
    if ties:
        tied = (np.arange(votes) % 7 == 0)[:, None]
        counts = np.where(tied, np.array([[0.0, 0.0, 1.0]]), counts)
    rows = Comparisons(rows.names, rows.first, rows.second, counts, rows.annotator, rows.source)
    size = len(rows.names)
    block = np.zeros(votes, dtype=np.int64)
    counts = AnnotatorCounts.of(rows, block, (annotators, 1, pair_indices(size)[0].size))
    return counts.of_some(0, annotators)[:, 0], size


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("votes", "annotators"), [(4_000, 40), (300, 2), (60, 3)])
def test_it_is_the_fit_of_the_others(votes: int, annotators: int, ties: bool) -> None:
    table, size = tables(votes, annotators, ties=ties)
    everybody, rows = table.sum(axis=0), np.arange(annotators)[::-1]
    strengths, tie = fit_without(everybody, table, rows, size, ties)
    expected, expected_tie, _ = fit_counts(everybody - table[rows], size, ties)
    assert strengths == pytest.approx(expected, abs=1e-7)
    assert tie == pytest.approx(expected_tie, abs=1e-7)
    assert np.abs(strengths - fit_counts(everybody[None], size, ties)[0]).max() > 1e-4


def test_nobody_leaves_nothing() -> None:
    table, size = tables(100, 4, ties=False)
    strengths, tie = fit_without(table.sum(axis=0), table, np.array([], dtype=np.int64), size, False)
    assert strengths.shape == (0, size) and tie.shape == (0,)
