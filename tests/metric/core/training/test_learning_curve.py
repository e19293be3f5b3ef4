"""The learning curve: from little to all, better with more where there is something to learn, and honest where not."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metric.__main__ import main
from metric.core.config import TrainConfig
from metric.core.evaluation.table import format_learning_curve, more_in_words
from metric.core.evaluation.vote_means import VoteMeans
from metric.core.evaluation.votes import Votes
from metric.core.training import learning_curve as module
from metric.core.training.kinds import fit_of
from metric.core.training.learning_curve import _Measured, _more
from metric.core.training.train import curve_of, train
from tests.kit.snapshots import coin, make_snapshot

CONFIG = TrainConfig(
    terms=("psnr", "ssim2"), nets=("none",), strengths=(10.0, 0.1), baselines=("psnr",), resamples=100
)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_snapshot(tmp_path_factory.mktemp("study") / "snapshot", per_split=(12, 2, 4), votes=4)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vectors")


def test_a_run_has_the_curve_and_its_last_point_is_the_fit_itself(
    snapshot: Path, cache: Path, tmp_path: Path
) -> None:
    result = train(snapshot, tmp_path / "out", CONFIG, cache=cache)
    evaluation = result["evaluation"]
    curve: dict[str, Any] = evaluation["learning_curve"]
    new = next(row for row in evaluation["rows"] if row["kind"] == "new")
    whole = result["settings"]["splits"]["train"]
    for what, count in (("votes", whole["judgments"]), ("photographs", len(whole["photographs"]))):
        points = curve[what]["points"]
        assert [point["n"] for point in points] == sorted({point["n"] for point in points})
        assert points[-1]["n"] == count
        assert points[-1]["score"] == pytest.approx(new["score"])
        assert (points[-1]["score_low"], points[-1]["score_high"]) == pytest.approx((new["low"], new["high"]))
        assert points[-1]["log_loss"] == pytest.approx(new["log_loss"], abs=1e-4)
    assert curve["votes"]["more"]["n"] == 1000


def test_parts_have_three_folds_and_the_whole_those_of_the_metric(
    snapshot: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folds: dict[float, int] = {}

    def noted(design: Any, mean: Any, parts: Any, config: TrainConfig) -> Any:
        folds[float(design.total.sum())] = config.folds
        return fit_of(design, mean, parts, config)

    monkeypatch.setattr(module, "fit_of", noted)
    curve_of(snapshot, CONFIG, cache)
    assert CONFIG.folds > 3 and folds.pop(max(folds)) == CONFIG.folds
    assert folds and set(folds.values()) == {3}


def test_the_command_prints_it(snapshot: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--terms", "psnr", "--net", "none", "--strengths", "10", "0.1", "--cache", str(cache)]
    assert main(["curve", str(snapshot), *options, "--json"]) == 0
    curve = json.loads(capsys.readouterr().out)
    assert main(["curve", str(snapshot), *options]) == 0
    text = capsys.readouterr().out
    assert text == format_learning_curve(curve)
    assert "1,000 more votes would change agreement by about" in text
    assert main(["curve", str(snapshot), "--kind", "ranker", "--net", "alex"]) == 2
    assert "only available for the kind heads" in capsys.readouterr().err


def ten_votes() -> VoteMeans:
    texts = np.arange(10).astype(np.str_)
    return VoteMeans(Votes(np.zeros(10), np.ones(10), np.zeros(10), texts, texts, texts))


def measured(n: int, share: float, loss: float) -> _Measured:
    return _Measured(n, np.full(10, share), np.full(10, loss))


def test_what_more_would_bring_is_read_from_one_over_n() -> None:
    """Planted: agreement .8 - 10/n and log-loss .5 + 20/n, with a little noise between the draws."""
    rng = np.random.default_rng(0)
    draws = [
        [measured(n, 0.8 - 10 / n + rng.normal(0, 1e-5), 0.5 + 20 / n) for n in (125, 250, 500, 1000)]
        for _ in range(4)
    ]
    more = _more(draws, ten_votes(), 1000)
    assert more is not None
    assert more["score"] == pytest.approx(0.005, abs=2e-5)
    assert more["log_loss"] == pytest.approx(-0.01, abs=1e-9)
    assert more["score_low"] < more["score"] < more["score_high"]
    assert "by about +0.50 points" in more_in_words(more, "votes") and "-0.0100" in more_in_words(
        more, "votes"
    )


def test_too_few_points_say_nothing() -> None:
    assert _more([[measured(10, 0.5, 0.7), measured(20, 0.6, 0.6)]] * 4, ten_votes(), 10) is None
    assert "is unknown" in more_in_words(None, "photographs")


def test_a_coin_teaches_nothing(tmp_path: Path) -> None:
    curve = curve_of(make_snapshot(tmp_path / "coin", per_split=(8, 2, 4), votes=6, rule=coin), CONFIG)
    last = curve["votes"]["points"][-1]
    assert last["score_low"] < 0.5 < last["score_high"] or abs(last["score"] - 0.5) < 0.1
    assert abs(last["log_loss"] - np.log(2)) < 0.05
