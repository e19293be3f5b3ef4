"""How often each codec was preferred, with intervals that know annotators and sources are few."""

import numpy as np
import pytest

from psychometrics.preference import preferences
from psychometrics.ranking import Comparisons


def comparisons(
    rows: list[tuple[int, int, int]], *, annotators: int = 1, sources: int = 1, names: int = 3
) -> Comparisons:
    first, second, outcome = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    number = np.arange(len(rows))
    return Comparisons(tuple("abcd"[:names]), first, second, outcome, number % annotators, number % sources)


def test_shares_count_wins_and_half_of_the_ties() -> None:
    found = preferences(comparisons([(0, 1, 0), (0, 1, 2), (1, 2, 1), (0, 2, 0)]))
    assert [one.share for one in found] == pytest.approx([2.5 / 3, 0.5 / 3, 0.5])
    assert [one.comparisons for one in found] == [3, 3, 2]


def test_the_order_of_a_pair_does_not_matter() -> None:
    one = preferences(comparisons([(0, 1, 0), (0, 1, 0), (0, 1, 1)], annotators=3))
    turned = preferences(comparisons([(1, 0, 1), (1, 0, 1), (1, 0, 0)], annotators=3))
    assert one == turned


def test_a_name_that_met_nobody_has_no_share() -> None:
    *_, last = preferences(comparisons([(0, 1, 0)], names=3))
    assert (last.share, last.low, last.high, last.comparisons) == (None, None, None, 0)


def test_nothing_at_all_is_no_error() -> None:
    assert [one.share for one in preferences(comparisons([], names=2))] == [None, None]


def test_answers_of_one_person_are_less_certain_than_those_of_many() -> None:
    random = np.random.default_rng(1)
    person = np.repeat(np.arange(10), 20)
    # Each person has a taste of their own, and keeps to it.
    outcome = (random.random(10) < 0.5).astype(np.int64)[person]
    both = (np.zeros(200, dtype=np.int64), np.ones(200, dtype=np.int64), outcome)
    alone = preferences(Comparisons(("a", "b"), *both, annotator=person, source=np.arange(200)))[0]
    many = preferences(Comparisons(("a", "b"), *both, annotator=np.arange(200), source=np.arange(200)))[0]
    assert alone.high is not None and alone.low is not None and many.high is not None and many.low is not None
    assert alone.high - alone.low > 1.5 * (many.high - many.low)


def test_a_few_answers_that_agree_prove_little() -> None:
    winner, loser = preferences(comparisons([(0, 1, 0)] * 6, names=2))
    assert winner.share == winner.high == 1.0
    assert winner.low == pytest.approx(0.61, abs=0.01)  # Wilson's interval for 6 of 6
    assert loser.high == pytest.approx(1 - 0.61, abs=0.01)


def test_the_same_seed_gives_the_same_intervals_and_they_hold_the_share() -> None:
    rows = [(n % 3, (n + 1) % 3, n % 2) for n in range(60)]
    found = preferences(comparisons(rows, annotators=6, sources=5))
    assert found == preferences(comparisons(rows, annotators=6, sources=5))
    assert all(one.low <= one.share <= one.high for one in found)  # type: ignore[operator]
