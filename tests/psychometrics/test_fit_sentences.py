"""Sentences about the fit: what the test allows to say, in numbers that a reader can check."""

from dataclasses import replace

import pytest

from psychometrics.cautions import NO_FIT, cautions
from psychometrics.fit_checks import Fit
from psychometrics.fit_sentences import fit_in_words
from psychometrics.ranking import Ranking, rank
from tests.psychometrics.studies import study


@pytest.fixture(scope="module")
def ranking() -> Ranking:
    return rank(study(1_000))


@pytest.mark.parametrize(
    ("p", "verdict"),
    [
        (0.5, "The wins of all pairs do not contradict one scale"),
        (0.02, "It is doubtful whether one scale fits"),
        (0.002, "One scale does not fit"),
    ],
)
def test_the_verdict_is_no_stronger_than_the_test(ranking: Ranking, p: float, verdict: str) -> None:
    (words, *_) = fit_in_words(replace(ranking, fit=replace(ranking.fit, p=p, df=1)))
    assert words.startswith(verdict) and "with 1 degree of freedom" in words


@pytest.mark.parametrize(("p", "words"), [(0.0, "p < .001"), (1e-6, "p < .001"), (0.0234, "p = .023")])
def test_no_p_is_printed_as_zero(ranking: Ranking, p: float, words: str) -> None:
    unfit = replace(ranking, fit=replace(ranking.fit, p=p))
    assert f", {words}, design effect" in fit_in_words(unfit)[0]
    assert p > NO_FIT or any(f"({words})" in caution for caution in cautions(unfit))


def test_without_a_degree_of_freedom_nothing_is_said_of_the_fit(ranking: Ranking) -> None:
    without = replace(ranking, fit=Fit(0.0, 0, None, 1.0, ranking.fit.pairs))
    assert not any("scale fit" in words or "contradict" in words for words in fit_in_words(without))


@pytest.mark.parametrize(
    ("triads", "circular", "words"),
    [(1, 1, "Of 1 triad that"), (6, 1, "in full, 1 is circular (17 %)"), (3, 0, "0 are circular (0 %)")],
)
def test_circular_triads_are_counted(ranking: Ranking, triads: int, circular: int, words: str) -> None:
    sentences = fit_in_words(
        replace(ranking, triads=replace(ranking.triads, triads=triads, circular=circular))
    )
    assert any(words in one for one in sentences)


def test_spreads_have_an_interval_that_is_called_one(ranking: Ranking) -> None:
    assert any("between people" in words and "(95 % interval " in words for words in fit_in_words(ranking))


def test_no_interval_claims_that_nobody_differs(ranking: Ranking) -> None:
    people, photographs = ranking.spreads
    unseen = replace(people, sd=0.0, low=0.0, high=0.0)
    words = " ".join(fit_in_words(replace(ranking, spreads=(unseen, replace(photographs, high=0.41)))))
    assert "No spread of strengths between people is seen beyond the noise of single answers" in words
    assert "0.00 to 0.00" not in words and "to 0.41" in words
