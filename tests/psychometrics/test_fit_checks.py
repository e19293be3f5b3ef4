"""Does one scale describe the answers, and what has none."""

import numpy as np
import pytest

from psychometrics.comparisons import Comparisons, tally
from psychometrics.fit_checks import circular_triads, separated_groups, unbeaten
from psychometrics.ranking import rank
from psychometrics.scaling import fit
from psychometrics.sentences import ranking_in_words
from tests.psychometrics.studies import answers, study


def test_a_true_scale_fits_and_a_cycle_does_not() -> None:
    p = [rank(study(1_500, seed=seed, of_people=0.3, of_sources=0.3)).fit.p for seed in range(60)]
    assert np.mean([each is not None and each < 0.05 for each in p]) < 0.15
    circle = answers(([(0, 1, 0)] * 3 + [(0, 1, 1)] + [(1, 2, 0)] * 3 + [(1, 2, 1)] + [(2, 0, 0)] * 3) * 30)
    result = rank(circle.only_seen()).fit
    assert result.p is not None and result.p < 1e-6
    assert abs(result.pairs[0].observed - result.pairs[0].predicted) > 0.15


def test_answers_that_all_contradict_the_scale_are_the_worst_fit_of_all() -> None:
    # Everybody, on every photograph: a before b before c before a.
    n = np.arange(90)
    rows = Comparisons.of_choices("abc", n % 3, (n + 1) % 3, np.zeros(90), n % 7, n % 5)
    result = rank(rows)
    assert result.fit.p is not None and result.fit.p < 1e-6 and result.fit.design_effect == 1
    assert "One scale does not fit these answers" in ranking_in_words(result)


def test_people_and_photographs_that_differ_are_no_misfit() -> None:
    result = rank(study(4_000, annotators=10, sources=10, of_people=0.6, of_sources=0.6)).fit
    assert result.design_effect > 1.2
    assert result.p is not None and result.p > 0.01


def test_two_names_leave_nothing_to_check() -> None:
    result = rank(answers([(0, 1, 0), (0, 1, 1)], ("a", "b"))).fit
    assert result.df == 0 and result.p is None


def test_circular_triads_of_coins_and_of_an_order() -> None:
    coins = study(40_000, strengths=np.zeros(4), annotators=100, sources=30)
    result = circular_triads(fit(coins), coins)
    assert result.share == pytest.approx(0.25, abs=0.02) and result.by_scale == pytest.approx(0.25, abs=0.01)
    order = study(40_000, strengths=np.array([6.0, 4.0, 2.0, 0.0]), annotators=100, sources=30)
    ordered = circular_triads(fit(order), order)
    assert ordered.share is not None and ordered.share < 0.05
    assert ordered.share == pytest.approx(ordered.by_scale, abs=0.02)


def test_one_circle_is_counted_once() -> None:
    at = np.zeros(3, dtype=np.int64)
    circle = Comparisons.of_choices("abc", [0, 1, 2], [1, 2, 0], at, at, at)
    result = circular_triads(fit(circle), circle)
    assert (result.triads, result.circular) == (1, 1)
    line = Comparisons.of_choices("abc", [0, 1, 2], [1, 2, 0], [0, 0, 1], at, at)
    assert circular_triads(fit(line), line).circular == 0


def test_nobody_known_makes_no_triads() -> None:
    rows = study(100)
    nameless = Comparisons(rows.names, rows.first, rows.second, rows.counts)
    assert circular_triads(fit(rows), nameless).share is None


def test_the_unbeaten_are_named_with_those_that_they_met() -> None:
    rows = answers([(0, 2, 0), (1, 2, 0), (2, 3, 0), (3, 2, 0)])
    groups = separated_groups(rows)
    assert unbeaten(rows.names, tally(rows), groups) == (["jpeg", "webp"], ["avif"])
    tied = answers([(0, 1, 0), (1, 2, 2), (2, 3, 0)])
    assert unbeaten(tied.names, tally(tied), separated_groups(tied)) == (["jpeg"], ["webp"])


def test_who_never_lost_is_said_best_first() -> None:
    assert separated_groups(answers([(0, 1, 0), (1, 2, 0), (2, 1, 0), (2, 3, 0)])) == [
        ("jpeg",),
        ("webp", "avif"),
        ("jpegxl",),
    ]
    assert len(separated_groups(answers([(0, 1, 0), (0, 1, 2), (1, 2, 2), (2, 3, 2)]))) == 1
