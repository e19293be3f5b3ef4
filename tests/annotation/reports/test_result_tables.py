"""Tables of results: the original is at 0, which is known, so it has no interval in any of them."""

from types import SimpleNamespace
from typing import cast

import numpy as np

from annotation.core.formats.printed import P_VALUE, Column, Table
from annotation.reports import result_tables
from annotation.reports.results import StudyResults
from psychometrics.comparisons import Comparisons
from psychometrics.conditions import THE_ORIGINAL, ComparedMethod
from psychometrics.ranking import Ranking, rank

NAMES = (THE_ORIGINAL, ComparedMethod("m", 1.0), ComparedMethod("n", 1.0))


def scale() -> Ranking:
    """The original before two methods, from 400 answers about four sources by ten annotators."""
    draw = np.random.default_rng(0)
    pair = draw.integers(0, 3, 400)
    first, second = np.array([0, 0, 1])[pair], np.array([1, 2, 2])[pair]
    wins = draw.random(400) < 0.7
    outcomes = np.stack([wins, ~wins, np.zeros_like(wins)], axis=1).astype(np.int64)
    who, source = draw.integers(0, 10, 400), draw.integers(0, 4, 400)
    return rank(
        Comparisons(NAMES, first, second, outcomes, annotator=who, source=source), reference=THE_ORIGINAL
    )


def test_the_original_has_no_interval_and_the_others_have_one() -> None:
    ranking = scale()
    assert ranking.reference == THE_ORIGINAL
    ends = {row[0]: row[4:6] for row in result_tables.ranking(ranking).rows}
    assert ends.pop(str(THE_ORIGINAL)) == (None, None)
    assert len(ends) == 2 and all(None not in both for both in ends.values())


def test_neither_has_it_one_beside_the_excluded() -> None:
    section = SimpleNamespace(ranking=scale())
    results = cast(StudyResults, SimpleNamespace(results=SimpleNamespace(main=section), unfiltered=section))
    rows = {row[0]: row[1:] for row in result_tables.unfiltered(results).rows}
    assert rows.pop(str(THE_ORIGINAL)) == (0.0, None, None, 0.0, None, None)
    assert len(rows) == 2 and all(None not in row for row in rows.values())


def test_no_p_is_printed_as_zero() -> None:
    table = Table((Column("p", "p", P_VALUE),), ((0.0,), (0.0004,), (0.0234,), (1.0,)))
    assert [row[0] for row in table.printed()] == ["< .001", "< .001", ".023", "1.000"]
    assert table.to_csv().splitlines()[2] == "0.0004"
