"""Where a metric is right, where not, and on how many votes that rests."""

import numpy as np
import pytest

from metric.core.evaluation.diagnostics import calibration_curve, disagreements, vote_groups
from metric.core.evaluation.evaluate import evaluate
from metric.core.evaluation.votes import Candidate, Votes


def make_votes(p1: list[int], p0: list[int]) -> Votes:
    count = len(p1)
    names = np.array([f"photograph {n // 2}" for n in range(count)])
    same = np.full(count, "any")
    return Votes(
        np.array(p0, float),
        np.array(p1, float),
        np.zeros(count),
        names,
        same,
        same,
        np.arange(count).astype(str),
    )


def test_the_curve_counts_votes_in_bins_of_the_favourite() -> None:
    # Said 0.8 twice (once as 0.2 for the other side), won 8 of 10 and 9 of 10; said 0.5, won half.
    curve = calibration_curve(
        np.array([0.81, 0.19, 0.5]), np.array([8.0, 1.0, 5.0]), np.array([10.0, 10.0, 10.0])
    )
    assert [bin_["n_votes"] for bin_ in curve] == [10, 20]
    assert curve[0] == {"stated": 0.5, "seen": 0.5, "n_votes": 10}
    assert curve[1]["stated"] == pytest.approx(0.81)
    assert curve[1]["seen"] == pytest.approx(0.85)


def test_triplets_are_grouped_by_votes() -> None:
    assert list(vote_groups(np.array([0.0, 1, 2, 3, 4, 5, 8, 9, 40]))) == [
        "",
        "1",
        "2",
        "3-4",
        "3-4",
        "5-8",
        "5-8",
        "9+",
        "9+",
    ]


def test_only_contradictions_are_listed_the_worst_first() -> None:
    distances = np.array([[0.1, 0.2], [0.1, 0.2], [0.2, 0.1], [0.1, 0.2]])
    chance = np.array([0.1, 0.4, 0.8, 0.1])
    counts = (np.array([0.0, 0, 0, 9]), np.array([9.0, 9, 9, 0]), np.zeros(4))
    listed = disagreements(distances, chance, counts, {"label": ["a", "b", "c", "d"]})
    assert [row["label"] for row in listed] == ["a", "b"]
    assert listed[0]["surprise"] == pytest.approx(9 * np.log(10))
    assert listed[0]["distances"] == [0.1, 0.2]
    assert listed[0]["n_p1"] == 9


def test_one_person_contradicts_nothing() -> None:
    distances, chance = np.tile([0.1, 0.2], (2, 1)), np.full(2, 0.43)
    counts = (np.zeros(2), np.array([1.0, 2.0]), np.zeros(2))
    assert [row["n_p1"] for row in disagreements(distances, chance, counts, {})] == [2]


def test_no_photograph_fills_the_list() -> None:
    count = 6
    distances = np.tile([0.1, 0.2], (count, 1))
    votes = np.arange(count + 1, 1, -1.0)
    counts = (np.zeros(count), votes, np.zeros(count))
    described = {"photograph": ["one", "one", "one", "one", "two", "two"]}
    for most, places in ((4, [0, 1, 4, 5]), (5, [0, 1, 2, 4, 5]), (9, [0, 1, 2, 3, 4, 5])):
        listed = disagreements(distances, np.full(count, 0.2), counts, described, most)
        assert [row["index"] for row in listed] == places


def test_the_evaluation_has_all_of_it() -> None:
    votes = make_votes([1, 0, 5, 6, 2, 0], [0, 1, 0, 0, 8, 2])
    right = np.stack([np.arange(6) % 2 + 1.0, np.full(6, 1.5)], axis=1)
    new = Candidate("new", "New", "new", right, right)
    other = Candidate("psnr", "PSNR", "baseline", -right, -right)
    result = evaluate(votes, [new, other], calibration=votes, resamples=50)
    row = result["rows"][2]
    assert list(row["by_votes"]) == ["1", "2", "5-8", "9+"]
    assert sum(bin_["n_votes"] for bin_ in row["calibration"]) == 25
    assert result["rows"][0]["calibration"] is None
    assert result["disagreements"][0]["label"] == "2"
    difference = row["difference_to_psnr"]
    assert difference["mean"] == pytest.approx(row["score"] - result["rows"][3]["score"])
