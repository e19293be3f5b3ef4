"""Folder in, folder out: whole, reproducible, comparable."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from metric.core import load
from metric.core.config import TrainConfig
from metric.core.distance.checkpoint import CheckpointError
from metric.core.evaluation.table import format_table
from metric.core.snapshot.folder import SnapshotError
from metric.core.training import train as train_module
from metric.core.training.train import train
from tests.kit.snapshots import coin, make_snapshot
from tests.metric.core.conftest import trunk_or_skip

QUICK = TrainConfig(
    net="alex",
    baselines=("psnr", "ms-ssim", "lpips-alex"),
    resamples=200,
    strengths=(100.0, 10.0, 1.0),
    learning_curve=False,
)
RESULTS = ("heads.pth", "metric.safetensors", "settings.json", "evaluation.json", "sources.safetensors")


@pytest.fixture(scope="module", autouse=True)
def _alex_is_here() -> None:
    trunk_or_skip("alex")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vectors")


@pytest.fixture(scope="module")
def finished(
    snapshot: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """A finished run; tests only read it."""
    out = tmp_path_factory.mktemp("runs") / "first"
    return out, train(snapshot, out, QUICK, cache=cache)


def test_a_run_leaves_a_whole_folder(finished: tuple[Path, dict[str, Any]]) -> None:
    out, result = finished
    assert {path.name for path in out.iterdir()} == {*RESULTS, "log.jsonl", "manifest.json"}
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    assert set(result["manifest"]["files"]) == {*RESULTS, "log.jsonl"}
    assert result["settings"]["splits"]["train"]["triplets"] == 24
    assert result["settings"]["short_side"] == [48, 64]
    assert result["settings"]["simulated"] is True
    assert result["evaluation"]["calibrated_on"] == "val"
    rows = {row["key"]: row for row in result["evaluation"]["rows"]}
    assert list(rows) == ["human", "ceiling", "psnr", "ms-ssim", "lpips-alex", "new"]
    assert rows["ms-ssim"]["available"] is False
    assert rows["new"]["difference_to_stock"]["mean"] is not None
    assert all(json.loads(line)["message"] for line in (out / "log.jsonl").read_text().splitlines())


def test_two_runs_are_equal_bit_for_bit(
    finished: tuple[Path, dict[str, Any]], snapshot: Path, cache: Path, tmp_path: Path
) -> None:
    out, _ = finished
    for name, vectors in (("warm", cache), ("cold", None)):
        train(snapshot, tmp_path / name, QUICK, cache=vectors)
        for result in RESULTS:
            assert (tmp_path / name / result).read_bytes() == (out / result).read_bytes(), (name, result)


def test_progress_counts_every_stage_to_its_end(snapshot: Path, cache: Path, tmp_path: Path) -> None:
    last: dict[str, tuple[int, int]] = {}
    train(
        snapshot,
        tmp_path / "run",
        QUICK,
        progress=lambda stage, done, total: last.__setitem__(stage, (done, total)),
    )
    assert list(last)[:4] == ["verify", "images", "features", "fit"]
    assert list(last)[-1] == "write"
    assert all(done == total for stage, (done, total) in last.items() if "ms-ssim" not in stage)


def test_the_promoted_version_is_compared_with(
    finished: tuple[Path, dict[str, Any]], snapshot: Path, cache: Path, tmp_path: Path
) -> None:
    out, first = finished
    second = train(snapshot, tmp_path / "second", QUICK, promoted=out, cache=cache)
    rows = {row["key"]: row for row in second["evaluation"]["rows"]}
    assert (
        rows["promoted"]["score"] == {row["key"]: row for row in first["evaluation"]["rows"]}["new"]["score"]
    )
    assert rows["new"]["difference_to_promoted"] == {"mean": 0.0, "low": 0.0, "high": 0.0}


def test_the_same_run_again_returns_what_is_there(
    finished: tuple[Path, dict[str, Any]], snapshot: Path, tmp_path: Path
) -> None:
    out, result = finished
    before = (out / "log.jsonl").stat().st_mtime_ns
    assert train(snapshot, out, QUICK) == result
    assert (out / "log.jsonl").stat().st_mtime_ns == before
    with pytest.raises(CheckpointError, match="another snapshot or configuration"):
        train(snapshot, out, TrainConfig(baselines=()))


def test_the_loaded_metric_gives_the_distances_of_its_heads(
    finished: tuple[Path, dict[str, Any]],
) -> None:
    from metric.core import LPIPS

    out, result = finished
    metric = load(out)
    assert metric.settings == result["settings"]
    a, b = torch.rand(2, 3, 64, 64) * 2 - 1, torch.rand(2, 3, 64, 64) * 2 - 1
    assert torch.equal(metric(a, b), LPIPS("alex", out / "heads.pth")(a, b))


def test_another_size_than_it_was_fitted_on_warns_once(finished: tuple[Path, dict[str, Any]]) -> None:
    metric = load(finished[0])
    images = torch.zeros(1, 3, 128, 128)
    with pytest.warns(UserWarning, match="short side of 48 to 64 pixels, but is used at 128"):
        metric(images, images)
    metric(images, images)


def test_a_run_that_is_interrupted_leaves_nothing(
    snapshot: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(train_module, "save_metric", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(snapshot, tmp_path / "run", QUICK, cache=cache)
    assert list(tmp_path.iterdir()) == []


def test_a_restart_computes_no_vector_twice(
    snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(stage: str, done: int, total: int) -> None:
        if stage == "fit":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(snapshot, tmp_path / "run", QUICK, cache=tmp_path / "vectors", progress=interrupted)
    stages: list[str] = []
    train(
        snapshot,
        tmp_path / "run",
        QUICK,
        cache=tmp_path / "vectors",
        progress=lambda stage, done, total: stages.append(stage),
    )
    assert "features" not in stages
    assert (tmp_path / "run" / "manifest.json").exists()


def test_shuffled_votes_score_one_half_within_the_interval(tmp_path: Path, cache: Path) -> None:
    folder = make_snapshot(tmp_path / "coin", rule=coin, per_split=(6, 2, 20), seed=1)
    rows = train(folder, tmp_path / "run", QUICK, cache=cache)["evaluation"]["rows"]
    assert rows[-1]["low"] < 0.5 < rows[-1]["high"]


def test_a_snapshot_that_is_too_small_is_refused(own_snapshot: Path, tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="Collect more judgments"):
        train(own_snapshot, tmp_path / "run", QUICK)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"net": "resnet"}, "Known: alex"),
        ({"kind": "forest"}, "Known: heads, comp, ranker"),
        ({"baselines": ("vif",)}, "Known: psnr"),
        ({"strengths": (0.0,)}, "from 1e-06"),
        ({"folds": 1}, "from 2 to 50"),
        ({"device": "tpu"}, "Known: auto"),
        ({"nets": ("alex", "alex")}, "given twice"),
        ({"terms": ("vmaf",)}, "Known: psnr, ms-ssim"),
        ({"kind": "ranker", "terms": ("psnr",)}, "The ranker requires one trunk"),
        ({"crop": 32}, "at least 64"),
        ({"epochs": 0}, "from 1 to 1000"),
    ],
)
def test_a_config_that_makes_no_sense_raises(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainConfig(**options)


def test_a_promoted_folder_that_is_not_whole_is_refused(
    finished: tuple[Path, dict[str, Any]], snapshot: Path, tmp_path: Path
) -> None:
    shutil.copytree(finished[0], tmp_path / "old")
    (tmp_path / "old" / "manifest.json").unlink()
    with pytest.raises(CheckpointError, match="not a finished training run"):
        train(snapshot, tmp_path / "run", QUICK, promoted=tmp_path / "old")


def test_a_run_on_everything_has_no_test_split_and_says_so(
    snapshot: Path, cache: Path, tmp_path: Path
) -> None:
    result = train(snapshot, tmp_path / "all", TrainConfig(everything=True, strengths=(1.0,)), cache=cache)
    splits = result["settings"]["splits"]
    assert splits["train"]["triplets"] == 44
    assert (splits["val"]["triplets"], splits["test"]["triplets"]) == (0, 0)
    (row,) = result["evaluation"]["rows"]
    assert not row["available"]
    assert "no test split" in format_table(result["evaluation"])
    assert "held-out folds" in load(tmp_path / "all").calibrated_on


def test_the_usual_run_needs_no_network_and_agrees_with_who_votes_by_what_it_sees(
    snapshot: Path, cache: Path, tmp_path: Path
) -> None:
    result = train(
        snapshot, tmp_path / "usual", TrainConfig(baselines=("psnr",), learning_curve=False), cache=cache
    )
    assert result["settings"]["nets"] == ["none"]
    assert set(result["settings"]["weights"]) == {"ssim2", "psnr"}
    rows = {row["key"]: row for row in result["evaluation"]["rows"]}
    # These votes follow squared error, which one of its columns is.
    assert rows["new"]["score"] > 0.6
    metric = load(tmp_path / "usual")
    assert metric.minimum_side == 16
    assert not list((tmp_path / "usual").glob("*.pth"))
