"""Every kind of run, and every part of a distance, goes from a snapshot to a folder that loads."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from metric.core import load
from metric.core.config import TrainConfig
from metric.core.distance.combined import Combined
from metric.core.training.train import train
from tests.metric.core.conftest import trunk_or_skip

FAST = {
    "net": "alex",
    "baselines": ("psnr", "lpips-alex"),
    "resamples": 100,
    "strengths": (300.0, 10.0),
    "learning_curve": False,
}


@pytest.fixture(scope="module", autouse=True)
def _trunks_are_here() -> None:
    for net in ("alex", "squeeze"):
        trunk_or_skip(net)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vectors")


def run(snapshot: Path, out: Path, cache: Path, **options: Any) -> dict[str, Any]:
    return train(snapshot, out, TrainConfig(**(FAST | options)), cache=cache)


def test_trunks_structure_and_terms_in_one_fit(snapshot: Path, cache: Path, tmp_path: Path) -> None:
    result = run(
        snapshot,
        tmp_path / "run",
        cache,
        nets=("alex", "squeeze"),
        terms=("psnr", "ms-ssim"),
        structure=True,
        layer_scales=None,
        lapse=True,
        reliability=True,
    )
    settings = result["settings"]
    assert settings["nets"] == ["alex", "squeeze"]
    assert set(settings["weights"]) == {"psnr", "ms-ssim"}
    assert settings["lapse"] >= 0
    assert set(settings["reliability"]) == {"annotator 0", "annotator 1", "annotator 2"}
    assert {path.name for path in (tmp_path / "run").iterdir()} >= {"heads-alex.pth", "heads-squeeze.pth"}
    metric = load(tmp_path / "run")
    assert isinstance(metric, Combined)
    a, b = torch.rand(2, 3, 64, 64) * 2 - 1, torch.rand(2, 3, 64, 64) * 2 - 1
    assert metric(a, b).shape == (2, 1, 1, 1)
    assert float(metric.train_loss()(a, a)) == pytest.approx(0, abs=1e-3)


def test_a_term_that_knows_the_answer_gets_the_weight(snapshot: Path, cache: Path, tmp_path: Path) -> None:
    # The votes of this snapshot follow squared error.
    plain = run(snapshot, tmp_path / "plain", cache, layer_scales=False)
    with_psnr = run(snapshot, tmp_path / "psnr", cache, terms=("psnr",), layer_scales=False)
    assert with_psnr["settings"]["weights"]["psnr"][0] > 0
    assert with_psnr["settings"]["log_loss_held_out"] < plain["settings"]["log_loss_held_out"]


def test_the_ranker_leaves_an_ordinary_file_of_heads(snapshot: Path, cache: Path, tmp_path: Path) -> None:
    from metric.core import LPIPS

    first, second = (run(snapshot, tmp_path / name, cache, kind="ranker") for name in "ab")
    assert len(first["settings"]["ranker_losses"]) == 10
    assert first["settings"] == second["settings"]
    heads = LPIPS("alex", tmp_path / "a" / "heads.pth").weights
    assert torch.equal(heads, load(tmp_path / "b").weights)
    assert not torch.equal(heads, LPIPS("alex").weights)
    assert bool((heads >= 0).all())


def test_unknown_terms_and_wrong_numbers_are_refused(snapshot: Path, cache: Path, tmp_path: Path) -> None:
    from metric.core.distance.checkpoint import CheckpointError
    from tests.metric.core.distance.test_checkpoint import change_settings, change_tensors

    run(snapshot, tmp_path / "run", cache, terms=("psnr",))
    change_tensors(tmp_path / "run", lambda t: t["term_weights"].fill_(np.nan))
    with pytest.raises(CheckpointError, match="term_weights contains numbers that are not finite"):
        load(tmp_path / "run")
    change_settings(tmp_path / "run", terms=["vmaf"])
    with pytest.raises(CheckpointError, match="known terms: psnr, ms-ssim"):
        load(tmp_path / "run")


def test_the_config_comes_back_from_the_manifest(snapshot: Path, cache: Path, tmp_path: Path) -> None:
    run(snapshot, tmp_path / "run", cache, nets=("squeeze",))
    stored = json.loads((tmp_path / "run" / "manifest.json").read_text())["config"]
    as_given = {key: tuple(value) if isinstance(value, list) else value for key, value in stored.items()}
    assert TrainConfig(**as_given) == TrainConfig(**(FAST | {"nets": ("squeeze",)}))
    assert stored["net"] == "squeeze"
