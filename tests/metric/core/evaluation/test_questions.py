"""The next question is the one whose answer tells most."""

import numpy as np
import pytest
from scipy.stats import beta as beta_distribution

from metric.core.evaluation.questions import chances, expected_information, rank_triplets, surprise_of_votes


def entropy(p: np.ndarray) -> np.ndarray:
    return np.asarray(-(p * np.log(p) + (1 - p) * np.log1p(-p)))


@pytest.mark.parametrize(("a", "b"), [(1.0, 1.0), (3.0, 7.5), (0.7, 4.0)])
def test_expected_information_is_its_integral(a: float, b: float) -> None:
    p = beta_distribution.rvs(a, b, size=400_000, random_state=1).clip(1e-12, 1 - 1e-12)
    by_hand = entropy(np.array(a / (a + b))) - entropy(p).mean()
    assert float(expected_information(a, b)) == pytest.approx(float(by_hand), abs=2e-3)


def test_open_questions_come_before_settled_ones() -> None:
    # Undecided and never asked; undecided after many votes; the metric is sure.
    found = rank_triplets([0.5, 0.5, 0.99], [0, 20, 0], [0, 20, 0], [0, 0, 0], held_out=0)
    assert list(found.order) == [0, 2, 1] or list(found.order) == [0, 1, 2]
    assert found.information[0] == max(found.information)
    assert found.information[1] < found.information[0] / 3


def test_people_against_the_metric_is_a_surprise() -> None:
    found = rank_triplets([0.9, 0.9], [5, 0], [0, 5], [0, 0], held_out=0)
    assert found.surprise[0] > 10 * found.surprise[1]
    assert found.order[0] == 0


def test_versions_that_contradict_each_other_come_first() -> None:
    versions = [[0.5, 0.1], [0.5, 0.9]]
    found = rank_triplets(versions, [0, 0], [0, 0], [0, 0], held_out=0)
    assert found.versions == pytest.approx([0, np.log(2) - entropy(np.array(0.1))])
    assert rank_triplets([0.5, 0.9], [0, 0], [0, 0], [0, 0]).versions == pytest.approx([0, 0])


def test_a_random_share_is_kept_out() -> None:
    count = 100
    none = np.zeros(count)
    chance = np.random.default_rng(0).uniform(size=count)
    found = rank_triplets(chance, none, none, none, held_out=0.2, seed=1)
    assert found.held_out.sum() == 20
    assert np.isnan(found.priority[found.held_out]).all()
    kept = found.priority[~found.held_out]
    assert 0 <= kept.min() < kept.max() <= 1
    assert sorted(found.order) == list(range(count))
    assert not found.held_out[found.order[:80]].any()
    assert np.all(np.diff(found.priority[found.order[:80]]) <= 0)
    again = rank_triplets(chance, none, none, none, held_out=0.2, seed=1)
    assert np.array_equal(again.order, found.order)
    other = rank_triplets(chance, none, none, none, held_out=0.2, seed=2)
    assert not np.array_equal(other.held_out, found.held_out)


def test_chances_are_those_of_the_slope() -> None:
    assert chances([[0.2, 0.1], [0.1, 0.1]], 10) == pytest.approx([1 / (1 + np.exp(-1)), 0.5])


def test_surprise_of_votes_is_zero_for_who_knew() -> None:
    found = surprise_of_votes([0.75, 0.25, 0.5], [3, 3, 0], [4, 4, 0])
    assert found[0] == pytest.approx(0)
    assert found[1] == pytest.approx(2 * np.log(3))
    assert found[2] == 0


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (([0.5, 0.5], [0], [0], [0]), {}),
        (([1.5], [0], [0], [0]), {}),
        (([np.nan], [0], [0], [0]), {}),
        (([0.5], [-1], [0], [0]), {}),
        (([0.5], [0], [0], [0]), {"held_out": 1.0}),
        (([0.5], [0], [0], [0]), {"trust": 0.0}),
    ],
)
def test_what_makes_no_sense_raises(arguments: tuple[list[float], ...], options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must|lies"):
        rank_triplets(*arguments, **options)  # type: ignore[arg-type]
