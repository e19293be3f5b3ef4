"""The table says what the votes say, with intervals that know how few photographs there are."""

import json
from typing import Any

import numpy as np
import pytest

from metric.core.evaluation.diagnostics import calibration_curve
from metric.core.evaluation.evaluate import (
    Bootstrap,
    Candidate,
    Votes,
    calibration_error,
    evaluate,
    fit_slope,
    two_afc_score,
)
from metric.core.evaluation.table import format_table
from psychometrics.comparisons import Floats


def make_votes(
    *, photographs: int = 12, per_photograph: int = 10, votes: int = 5, seed: int = 0, slope: float = 1.5
) -> tuple[Votes, Floats]:
    """Votes by a hidden margin, and distances (N, 2) that know it."""
    rng = np.random.default_rng(seed)
    count = photographs * per_photograph
    distances = rng.normal(5, 1, size=(count, 2))
    p1 = rng.binomial(votes, 1 / (1 + np.exp(-slope * (distances[:, 0] - distances[:, 1]))))
    found = Votes(
        n_p0=(votes - p1).astype(float),
        n_p1=p1.astype(float),
        n_tie=np.zeros(count),
        photograph=np.repeat([f"photograph {number}" for number in range(photographs)], per_photograph),
        kind=np.tile(["classical-classical", "classical-learned"], count // 2),
        target_bpp=np.tile(["1.0", "0.23"], count // 2),
    )
    return found, distances


def row_of(evaluation: dict[str, Any], key: str) -> dict[str, Any]:
    return next(row for row in evaluation["rows"] if row["key"] == key)


def test_ties_count_one_half_on_either_side() -> None:
    texts = np.array(["a", "b", "c"])
    votes = Votes(np.array([3.0, 0, 1]), np.array([1.0, 2, 1]), np.array([0.0, 2, 0]), texts, texts, texts)
    distances = np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 1.0]])
    # 3 of 4; 2 and half of 2 of 4; the metric cannot tell: 1 of 2.
    assert two_afc_score(distances, votes) == pytest.approx((3 + 3 + 1) / 10)


def test_the_whole_table() -> None:
    votes, distances = make_votes()
    calibration, known = make_votes(seed=9)
    noise = np.random.default_rng(3).normal(size=distances.shape)
    evaluation = evaluate(
        votes,
        [
            Candidate("psnr", "PSNR", "baseline", noise, noise),
            Candidate("vgg", "LPIPS vgg", "baseline", None, reason="its weights are not here"),
            Candidate("promoted", "Promoted version", "promoted", distances + 0.5 * noise, known),
            Candidate("new", "New version", "new", distances, known),
        ],
        calibration=calibration,
        stock_key="psnr",
        simulated=True,
    )
    assert json.loads(json.dumps(evaluation, allow_nan=False)) == evaluation
    assert [row["key"] for row in evaluation["rows"]] == [
        "human",
        "ceiling",
        "psnr",
        "vgg",
        "promoted",
        "new",
    ]
    assert (evaluation["n_triplets"], evaluation["n_votes"], evaluation["n_photographs"]) == (120, 600, 12)
    new, human, best = (row_of(evaluation, key) for key in ("new", "human", "ceiling"))
    assert new["low"] < new["score"] < new["high"]
    # These distances know the hidden margin, so only luck can part them from the best possible.
    assert human["score"] < new["score"] == pytest.approx(best["score"], abs=0.03)
    assert evaluation["people"]["human_score"] == human["score"]
    assert new["by_bpp"].keys() == {"0.23", "1.0"}
    assert sum(share["n_votes"] for share in new["by_kind"].values()) == 600
    assert new["difference_to_stock"]["low"] > 0
    assert new["difference_to_promoted"]["mean"] == pytest.approx(
        new["score"] - row_of(evaluation, "promoted")["score"]
    )
    assert row_of(evaluation, "promoted")["difference_to_promoted"] is None
    assert new["log_loss"] < row_of(evaluation, "psnr")["log_loss"]
    assert row_of(evaluation, "vgg") | {"score": None, "available": False} == row_of(evaluation, "vgg")
    text = format_table(evaluation)
    assert "SIMULATED" in text
    assert "LPIPS vgg: unavailable, its weights are not here" in text
    assert f"{100 * new['score']:.1f}" in text


