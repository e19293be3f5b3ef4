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
    proportion,
    raw_agreement,
    self_agreement,
    side_bias,
)

votes = st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=6)


def test_human_score_is_the_formula_for_k_of_n() -> None:
    # 3 of 5: (3*2 + 2*1) / 20; 2 of 2: 1; and a single judgment says nothing
    assert human_score([2, 0, 1], [3, 2, 0]) == pytest.approx((8 / 20 + 1) / 2)


@given(votes)
def test_human_score_is_one_judgment_scored_by_another(rows: list[tuple[int, int, int]]) -> None:
    """Every ordered pair of judgments written out: the same 1, different 0, half as soon as one is a tie."""
    scores = []
    for row in rows:
        answers = [answer for answer, number in enumerate(row) for _ in range(number)]
        points = [0.5 if 2 in pair else float(pair[0] == pair[1]) for pair in permutations(answers, 2)]
        if points:
            scores.append(sum(points) / len(points))
    found = human_score(*np.array(rows).T)
    assert found == (pytest.approx(sum(scores) / len(scores)) if scores else None)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_human_score_is_unbiased_where_the_plug_in_is_not(n: int) -> None:
    p = np.random.default_rng(0).beta(2, 2, 200_000)
    k = np.random.default_rng(1).binomial(n, p)
    truth = np.mean(p**2 + (1 - p) ** 2)
    plug_in = np.mean((k / n) ** 2 + (1 - k / n) ** 2)
    assert human_score(n - k, k) == pytest.approx(truth, abs=0.004)
    assert plug_in > truth + 0.05


def test_ceiling_is_the_majority() -> None:
    assert ceiling([1, 0, 2], [3, 2, 2]) == pytest.approx((0.75 + 1 + 0.5) / 3)
    assert ceiling([1], [0], [3]) == pytest.approx(1 - 1.5 / 4)
    assert ceiling([0], [0]) is None


def test_raw_agreement_pools_pairs_and_takes_a_tie_as_an_answer() -> None:
    # 3+1: 6 ordered pairs of 12 agree; two ties: 2 of 2; one judgment: no pair
    assert raw_agreement([3, 0, 1], [1, 0, 0], [0, 2, 0]) == pytest.approx(8 / 14)
    assert raw_agreement([1], [0]) is None


def test_alpha_of_an_example_worked_by_hand() -> None:
    """Ten triplets, two judgments each: both p0 five times, both p1 three times, one of each twice.

    Coincidences: o00 = 10, o11 = 6, o01 = o10 = 2, n0 = 12, n1 = 8, n = 20. Observed disagreement 4 / 20,
    expected 2 * 12 * 8 / (20 * 19) = 192 / 380; alpha = 1 - 0.2 / 0.505263 = 0.604167.
    """
    assert krippendorff_alpha([2] * 5 + [0] * 3 + [1] * 2, [0] * 5 + [2] * 3 + [1] * 2) == pytest.approx(
        0.604167, abs=1e-6
    )


def test_alpha_of_three_answers_and_unequal_numbers_worked_by_hand() -> None:
    """Votes (3,1,0), (0,2,1), (0,0,2), and (1,0,0) that pairs with nothing.

    n = 9, n_c = 3, 3, 3. Observed: 9 - [6/3 + (2)/2 + 2/1] = 9 - 5 = 4; expected: 81 - 27 = 54;
    alpha = 1 - 8 * 4 / 54 = 0.407407.
    """
    rows = np.array([(3, 1, 0), (0, 2, 1), (0, 0, 2), (1, 0, 0)])
    assert krippendorff_alpha(*rows.T) == pytest.approx(0.407407, abs=1e-6)


def test_alpha_is_near_zero_for_coin_tosses_and_one_for_perfect_agreement() -> None:
    k = np.random.default_rng(2).binomial(5, 0.5, 20_000)
    assert krippendorff_alpha(k, 5 - k) == pytest.approx(0, abs=0.01)
    assert krippendorff_alpha([5, 0], [0, 5]) == 1.0


def test_alpha_is_not_defined_when_all_say_the_same() -> None:
    assert krippendorff_alpha([3, 2], [0, 0]) is None
    assert krippendorff_alpha([1, 0], [0, 1]) is None


def test_votes_must_be_whole_and_not_negative() -> None:
    with pytest.raises(ValueError, match="whole numbers"):
        human_score([0.5], [1.0])
    with pytest.raises(ValueError, match="negative"):
        human_score([-1], [3])


def test_the_wilson_interval_of_a_known_case() -> None:
    """8 of 10 at 95 %: 0.490 to 0.943."""
    found = proportion(8, 10)
    assert (found.share, found.trials) == (0.8, 10)
    assert (found.low, found.high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))


@given(st.integers(0, 500), st.integers(0, 500))
def test_an_interval_holds_its_share_and_stays_in_bounds(left: int, right: int) -> None:
    found = side_bias(left, right)
    if left + right == 0:
        assert (found.share, found.low, found.high) == (None, None, None)
        return
    assert found.share is not None and found.low is not None and found.high is not None
    assert 0 <= found.low <= found.share + 1e-12 and found.share <= found.high + 1e-12 <= 1 + 1e-9


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    lefts = np.random.default_rng(3).binomial(60, 0.55, 2_000)
    found = [side_bias(int(k), 60 - int(k)) for k in lefts]
    covered = sum(f.low is not None and f.high is not None and f.low <= 0.55 <= f.high for f in found)
    assert 0.93 < covered / 2_000 < 0.975


def test_self_agreement_counts_equal_answers() -> None:
    found = self_agreement(["p0", "p1", "tie", "p1"], ["p0", "p0", "tie", "p1"])
    assert (found.share, found.trials) == (0.75, 4)
    with pytest.raises(ValueError, match="shorter|longer"):
        self_agreement(["p0"], [])


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        proportion(3, 2)
