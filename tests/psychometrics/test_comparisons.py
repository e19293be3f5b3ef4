"""Counts of who was preferred to whom: the same however the rows came in, and refused where they can't be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psychometrics.comparisons import (
    Comparisons,
    ScaleError,
    aggregated,
    check_connected,
    connected_groups,
    distinct,
    meetings,
    number_labels,
    renumbered,
    tally,
    win_rates,
)
from psychometrics.scaling import fit
from tests.psychometrics.studies import NAMES, answers, study

comparison = st.tuples(st.integers(0, 3), st.integers(1, 3), st.integers(0, 2)).map(
    lambda drawn: (drawn[0], (drawn[0] + drawn[1]) % 4, drawn[2])
)


@settings(deadline=None)
@given(st.lists(comparison, min_size=1, max_size=40))
def test_turning_a_comparison_round_changes_nothing(rows: list[tuple[int, int, int]]) -> None:
    chain = [(0, 1, 0), (1, 2, 1), (2, 3, 2)]
    turned = [(second, first, 2 if outcome == 2 else 1 - outcome) for first, second, outcome in chain + rows]
    one, other = answers(chain + rows), answers(turned)
    assert np.array_equal(tally(one), tally(other))
    assert fit(one).values == pytest.approx(fit(other).values)


def test_aggregating_keeps_every_count_and_who_gave_it() -> None:
    rows = study(5_000, annotators=4, sources=3)
    fewer = aggregated(rows)
    assert len(fewer.first) == 6 * 4 * 3 and fewer.judgments == 5_000
    assert np.array_equal(tally(rows), tally(fewer))
    of_one = rows.annotator == 1
    assert tally(rows.where(of_one)).tolist() == tally(fewer.where(fewer.annotator == 1)).tolist()
    assert (fewer.annotators, fewer.sources) == (4, 3)


def test_win_rates_count_a_tie_as_half_and_leave_the_unknown_open() -> None:
    rows = answers([(0, 1, 0), (1, 0, 0), (1, 0, 2), (1, 0, 0), (2, 3, 0)])
    rates = win_rates(rows)
    assert rates[0, 1] == 1.5 / 4 and rates[1, 0] == 2.5 / 4 and rates[2, 3] == 1.0
    assert np.isnan(rates[0, 2]) and np.isnan(np.diag(rates)).all()
    assert meetings(rows)[0].tolist() == [0, 4, 0, 0]


def test_names_that_never_met_have_no_common_scale() -> None:
    rows = answers([(0, 1, 0), (2, 3, 1)])
    assert connected_groups(rows) == [("jpeg", "webp"), ("avif", "jpegxl")]
    with pytest.raises(ScaleError, match=r"jpeg, webp \| avif, jpegxl. Compare pairs such as jpeg and avif"):
        check_connected(rows)


def test_a_chain_of_comparisons_is_connected() -> None:
    assert connected_groups(answers([(0, 1, 0), (2, 1, 1), (3, 2, 2)])) == [NAMES]


@pytest.mark.parametrize("names", [NAMES, ("alone",), ()])
def test_nothing_to_rank(names: tuple[str, ...]) -> None:
    with pytest.raises(ScaleError, match="at least two names and one comparison"):
        check_connected(answers([], names))


def test_only_what_was_seen_is_kept() -> None:
    seen = answers([(0, 2, 0), (2, 0, 2)]).only_seen()
    assert seen.names == ("jpeg", "avif") and tally(seen).tolist() == [[1.0, 0.0, 1.0]]


def test_conditions_become_methods_by_a_new_name() -> None:
    rows = answers([(0, 1, 0), (0, 2, 1), (2, 3, 0)]).renamed(("a", "b"), np.array([0, 0, 1, 1]))
    assert rows.names == ("a", "b") and tally(rows).tolist() == [[0.0, 1.0, 0.0]]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([0], [0], [0], [0], [0]), "two different names"),
        (([0], [9], [0], [0], [0]), "not in names"),
        (([0], [1], [3], [0], [0]), "0, 1 or 2"),
        (([0], [1], [0], [-1], [0]), "numbered from 0"),
        (([0, 1], [1], [0], [0], [0]), "differ in length"),
    ],
)
def test_comparisons_that_cannot_be_are_refused(columns: tuple[list[int], ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Comparisons.of_choices(NAMES, *(np.array(column) for column in columns))


def test_labels_are_numbered_in_order_of_first_sight() -> None:
    names, column = number_labels(["webp", "jpeg", "webp"])
    assert names == ("webp", "jpeg") and column.tolist() == [0, 1, 0]


@given(st.lists(st.integers(0, 10) | st.integers(10**9, 10**9 + 3), max_size=30))
def test_labels_are_counted_as_they_are_numbered(labels: list[int]) -> None:
    column = np.array(labels, dtype=np.int64)
    assert distinct(column) == renumbered(column)[1] == len(set(labels))
