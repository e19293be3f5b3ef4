"""A version's page shows the panel of agreement: each two metrics, what is certain, and nothing of the machine."""

import copy
import json
from functools import cache
from typing import Any

import numpy as np
import pytest
from django.test import Client

from metric.core.evaluation.evaluate import evaluate
from metric.core.evaluation.panel import panel
from metric.core.evaluation.votes import Candidate, Votes
from metric.core.snapshot.answers import SingleAnswers
from metric.templatetags.calibration import calibration_slope, calibration_words
from metric.templatetags.panel import matrix, panel_words
from tests.metric.versions import make_evaluation, make_row, make_version

PEOPLE, SOURCES, PAIRS = 8, 12, 10


def made() -> dict[str, Any]:
    """A copy, which a test may change."""
    return copy.deepcopy(_made())


@cache
def _made() -> dict[str, Any]:
    """A table with its panel: a metric that knows what people choose by, PSNR that hardly does, and a coin."""
    rng = np.random.default_rng(0)
    count = SOURCES * PAIRS
    distances = rng.normal(5, 1, size=(count, 2))
    chance = 1 / (1 + np.exp(-2 * (distances[:, 0] - distances[:, 1])))
    p1 = (rng.random((count, PEOPLE)) < chance[:, None]).astype(float)
    photograph = np.repeat([f"{n}" for n in range(SOURCES)], PAIRS)
    texts = np.full(count, "0.37")
    votes = Votes(PEOPLE - p1.sum(1), p1.sum(1), np.zeros(count), photograph, texts, texts)
    answers = SingleAnswers(
        np.repeat(np.arange(count), PEOPLE), p1.ravel(), np.tile(np.arange(PEOPLE), count)
    )
    rows = [
        Candidate("psnr", "PSNR", "baseline", distances + rng.normal(0, 2, distances.shape)),
        Candidate("coin", "Coin", "baseline", rng.normal(size=distances.shape)),
        Candidate("gone", "Gone", "baseline", None, reason="it failed (OSError: /home/ann/gone.pth)"),
        Candidate("new", "New version", "new", distances),
    ]
    names = np.array([[f"{n}a", f"{n}b"] for n in range(count)])
    evaluation = evaluate(votes, rows, answers=answers, conditions=names, resamples=100)
    assert evaluation["panel"] == panel(votes, answers, names, rows)
    evaluation["n_annotators"] = PEOPLE
    return evaluation


def test_table_and_panel_say_the_same_of_each_metric() -> None:
    evaluation = made()
    table = {row["key"]: row for row in evaluation["rows"]}
    for row in evaluation["panel"]["rows"]:
        if row["available"]:
            its = table[row["key"]]
            assert row["score"] == {"value": its["score"], "low": its["low"], "high": its["high"]}
            assert row["log_loss"]["value"] == its["log_loss"]
    (pair,) = [p for p in evaluation["panel"]["pairs"] if (p["first"], p["second"]) == ("psnr", "new")]
    mean = table["new"]["difference_to_psnr"]["mean"]
    assert pair["difference"]["value"] == pytest.approx(-mean)


def test_intervals_know_who_answered() -> None:
    """One person whose answers are all turned round moves everybody's interval, not only that of the photographs."""
    rng = np.random.default_rng(1)
    count = 40
    distances = np.tile([[1.0, 2.0]], (count, 1))
    person = np.tile(np.arange(4), count)
    p1 = np.where(person == 0, 1.0, (rng.random(4 * count) < 0.1).astype(float))
    place = np.repeat(np.arange(count), 4)
    texts = np.full(count, "0")
    totals = np.bincount(place, p1, count)
    votes = Votes(4 - totals, totals, np.zeros(count), np.arange(count).astype(str), texts, texts)
    one = [Candidate("new", "New", "new", distances)]
    by_people = evaluate(votes, one, answers=SingleAnswers(place, p1, person), resamples=100)["rows"][-1]
    without = evaluate(votes, one, resamples=100)["rows"][-1]
    assert by_people["score"] == pytest.approx(without["score"])
    assert by_people["high"] - by_people["low"] > 2 * (without["high"] - without["low"])


