"""The table says what the votes say, with intervals that know how few photographs there are."""

import json
from typing import Any

import numpy as np
import pytest

from metric.core.distance.choice import ChoiceCurve
from metric.core.evaluation.evaluate import evaluate, untested
from metric.core.evaluation.reasons import PENDING
from metric.core.evaluation.table import format_table, rate_in_words
from metric.core.evaluation.vote_means import VoteMeans
from metric.core.evaluation.votes import Candidate, Votes
from psychometrics.comparisons import Floats


def two_afc_score(distances: Floats, votes: Votes) -> float:
    """The share of votes that agree with the smaller distance."""
    return float(VoteMeans(votes).agreeing(distances).sum() / votes.total.sum())


def make_votes(
    *, photographs: int = 12, per_photograph: int = 10, votes: int = 5, seed: int = 0, slope: float = 1.5
) -> tuple[Votes, Floats]:
    """Votes by a hidden margin, and distances (N, 2) that know it."""
    rng = np.random.default_rng(seed)
    count = photographs * per_photograph
    distances = rng.normal(5, 1, size=(count, 2))
    p1 = rng.binomial(votes, 1 / (1 + np.exp(-slope * (distances[:, 0] - distances[:, 1]))))
    result = Votes(
        n_p0=(votes - p1).astype(float),
        n_p1=p1.astype(float),
        n_tie=np.zeros(count),
        photograph=np.repeat([f"photograph {number}" for number in range(photographs)], per_photograph),
        kind=np.tile(["classical-classical", "classical-learned"], count // 2),
        target_bpp=np.tile(["1.0", "0.23"], count // 2),
    )
    return result, distances


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
    row_of(evaluation, "vgg")["reason"] = PENDING
    assert "LPIPS vgg: follows in a second step" in format_table(evaluation)
    assert f"{100 * new['score']:.1f}" in text


def test_a_metric_that_guesses_scores_one_half_within_its_interval() -> None:
    votes, distances = make_votes(photographs=30)
    guess = np.random.default_rng(5).normal(size=distances.shape)
    row = row_of(evaluate(votes, [Candidate("guess", "Guess", "new", guess)]), "guess")
    assert row["low"] < 0.5 < row["high"]
    # Its curve is fitted on the other sources: what says nothing is given a chance near one half.
    assert row["log_loss"] == pytest.approx(np.log(2), abs=0.02)


def test_two_evaluations_are_equal() -> None:
    votes, distances = make_votes()
    candidates = [Candidate("new", "New", "new", distances)]
    assert evaluate(votes, candidates, seed=4) == evaluate(votes, candidates, seed=4)


def test_a_versions_chances_are_those_of_its_own_curve_lapses_and_all() -> None:
    votes, distances = make_votes()
    sure, careful = (
        Candidate(str(lapse), "", "new", distances, curve=ChoiceCurve(20.0, lapse)) for lapse in (0.0, 0.3)
    )
    first, second = (row_of(evaluate(votes, [one]), one.key) for one in (sure, careful))
    assert first["log_loss"] > second["log_loss"] + 0.3
    assert first["calibration"][-1]["stated"] > 0.99
    assert second["calibration"][-1]["stated"] == pytest.approx(0.85, abs=0.01)


def test_every_row_is_held_against_psnr_in_agreement_and_in_log_loss() -> None:
    votes, distances = make_votes(photographs=40)
    noise = np.random.default_rng(3).normal(size=distances.shape)
    rows = [Candidate("psnr", "PSNR", "baseline", noise), Candidate("new", "New", "new", distances)]
    evaluation = evaluate(votes, rows)
    new = row_of(evaluation, "new")
    assert new["difference_to_psnr"]["low"] > 0
    assert new["log_loss_difference_to_psnr"]["high"] < 0
    assert row_of(evaluation, "psnr")["difference_to_psnr"] is None
    assert evaluation["calibrated_on"] == "other sources of the same votes"


def test_the_best_possible_metric_and_the_rows_can_be_compared_on_the_same_pairs() -> None:
    votes, distances = make_votes(votes=2)
    half = np.arange(len(votes.total)) % 2 == 0
    mixed = Votes(
        votes.n_p0 * half,
        np.where(half, votes.n_p1, 1.0),
        votes.n_tie,
        votes.photograph,
        votes.kind,
        votes.target_bpp,
    )
    table = evaluate(
        mixed, [Candidate("new", "new", "new", distances), Candidate("rival", "rival", "baseline", distances)]
    )
    row = row_of(table, "new")
    score = f"{100 * row['score_where_known']:.1f}"
    assert f"On those pairs the score is, in per cent: new {score}, rival {score}." in format_table(table)
    known = Votes(
        *(
            x[half]
            for x in (mixed.n_p0, mixed.n_p1, mixed.n_tie, mixed.photograph, mixed.kind, mixed.target_bpp)
        )
    )
    assert row["score_where_known"] == pytest.approx(two_afc_score(distances[half], known))
    assert row["score_where_known"] != pytest.approx(row["score"])


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


def test_the_interval_is_over_photographs_not_triplets() -> None:
    # Within a photograph all triplets agree or none does: ten photographs are ten observations.
    photographs = np.repeat([f"p{number}" for number in range(10)], 50)
    right = np.repeat(np.arange(10) % 2, 50).astype(float)
    texts = np.full(500, "any")
    votes = Votes(1 - right, right, np.zeros(500), photographs, texts, texts)
    row = evaluate(votes, [Candidate("new", "New", "new", np.tile([1.0, 0.0], (500, 1)))])["rows"][2]
    assert row["high"] - row["low"] == pytest.approx(2 * 2.262 * np.sqrt(0.25 / 9), rel=0.05)


def test_the_interval_covers_the_truth_with_few_photographs() -> None:
    hits = 0
    truth = two_afc_score(*reversed(make_votes(photographs=4000, seed=99)))
    for seed in range(200):
        votes, distances = make_votes(photographs=7, seed=seed)
        row = evaluate(
            votes, [Candidate("new", "New", "new", distances, curve=ChoiceCurve(1.0))], resamples=2
        )["rows"][2]
        hits += row["low"] <= truth <= row["high"]
    assert hits >= 184


def test_a_metric_without_a_test_split_has_the_keys_of_one_with() -> None:
    votes, distances = make_votes(photographs=4)
    table = evaluate(votes, [Candidate("new", "New", "new", distances)], resamples=100)
    without = untested("New", "no test split", simulated=False)
    assert without.keys() == table.keys()
    assert without["rows"][0].keys() == table["rows"][-1].keys()
    assert without["people"].keys() == table["people"].keys()


@pytest.mark.parametrize("rate", ["0", "0.0"])
def test_pairs_of_unknown_bitrate_are_not_said_to_have_none(rate: str) -> None:
    assert rate_in_words(rate) == "bpp unknown"
    assert rate_in_words("0.05") == "0.05 bpp"