def test_a_metric_that_guesses_scores_one_half_within_its_interval() -> None:
    votes, distances = make_votes(photographs=30)
    guess = np.random.default_rng(5).normal(size=distances.shape)
    row = row_of(evaluate(votes, [Candidate("guess", "Guess", "new", guess)]), "guess")
    assert row["low"] < 0.5 < row["high"]
    assert row["log_loss"] is None


def test_two_evaluations_are_equal() -> None:
    votes, distances = make_votes()
    candidates = [Candidate("new", "New", "new", distances)]
    assert evaluate(votes, candidates, seed=4) == evaluate(votes, candidates, seed=4)
    assert evaluate(votes, candidates, seed=4) != evaluate(votes, candidates, seed=5)


def test_one_photograph_has_no_interval_and_says_so() -> None:
    votes, distances = make_votes(photographs=1)
    evaluation = evaluate(votes, [Candidate("new", "New", "new", distances)])
    row = row_of(evaluation, "new")
    assert (row["low"], row["high"]) == (None, None)
    assert row["score"] is not None
    assert evaluation["interval_reason"] == "fewer than two photographs: no interval"
    assert "fewer than two photographs" in format_table(evaluation)


def test_single_votes_leave_people_unknown() -> None:
    votes, distances = make_votes(votes=1)
    evaluation = evaluate(votes, [Candidate("new", "New", "new", distances)])
    assert evaluation["people"]["human_score"] is None
    assert "judged twice" in row_of(evaluation, "human")["reason"]
    assert "judged twice" in format_table(evaluation)


def test_no_votes_raise() -> None:
    with pytest.raises(ValueError, match="no votes in the test split"):
        evaluate(Votes(*([np.empty(0)] * 3), *([np.empty(0, dtype=np.str_)] * 3)), [])


def test_the_interval_draws_photographs_not_triplets() -> None:
    # Within a photograph all triplets agree or none does: ten photographs are ten observations.
    photographs = np.repeat([f"p{number}" for number in range(10)], 50)
    agreeing = np.repeat(np.arange(10) % 2, 50).astype(float)
    spread = float(np.std(Bootstrap(photographs, 0).ratios(agreeing, np.ones(500))))
    assert spread == pytest.approx(0.5 / np.sqrt(10), rel=0.1)


def test_the_interval_covers_the_truth() -> None:
    hits = 0
    truth = two_afc_score(*reversed(make_votes(photographs=4000, seed=99)))
    for seed in range(60):
        votes, distances = make_votes(photographs=25, seed=seed)
        row = evaluate(votes, [Candidate("new", "New", "new", distances)], resamples=300)["rows"][2]
        hits += row["low"] <= truth <= row["high"]
    assert hits >= 51


def test_the_slope_is_recovered_and_calibrated() -> None:
    votes, distances = make_votes(photographs=300, slope=0.8)
    slope = fit_slope(distances, votes)
    assert slope == pytest.approx(0.8, rel=0.05)
    chance = 1 / (1 + np.exp(-slope * (distances[:, 0] - distances[:, 1])))
    assert calibration_error(calibration_curve(chance, votes.p1, votes.total)) < 0.02
    wrong = chance**0.3 / (chance**0.3 + (1 - chance) ** 3)
    assert calibration_error(calibration_curve(wrong, votes.p1, votes.total)) > 0.1


def test_a_distance_that_points_the_wrong_way_gets_no_slope() -> None:
    votes, distances = make_votes()
    assert fit_slope(-distances, votes) == pytest.approx(0, abs=1e-3)
    assert fit_slope(np.zeros_like(distances), votes) == 0