def test_the_matrix_is_turned_round_below_its_diagonal() -> None:
    rows = matrix(made())
    assert [row.name for row in rows] == ["PSNR", "Coin", "New version"]
    assert [row.cells[n] for n, row in enumerate(rows)] == [None] * 3
    above, below = rows[0].cells[2], rows[2].cells[0]
    assert above is not None and below is not None
    assert (above.verdict, below.verdict) == ("worse", "better")
    assert above.difference == below.difference.replace("+", "−")
    assert (above.p, below.p) == ("p < 0.001", "p < 0.001")


def test_words_name_what_is_certain_and_count_the_rest() -> None:
    words = panel_words(made())
    assert "960 answers by 8 annotators on 12 photographs" in words
    assert "New version agrees better than PSNR" in words and "New version agrees better than Coin" in words
    same = made()
    for pair in same["panel"]["pairs"]:
        pair["p_holm"] = 0.5
    assert panel_words(same).startswith("With all pairs held together, no two metrics can be told apart")


@pytest.mark.django_db
def test_the_page_has_the_panel_and_no_secrets_of_the_machine(owner_client: Client) -> None:
    evaluation = make_evaluation()
    whole = made()
    evaluation["panel"] = json.loads(json.dumps(whole["panel"], allow_nan=False))
    evaluation["rows"] = [make_row("human", "people", 0.71), *whole["rows"][2:]]
    page = owner_client.get(make_version(evaluation=evaluation).get_absolute_url()).content.decode()
    assert "Metric against metric" in page and "New version agrees better than PSNR" in page
    assert "unavailable: it failed" in page
    assert "OSError" not in page and "/home/ann" not in page
    assert " style=" not in page
    assert "Metric against metric" not in owner_client.get(make_version().get_absolute_url()).content.decode()


def bins(*rows: tuple[float, float]) -> list[dict[str, Any]]:
    return [{"stated": stated, "seen": seen, "n_votes": 400} for stated, seen in rows]


@pytest.mark.parametrize(
    ("curve", "words"),
    [
        (bins((0.55, 0.57), (0.7, 0.71), (0.98, 0.8)), "overconfident"),
        (bins((0.55, 0.62), (0.7, 0.85), (0.9, 0.98)), "underconfident: where"),
        (bins((0.55, 0.56), (0.7, 0.69), (0.9, 0.9)), "neither overconfidence nor"),
    ],
)
def test_words_of_calibration_agree_with_the_points(curve: list[dict[str, Any]], words: str) -> None:
    assert words in calibration_words(curve)


def test_the_slope_of_true_chances_is_one() -> None:
    slope, half = calibration_slope(bins((0.6, 0.6), (0.8, 0.8)))
    assert slope == pytest.approx(1) and 0 < half < 0.3
    assert calibration_slope(bins((0.5, 0.5)))[1] == float("inf")


@pytest.mark.django_db
def test_the_page_has_the_learning_curve(owner_client: Client) -> None:
    evaluation = make_evaluation()
    names = ("score", "score_low", "score_high", "log_loss", "log_loss_low", "log_loss_high")
    point = dict(zip(names, (0.7, 0.66, 0.74, 0.55, 0.5, 0.6), strict=True))
    more = dict(zip(names, (0.004, -0.001, 0.009, -0.003, -0.004, -0.002), strict=True)) | {"n": 1000}
    points = [point | {"n": 150}, point | {"n": 1200}]
    evaluation["learning_curve"] = {
        "votes": {"points": points, "more": more},
        "photographs": {"points": points[:1], "more": None},
    }
    page = owner_client.get(make_version(evaluation=evaluation).get_absolute_url()).content.decode()
    assert "1,000 more votes would change agreement by about +0.40 points (−0.10 to +0.90)" in page
    assert "and log-loss by −0.0030 (−0.0040 to −0.0020)" in page
    assert "The effect of more photographs is unknown" in page
    assert "Agreement by number of votes learned from" in page and "1,200 votes" in page
    assert "Learning curve" not in owner_client.get(make_version().get_absolute_url()).content.decode()
