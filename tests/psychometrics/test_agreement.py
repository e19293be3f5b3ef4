"""Agreement against values worked by hand, and estimators against what they estimate."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychometrics.agreement import (
    ceiling,
    human_score,
    krippendorff_alpha,
    pair_agreement,
    raw_agreement,
    self_agreement,
    side_bias,
)
from psychometrics.estimates import NOTHING

votes = st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=6)


def test_human_score_is_the_formula_for_k_of_n_weighted_by_votes() -> None:
    # 3 of 5: (3*2 + 2*1) / 20; 2 of 2: 1; and a single judgment says nothing
    result = human_score([2, 0, 1], [3, 2, 0])
    assert result.value == pytest.approx((5 * 8 / 20 + 2 * 1) / 7)
    assert result.n == 7


@given(votes)
def test_pair_agreement_is_one_judgment_scored_by_another(rows: list[tuple[int, int, int]]) -> None:
    """Every ordered pair of judgments written out: the same 1, different 0, half as soon as one is a tie."""
    for row, result in zip(rows, pair_agreement(*np.array(rows).T), strict=True):
        answers = [answer for answer, number in enumerate(row) for _ in range(number)]
        points = [0.5 if 2 in pair else float(pair[0] == pair[1]) for pair in permutations(answers, 2)]
        assert np.isnan(result) if not points else result == pytest.approx(sum(points) / len(points))


@pytest.mark.parametrize("n", [2, 3, 5])
def test_human_score_is_unbiased_where_the_plug_in_is_not(n: int) -> None:
    p = np.random.default_rng(0).beta(2, 2, 200_000)
    k = np.random.default_rng(1).binomial(n, p)
    truth = np.mean(p**2 + (1 - p) ** 2)
    plug_in = np.mean((k / n) ** 2 + (1 - k / n) ** 2)
    assert human_score(n - k, k).value == pytest.approx(truth, abs=0.004)
    assert plug_in > truth + 0.05


@pytest.mark.parametrize(("n", "near"), [(2, 0.02), (5, 0.01), (10, 0.01)])
def test_ceiling_is_that_of_the_majority_of_all_people_not_of_a_few_voters(n: int, near: float) -> None:
    draw = np.random.default_rng(0)
    p = 1 / (1 + np.exp(-draw.standard_normal(20_000)))
    k = draw.binomial(n, p)
    truth, of_voters = np.mean(np.maximum(p, 1 - p)), np.mean(np.maximum(k / n, 1 - k / n))
    assert ceiling(n - k, k).value == pytest.approx(truth, abs=near)
    assert of_voters > truth + 0.03


def test_ceiling_of_a_mixture_that_no_beta_describes() -> None:
    """Half coin tosses, half clear: ten votes tell them apart."""
    draw = np.random.default_rng(0)
    p = np.where(draw.random(20_000) < 0.5, 0.5, 0.95)
    k = draw.binomial(10, p)
    assert ceiling(10 - k, k).value == pytest.approx(0.725, abs=0.02)


def test_ties_score_one_half_whatever_a_metric_says() -> None:
    assert ceiling([0], [0], [4]).value == pytest.approx(0.5)
    draw = np.random.default_rng(0)
    counts = draw.multinomial(5, [0.08, 0.72, 0.2], size=20_000)
    assert ceiling(*counts.T).value == pytest.approx(0.8 * 0.9 + 0.1, abs=0.01)


def test_no_pair_with_two_votes_leaves_everything_unknown() -> None:
    assert human_score([1, 0], [0, 1]) == ceiling([1, 0], [0, 1]) == NOTHING
    assert raw_agreement([1], [0]) is None and krippendorff_alpha([1, 0], [0, 1]) == NOTHING
    assert human_score([], []) == ceiling([], []) == NOTHING


def test_intervals_over_photographs_cover_the_truth() -> None:
    """Photographs differ in how clear their pairs are, so triplets of one are not independent."""
    covered = {"human": 0, "ceiling": 0, "alpha": 0}
    repeats, sources = 200, 20
    source = np.arange(sources * 15) % sources
    truth = _population()
    for seed in range(repeats):
        draw = np.random.default_rng(seed)
        p = 1 / (1 + np.exp(-draw.uniform(0.3, 1.7, sources)[source] * draw.standard_normal(source.size)))
        k = draw.binomial(5, p)
        for name, figure in (
            ("human", human_score),
            ("ceiling", ceiling),
            ("alpha", krippendorff_alpha),
        ):
            result = figure(5 - k, k, source=source)
            assert result.low is not None and result.high is not None
            covered[name] += result.low <= truth[name] <= result.high
    assert all(0.9 <= times / repeats <= 0.99 for times in covered.values()), covered


def _population() -> dict[str, float]:
    draw = np.random.default_rng(99)
    p = 1 / (1 + np.exp(-draw.uniform(0.3, 1.7, 1_000_000) * draw.standard_normal(1_000_000)))
    human = float(np.mean(p**2 + (1 - p) ** 2))
    return {"human": human, "ceiling": float(np.mean(np.maximum(p, 1 - p))), "alpha": 2 * human - 1}


def test_one_photograph_gives_no_interval() -> None:
    result = human_score([2, 3], [3, 2], source=[7, 7])
    assert result.value is not None and result.low is result.high is None


def test_raw_agreement_pools_pairs_and_takes_a_tie_as_an_answer() -> None:
    # 3+1: 6 ordered pairs of 12 agree; two ties: 2 of 2; one judgment: no pair
    assert raw_agreement([3, 0, 1], [1, 0, 0], [0, 2, 0]) == pytest.approx(8 / 14)


def test_alpha_of_an_example_worked_by_hand() -> None:
    """Ten triplets, two judgments each: both p0 five times, both p1 three times, one of each twice.

    Coincidences: o00 = 10, o11 = 6, o01 = o10 = 2, n0 = 12, n1 = 8, n = 20. Observed disagreement 4 / 20,
    expected 2 * 12 * 8 / (20 * 19) = 192 / 380; alpha = 1 - 0.2 / 0.505263 = 0.604167.
    """
    result = krippendorff_alpha([2] * 5 + [0] * 3 + [1] * 2, [0] * 5 + [2] * 3 + [1] * 2)
    assert result.value == pytest.approx(0.604167, abs=1e-6)


def test_alpha_of_three_answers_and_unequal_numbers_worked_by_hand() -> None:
    """Votes (3,1,0), (0,2,1), (0,0,2), and (1,0,0) that pairs with nothing.

    n = 9, n_c = 3, 3, 3. Observed: 9 - [6/3 + (2)/2 + 2/1] = 9 - 5 = 4; expected: 81 - 27 = 54;
    alpha = 1 - 8 * 4 / 54 = 0.407407.
    """
    rows = np.array([(3, 1, 0), (0, 2, 1), (0, 0, 2), (1, 0, 0)])
    assert krippendorff_alpha(*rows.T).value == pytest.approx(0.407407, abs=1e-6)


def test_alpha_is_near_zero_for_coin_tosses_and_one_for_perfect_agreement() -> None:
    k = np.random.default_rng(2).binomial(5, 0.5, 20_000)
    assert krippendorff_alpha(k, 5 - k).value == pytest.approx(0, abs=0.01)
    assert krippendorff_alpha([5, 0], [0, 5]).value == 1.0


def test_alpha_is_not_defined_when_all_say_the_same() -> None:
    assert krippendorff_alpha([3, 2], [0, 0]) == NOTHING


@pytest.mark.parametrize("votes", [([3, 4, 5], [0, 0, 0], 0), ([0, 0, 0], [0, 0, 0], [3, 4, 5])])
def test_photographs_that_are_all_alike_show_no_interval(votes) -> None:
    """Three photographs without one contradiction do not prove that there is none: a width of 0 would say so."""
    for figure in (human_score, ceiling):
        one = figure(*votes, source=[0, 1, 2])
        assert one.value is not None and one.low is None and one.high is None
    unlike = human_score([3, 4, 4], [0, 0, 1], source=[0, 1, 2])
    assert unlike.low is not None and unlike.low < 0.9


def test_votes_must_be_whole_and_not_negative() -> None:
    with pytest.raises(ValueError, match="whole numbers"):
        human_score([0.5], [1.0])
    with pytest.raises(ValueError, match="negative"):
        human_score([-1], [3])


def test_self_agreement_and_side_bias_are_shares_with_intervals() -> None:
    assert self_agreement([3], [4]).value == 0.75
    assert side_bias([30, 20], [30, 20]).value == 0.5
    assert side_bias([], []) == NOTHING


def test_people_who_each_keep_to_a_side_make_the_interval_wide() -> None:
    """Ten people, each always on one side, are ten pieces of evidence and not a thousand."""
    lefts = np.array([100, 0] * 5)
    alone, over = side_bias([500], [500]), side_bias(lefts, 100 - lefts)
    assert alone.low is not None and over.low is not None
    assert over.low < 0.2 < 0.45 < alone.low
