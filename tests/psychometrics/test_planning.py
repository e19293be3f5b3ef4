"""Plans promise what such studies bring, and votes left are those that it takes."""

import numpy as np
import pytest
from scipy.special import stdtrit

from psychometrics.planning import (
    Assumed,
    PlanError,
    Size,
    _sizes,
    cheapest,
    expected_halfwidth,
    piloted,
    plan,
)
from psychometrics.ranking import rank
from psychometrics.sentences import plan_in_words
from psychometrics.simulation import answer, balanced, own_strengths
from psychometrics.votes_left import unseen_variance, votes_left
from tests.psychometrics.studies import study


@pytest.mark.parametrize("size", [Size(4, 10, 12, 5), Size(6, 20, 30, 3), Size(2, 12, 20, 10)])
def test_what_is_expected_is_what_simulated_studies_bring(size: Size) -> None:
    result = plan(size, repeats=30)
    assert expected_halfwidth(size, result.assumed) == pytest.approx(result.halfwidth, rel=0.08)
    assert result.low <= result.halfwidth <= result.high and 0 <= result.power <= 1


def test_more_photographs_narrow_what_more_votes_do_not() -> None:
    assumed = Assumed(of_sources=0.6, of_people=0.0)
    few, voted, many = (
        expected_halfwidth(size, assumed)
        for size in (Size(4, 10, 50, 5), Size(4, 10, 50, 50), Size(4, 40, 50, 5))
    )
    assert many < few / 1.7 < few and voted > 0.75 * few


def test_the_cheapest_study_reaches_the_wish_and_nobody_judges_too_long() -> None:
    result = cheapest(0.4, 4, Assumed(pay_per_hour=10), most_sources=30, most_annotators=60)
    assert result.halfwidth <= 0.4 and result.size.sources <= 30
    assert result.size.each * result.assumed.seconds <= 30 * 60
    assert result.money == pytest.approx(10 * result.hours)
    dearer = plan(
        Size(4, result.size.sources + 4, result.size.annotators + 4, result.size.votes), result.assumed
    )
    assert dearer.hours > result.hours


def test_what_no_study_can_reach_says_how_near_it_comes() -> None:
    with pytest.raises(
        PlanError, match=r"within ± 0.01 JND: with all of them and every vote it would be ± 0\."
    ):
        cheapest(0.01, 4, most_sources=10, most_annotators=20)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((1, 5, 5, 1), "at least 2 conditions"),
        ((4, 0, 5, 1), "at least 1"),
        ((4, 5, 3, 4), "require at least as many annotators"),
    ],
)
def test_studies_that_cannot_be(numbers: tuple[int, int, int, int], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        Size(*numbers)


def test_a_plan_in_words_names_its_numbers() -> None:
    words = plan_in_words(plan(Size(3, 6, 10, 2, levels=2), repeats=5))
    assert "3 conditions at 2 levels, 6 photographs, 10 annotators, 2 votes" in words
    assert "72 answers, up to 8 from each annotator" in words


def test_votes_left_are_those_that_it_takes() -> None:
    """Asking as many more people as is said brings the widest difference about to the wish."""
    truth = Assumed(step=0.4, of_people=0.2, of_sources=0.2).truth(4)
    reached = []
    for seed in range(12):
        draw = np.random.default_rng(seed)
        people, sources = own_strengths(truth, 400, 30, draw)
        design = balanced(4, sources=30, annotators=10, votes=2, draw=draw)
        now = rank(answer(truth, design, draw, (people, sources)))
        wish = 0.7 * now.halfwidth
        missing = votes_left(now, wish)
        assert missing.now == now.halfwidth
        if missing.left is None:
            continue
        times = 1 + missing.left / now.judgments
        larger = balanced(4, sources=30, annotators=round(10 * times), votes=round(2 * times), draw=draw)
        reached.append(rank(answer(truth, larger, draw, (people, sources))).halfwidth / wish)
    assert len(reached) >= 6
    assert np.mean(reached) == pytest.approx(1.0, abs=0.15)


def test_nothing_is_left_when_all_is_inside_and_photographs_set_a_floor() -> None:
    draw = np.random.default_rng(0)
    truth = Assumed(of_sources=0.8).truth(4)
    result = rank(answer(truth, balanced(4, sources=8, annotators=40, votes=20, draw=draw), draw))
    done = votes_left(result, 5.0)
    assert (done.left, done.low, done.high) == (0, 0, 0)
    never = votes_left(result, done.floor / 2)
    assert never.left is None and never.high is None and never.floor > 0.2


def test_photographs_that_seem_alike_still_leave_a_range() -> None:
    """Six photographs between which no spread is seen may differ: the forecast is no single number."""
    result = rank(study(600, seed=6, annotators=20, sources=6))
    assert {one.way: one.sd for one in result.spreads}["sources"] == 0.0
    left = votes_left(result, 0.35)
    assert left.left is not None and left.high is not None and left.high > 2 * left.left


def test_the_spread_left_open_is_a_variance_of_the_common_scale() -> None:
    """At no confidence it is the estimate itself; a spread on the scale of single people is four times as large."""
    result = rank(study(6_000, annotators=40, sources=20, of_people=2.0, of_sources=0.7))
    own = votes_left(result, 0.01).floor / stdtrit(19, 0.975)
    assert unseen_variance(result, confidence=0.0) == pytest.approx(own**2, rel=0.6)


def test_a_pilot_gives_its_spreads() -> None:
    draw = np.random.default_rng(0)
    truth = Assumed(of_people=0.6, of_sources=0.1, step=0.8).truth(4)
    result = piloted(rank(answer(truth, balanced(4, sources=30, annotators=30, votes=6, draw=draw), draw)))
    assert result.of_people > 0.3 > result.of_sources
    assert result.step == pytest.approx(0.75, abs=0.15)


def test_nobody_is_planned_to_judge_longer_than_half_an_hour() -> None:
    minutes = [size.each * 10 / 60 for size in _sizes(5, 1, 40, 40, Assumed(seconds=10.0))]
    assert 25 < max(minutes) <= 30


def test_a_size_that_would_take_hours_to_simulate_is_refused() -> None:
    with pytest.raises(PlanError, match="at most 200,000 are simulated"):
        plan(Size(conditions=40, sources=500, annotators=2000, votes=500, levels=40))
