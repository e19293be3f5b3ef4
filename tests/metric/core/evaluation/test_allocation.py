"""The next question is the one whose answer tells most."""

import numpy as np
import pytest
from scipy.stats import beta as beta_distribution
from scipy.stats import rankdata

from metric.core.evaluation.allocation import expected_information, rank_triplets, surprise_of_votes


def entropy(p: np.ndarray) -> np.ndarray:
    return np.asarray(-(p * np.log(p) + (1 - p) * np.log1p(-p)))


@pytest.mark.parametrize(("a", "b"), [(1.0, 1.0), (3.0, 7.5), (0.7, 4.0)])
def test_expected_information_is_its_integral(a: float, b: float) -> None:
    p = beta_distribution.rvs(a, b, size=400_000, random_state=1).clip(1e-12, 1 - 1e-12)
    by_hand = entropy(np.array(a / (a + b))) - entropy(p).mean()
    assert float(expected_information(a, b)) == pytest.approx(float(by_hand), abs=2e-3)


def test_open_questions_come_before_settled_ones() -> None:
    # Undecided and never asked; undecided after many votes; the metric is sure.
    result = rank_triplets([0.5, 0.5, 0.99], [0, 20, 0], [0, 20, 0], [0, 0, 0])
    assert list(result.order) == [0, 2, 1] or list(result.order) == [0, 1, 2]
    assert result.information[0] == max(result.information)
    assert result.information[1] < result.information[0] / 3


def test_people_against_the_metric_is_a_surprise() -> None:
    result = rank_triplets([0.9, 0.9], [5, 0], [0, 5], [0, 0])
    assert result.surprise[0] > 10 * result.surprise[1]
    assert result.order[0] == 0


def test_versions_that_contradict_each_other_come_first() -> None:
    versions = [[0.5, 0.1], [0.5, 0.9]]
    result = rank_triplets(versions, [0, 0], [0, 0], [0, 0])
    assert result.versions == pytest.approx([0, np.log(2) - entropy(np.array(0.1))])
    assert rank_triplets([0.5, 0.9], [0, 0], [0, 0], [0, 0]).versions == pytest.approx([0, 0])


def test_the_version_in_use_is_the_last_and_its_chance_counts_like_votes() -> None:
    alone = rank_triplets([0.9], [0], [0], [0])
    assert rank_triplets([[0.2], [0.9]], [0], [0], [0]).information == pytest.approx(alone.information)
    assert alone.information == pytest.approx(expected_information([3.6], [0.4]))


def test_priority_weighs_information_against_the_two_disagreements() -> None:
    # By place: of the most information; of the most surprise; where versions differ most; nothing to learn.
    versions = [[0.5, 0.9, 0.1, 0.99], [0.5, 0.9, 0.9, 0.99]]
    result = rank_triplets(versions, [0, 40, 30, 60], [0, 0, 300, 6000], [0, 0, 0, 0])
    assert list(np.argsort(-result.information)) == [0, 2, 1, 3] or result.information[0] == max(
        result.information
    )
    assert int(np.argmax(result.surprise)) == 1
    assert int(np.argmax(result.versions)) == 2
    # Without disagreement information alone would put the first before all others.
    assert result.priority[1] > result.priority[0]
    by_hand = 0.5 * places(result.information) + 0.25 * (places(result.surprise) + places(result.versions))
    assert result.priority == pytest.approx(by_hand)
    assert list(result.order) == list(np.argsort(-by_hand, kind="stable"))


def places(values: np.ndarray) -> np.ndarray:
    return np.asarray((rankdata(values) - 1) / (len(values) - 1))


def test_surprise_of_votes_is_zero_for_who_knew() -> None:
    result = surprise_of_votes([0.75, 0.25, 0.5], [3, 3, 0], [4, 4, 0])
    assert result[0] == pytest.approx(0)
    assert result[1] == pytest.approx(2 * np.log(3))
    assert result[2] == 0


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (([0.5, 0.5], [0], [0], [0]), {}),
        (([1.5], [0], [0], [0]), {}),
        (([np.nan], [0], [0], [0]), {}),
        (([0.5], [-1], [0], [0]), {}),
        (([0.5], [0], [0], [0]), {"trust": 0.0}),
    ],
)
def test_what_makes_no_sense_raises(arguments: tuple[list[float], ...], options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must|lies"):
        rank_triplets(*arguments, **options)  # type: ignore[arg-type]
