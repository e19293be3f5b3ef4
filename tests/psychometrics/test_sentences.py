"""Sentences that a reviewer would accept: which difference, its interval, how many; and what can't be said."""

from dataclasses import replace

import numpy as np
import pytest

from psychometrics.comparisons import Comparisons
from psychometrics.curves import EqualQuality
from psychometrics.differences import Difference
from psychometrics.estimates import Estimate
from psychometrics.ranking import rank
from psychometrics.scaling import TIES, Ties
from psychometrics.sentences import (
    best_in_words,
    difference_in_words,
    equal_quality_in_words,
    ranking_in_words,
    votes_left_in_words,
)
from psychometrics.votes_left import VotesLeft
from tests.psychometrics.studies import NAMES, answers, study


def test_a_clear_winner_is_named_with_its_difference_interval_and_basis() -> None:
    words = ranking_in_words(rank(study(3_000, strengths=np.array([0.0, 0.2, 0.1, 1.5]))))
    assert words.startswith("jpegxl is the best: jpegxl is ahead of ")
    assert "95 % interval" in words and "p < .001 after Holm" in words
    assert "From 3,000 answers, 20 annotators, 12 photographs." in words


def test_two_equals_are_not_distinguishable_and_neither_is_called_best() -> None:
    words = ranking_in_words(rank(study(1_000, strengths=np.zeros(4))))
    assert "are not distinguishable" in words and "is the best:" not in words
    assert "is the best with a probability of" in words


@pytest.mark.parametrize(("best", "start"), [(1.5, ". Neighbours that"), (0.1, ". Further neighbours that")])
def test_further_neighbours_come_after_two_that_are_not_distinguishable(best: float, start: str) -> None:
    words = ranking_in_words(rank(study(3_000, strengths=np.array([0.0, 0.05, 0.1, best]))))
    assert start in words


@pytest.mark.parametrize(
    ("more", "words"), [(0.004, "needs about as many bits as a,"), (-0.02, "needs 2 % fewer bits than a,")]
)
def test_a_share_of_bits_that_rounds_to_nothing_is_not_called_more(more: float, words: str) -> None:
    equal = EqualQuality("a", "b", Estimate(more, -0.1, 0.2, 500), -1.0, 0.0)
    assert words in equal_quality_in_words(equal)


def test_nothing_is_called_best_on_one_vote() -> None:
    words = ranking_in_words(rank(answers([(0, 1, 0)], NAMES[:2])))
    assert "best" not in words and "The order of the" in words and "There are too few answers" in words


def test_who_never_lost_is_ahead_by_no_number() -> None:
    wins = [(0, 1, 0), (0, 2, 0), (1, 2, 0), (2, 1, 0), (1, 2, 0)] * 20
    people = np.arange(100) % 10
    rows = Comparisons.of_choices(NAMES[:3], *np.array(wins).T, people, np.arange(100) // 10)
    words = ranking_in_words(rank(rows))
    lead = words.split(". ")[0]
    assert (
        lead.startswith("jpeg is the best: jpeg is ahead of ") and "JND" not in lead and "after Holm" in lead
    )
    assert "the size of the difference cannot be estimated" in words


def test_an_interval_that_leaves_out_zero_is_explained_where_the_test_of_all_pairs_does_not_reject() -> None:
    one = Difference("a", "b", 0.72, 0.08, 1.36, 0.03, 0.12)
    assert difference_in_words(one) == (
        "a and b are not distinguishable (0.72 JND, 95 % interval 0.08 to 1.36, p = .120 after Holm)"
    )
    assert "Holm" not in difference_in_words(replace(one, low=-0.1))


def test_no_chance_to_be_best_on_one_vote() -> None:
    few, many = rank(answers([(0, 1, 0)], NAMES[:2])), rank(answers([(0, 1, 0), (0, 1, 1)] * 5, NAMES[:2]))
    assert best_in_words(few, 0) == "–" and best_in_words(many, 0).endswith(" %")


def test_the_better_name_comes_first_with_a_true_minus() -> None:
    one = rank(study(300, strengths=np.array([0.0, 0.05, 0.0, 0.0]))).differences[0]
    words = difference_in_words(one)
    assert "−" in words and "-" not in words


@pytest.mark.parametrize("ties", TIES)
def test_where_all_answers_are_ties_nothing_is_the_best(ties: Ties) -> None:
    rows = answers([(0, 1, 2), (1, 2, 2), (0, 2, 2)] * 20, NAMES[:3])
    words = ranking_in_words(rank(rows, ties=ties))
    assert "Every answer was a tie" in words
    assert words.startswith("None of the 3 conditions is distinguishable from another. From 60 answers")
    assert "best" not in words and "neighbours" not in words


@pytest.mark.parametrize(
    ("low", "high", "reach"),
    [
        (1_207, None, " (at least 1,200; perhaps no number is enough, but more photographs)."),
        (1_207, 48_986, " (1,200 to 49,000)."),
        (2_436, 2_436, "."),
    ],
)
def test_a_forecast_is_rounded_and_says_how_far_it_reaches(low: int, high: int | None, reach: str) -> None:
    left = VotesLeft(halfwidth=0.3, now=0.47, left=2_436, low=low, high=high, floor=0.1)
    assert votes_left_in_words(left, rank(study(400))) == (
        "The widest difference is known to ± 0.47 JND. About 2,400 more answers about these photographs would bring "
        f"all differences within ± 0.3 JND{reach}"
    )


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (answers([(0, 1, 0)], NAMES[:2]), "there are too few answers"),
        (answers([(0, 1, 2), (1, 2, 2)] * 20, NAMES[:3]), "every answer was a tie"),
        (
            answers([(0, 1, 0)] * 30 + [(1, 2, 0), (2, 1, 0)] * 20, NAMES[:3]),
            "jpeg never lost to other conditions",
        ),
    ],
)
def test_where_a_difference_has_no_size_no_number_of_answers_is_named(rows: Comparisons, why: str) -> None:
    left = VotesLeft(halfwidth=0.3, now=5.6, left=138_918, low=138_918, high=138_918, floor=0.1)
    assert (
        votes_left_in_words(left, rank(rows))
        == f"How many more answers are needed cannot be estimated: {why}."
    )


def test_an_end_that_rounds_to_zero_has_no_sign() -> None:
    assert "95 % interval 0.00 to 0.30" in difference_in_words(
        Difference("a", "b", 0.15, -0.001, 0.3, 0.06, 0.2)
    )
