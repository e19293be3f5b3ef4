"""A run by several processes: the folder that one process makes, and what goes wrong in a member is told."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from metric.core.config import TrainConfig
from metric.core.distance.checkpoint import load, read_manifest
from metric.core.training.members import TeamError, train_by_team
from tests.kit.snapshots import make_snapshot
from tests.metric.core.conftest import trunk_or_skip

TWO = TrainConfig(
    kind="comp", net="alex", baselines=(), resamples=100, strengths=(100.0,), epochs=1, processes=2
)


def test_two_processes_leave_a_whole_version(tmp_path: Path) -> None:
    trunk_or_skip("alex")
    snapshot = make_snapshot(tmp_path / "snapshot", per_split=(3, 1, 1), votes=4)
    stages: list[str] = []
    train_by_team(
        snapshot,
        tmp_path / "out",
        TWO,
        promoted=None,
        cache=tmp_path / "vectors",
        progress=lambda stage, done, total: stages.append(stage),
    )
    assert load(tmp_path / "out").settings["fine_tuning"]["processes"] == 2
    assert read_manifest(tmp_path / "out")["config"]["processes"] == 2
    assert {"verify", "fine-tune", "write"} <= set(stages)


def saying(*lines: str, status: int = 0) -> Any:
    """In the place of torchrun, a process that prints these lines."""
    text = "".join(f"print({line!r}, flush=True);" for line in lines)

    def wrap(command: Sequence[str]) -> list[str]:
        assert (
            command[1:3] == ["-m", "torch.distributed.run"]
            and command[command.index("--nproc-per-node") + 1] == "2"
        )
        return [sys.executable, "-c", f"import sys, time;{text}sys.exit({status})"]

    return wrap


def follow(tmp_path: Path, wrap: Any, progress: Any = lambda stage, done, total: None) -> None:
    train_by_team(
        tmp_path, tmp_path / "out", TWO, promoted=None, cache=tmp_path, progress=progress, wrap=wrap
    )


def test_the_words_of_the_first_member_that_failed_are_raised(tmp_path: Path) -> None:
    first, second = (
        'closer-member {"error": "no photograph"}',
        'closer-member {"error": "the other is gone"}',
    )
    with pytest.raises(TeamError, match="^no photograph$"):
        follow(tmp_path, saying("noise of a library", first, second, status=1))


def test_a_member_that_dies_without_words_is_told(tmp_path: Path) -> None:
    with pytest.raises(TeamError, match="status 7"):
        follow(tmp_path, saying(status=7))


def test_what_the_caller_raises_ends_the_team(tmp_path: Path) -> None:
    class Cancelled(Exception):
        pass

    def cancel(stage: str, done: int, total: int) -> None:
        raise Cancelled

    line = 'closer-member {"stage": "fit", "done": 0, "total": 1}'
    with pytest.raises(Cancelled):
        follow(tmp_path, saying(line, "x" * 10), cancel)


def test_only_fine_tuning_takes_several_processes() -> None:
    with pytest.raises(ValueError, match="only possible for fine-tuning"):
        TrainConfig(processes=2)
