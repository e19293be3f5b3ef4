"""kill −9 in every stage of a run: the next one goes on, and ends with the same bits."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from metric.core.config import TrainConfig
from metric.core.training.train import train
from tests.kit.snapshots import make_snapshot
from tests.metric.core.conftest import trunk_or_skip

CONFIG = TrainConfig(
    kind="comp", terms=("psnr",), baselines=("ssim",), resamples=100, strengths=(100.0,), epochs=2, patience=2
)
STAGES = ("verify", "images", "features", "fit", "fine-tune", "evaluate ssim", "evaluate new", "write")


def _killed_in(stage: str, snapshot: Path, out: Path, cache: Path) -> None:
    def progress(now: str, done: int, total: int) -> None:
        # In the middle, where there is one.
        if now == stage and 2 * done >= total:
            os.kill(os.getpid(), signal.SIGKILL)

    train(snapshot, out, CONFIG, cache=cache, progress=progress)


@pytest.mark.slow
def test_the_result_is_the_same(tmp_path: Path) -> None:
    trunk_or_skip("alex")
    snapshot = make_snapshot(tmp_path / "snapshot", per_split=(4, 2, 2), votes=4)
    train(snapshot, tmp_path / "undisturbed", CONFIG, cache=tmp_path / "other")
    out, cache = tmp_path / "runs" / "run", tmp_path / "cache"
    fork = multiprocessing.get_context("fork")
    for stage in STAGES:
        process = fork.Process(target=_killed_in, args=(stage, snapshot, out, cache))
        process.start()
        process.join(100)
        # A stage with nothing left to do is not told of; then the run was through.
        assert process.exitcode == -signal.SIGKILL or (stage, process.exitcode) == ("features", 0), stage
        assert stage == "write" or not out.exists(), stage
    train(snapshot, out, CONFIG, cache=cache)
    for name in ("metric.safetensors", "settings.json", "evaluation.json"):
        assert (out / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes(), name
