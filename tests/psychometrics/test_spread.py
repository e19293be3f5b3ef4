"""Is it one order for all photographs, and for all people?"""

import numpy as np
import pytest

from psychometrics.fit_sentences import fit_in_words
from psychometrics.ranking import rank
from psychometrics.sentences import votes_left_in_words
from psychometrics.spread import fewest_answers
from psychometrics.votes_left import votes_left
from tests.psychometrics.studies import answers, study


@pytest.mark.parametrize(("of_people", "of_sources"), [(0.4, 0.2), (0.0, 0.4), (0.0, 0.0)])
def test_the_spread_is_found_and_its_interval_covers(of_people: float, of_sources: float) -> None:
    result: dict[str, list[float]] = {"annotators": [], "sources": []}
    covered = []
    for seed in range(120):
        ranking = rank(
            study(2_000, seed=seed, annotators=25, sources=15, of_people=of_people, of_sources=of_sources)
        )
        for one in ranking.spreads:
            true = of_people if one.way == "annotators" else of_sources
            result[one.way].append(one.sd**2)
            assert one.sd is not None and one.low is not None and one.high is not None
            covered.append(one.low <= true + 1e-12 and true <= one.high)
            assert one.groups == (25 if one.way == "annotators" else 15)
    assert np.sqrt(np.mean(result["annotators"])) == pytest.approx(of_people, abs=0.12)
    assert np.sqrt(np.mean(result["sources"])) == pytest.approx(of_sources, abs=0.12)
    assert np.mean(covered) > 0.88


def test_one_answer_each_tells_no_spread() -> None:
    result = rank(answers([(0, 1, 0), (1, 2, 0), (2, 3, 1), (3, 0, 0)]))
    assert [one.sd for one in result.spreads] == [None, None]


def test_few_answers_tell_no_spread() -> None:
    """Their intervals would lie above a true spread of 0.2 JND in every sixth study of 30 to 45 answers."""
    few, enough = (
        rank(study(number, seed=3, annotators=25, sources=15, of_sources=0.2)) for number in (45, 400)
    )
    assert [one.sd for one in few.spreads] == [None, None] and None not in [one.sd for one in enough.spreads]
    needed = fewest_answers(len(few.names))
    assert few.judgments < needed <= enough.judgments
    (words,) = (one for one in fit_in_words(few) if one.startswith("How far strengths differ"))
    assert (
        f"between people and photographs cannot be estimated from {few.judgments} answers: {needed}" in words
    )
    assert f"too few answers, and {needed} are needed" in votes_left_in_words(votes_left(few, 0.3), few)
    assert "too few" not in votes_left_in_words(votes_left(enough, 0.3), enough)
