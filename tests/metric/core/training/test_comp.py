"""Fine-tuning moves the trunk, never past what validation likes, and survives interruptions and company."""

import multiprocessing
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from metric.core import LPIPS, load
from metric.core.config import TrainConfig
from metric.core.distance.compiling import CompileError, compile_trunks
from metric.core.distance.weights import TRUNK_SHA256
from metric.core.evaluation.scoring import Scoring
from metric.core.snapshot.folder import read_snapshot
from metric.core.training.examples import held_out, with_validation
from metric.core.training.kinds import train_metric
from metric.core.training.resume import read_state
from metric.core.training.train import train
from tests.kit.snapshots import make_snapshot
from tests.metric.core.caches import open_cache
from tests.metric.core.conftest import trunk_or_skip

QUICK = TrainConfig(
    kind="comp", baselines=(), resamples=100, strengths=(100.0,), epochs=2, learning_rate=1e-4, patience=2
)
Progress = Callable[[str, int, int], None]


@pytest.fixture(scope="module", autouse=True)
def _alex_is_here() -> None:
    trunk_or_skip("alex")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Squared error decides without doubt; two sizes of image."""
    folder = tmp_path_factory.mktemp("small") / "snapshot"
    return make_snapshot(folder, per_split=(4, 2, 2), sizes=((64, 64), (48, 72)), votes=4)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vectors")


@pytest.fixture(scope="module")
def finished(
    small: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("runs") / "first"
    return out, train(small, out, QUICK, cache=cache)


def test_the_trunk_moves_and_the_best_epoch_is_kept(finished: tuple[Path, dict[str, Any]]) -> None:
    out, result = finished
    tuning = result["settings"]["fine_tuning"]
    losses = [epoch["validation"] for epoch in tuning["epochs"]]
    assert len(losses) == 3
    assert losses[tuning["best_epoch"]] == min(losses) < losses[0]
    assert tuning["epochs"][2]["train"] < tuning["epochs"][1]["train"]
    metric = load(out)
    assert result["settings"]["trunk_sha256"] != TRUNK_SHA256["alex"]
    assert bool((metric.weights >= 0).all())
    assert not any(value.requires_grad for value in metric.parameters())


def test_the_lpips_package_loads_trunk_and_heads(finished: tuple[Path, dict[str, Any]]) -> None:
    from tests.kit.reference_lpips import import_lpips

    out, _ = finished
    assert not (out / "heads.pth").exists()
    with pytest.warns(UserWarning, match="pretrained|weights"):
        theirs = import_lpips().LPIPS(
            net="alex", pnet_rand=True, model_path=str(out / "lpips.pth"), verbose=False
        )
    a, b = torch.rand(1, 3, 64, 64) * 2 - 1, torch.rand(1, 3, 64, 64) * 2 - 1
    torch.testing.assert_close(load(out)(a, b), theirs(a, b).detach(), atol=1e-5, rtol=1e-5)


def test_a_run_cut_off_between_epochs_goes_on_to_the_same_bits(
    finished: tuple[Path, dict[str, Any]], small: Path, cache: Path, tmp_path: Path
) -> None:
    def cut_off(stage: str, done: int, total: int) -> None:
        # The first step of the second epoch: the state after the first lies on disk.
        if stage == "fine-tune" and done == total // 2 + 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(small, tmp_path / "run", QUICK, cache=cache, progress=cut_off)
    (state,) = (cache / "training").rglob("fine-tune.pt")
    result = read_state(state)
    assert result is not None
    assert result.epoch == 1
    steps: list[int] = []
    note: Progress = lambda stage, done, total: steps.append(done) if stage == "fine-tune" else None  # noqa: E731
    train(small, tmp_path / "run", QUICK, cache=cache, progress=note)
    assert min(steps) > 1
    for name in ("metric.safetensors", "settings.json"):
        assert (tmp_path / "run" / name).read_bytes() == (finished[0] / name).read_bytes()
    assert not list((cache / "training").iterdir())


def test_a_damaged_state_is_said_and_left_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "fine-tune.pt"
    assert read_state(path) is None
    path.write_bytes(b"PK\x03\x04 cut off")
    assert read_state(path) is None
    assert "is damaged" in caplog.text


def test_random_crops_change_what_is_learned(
    finished: tuple[Path, dict[str, Any]], small: Path, cache: Path, tmp_path: Path
) -> None:
    from dataclasses import replace

    first = train(small, tmp_path / "crop", replace(QUICK, crop=64, epochs=1, terms=("psnr",)), cache=cache)
    assert first["settings"]["fine_tuning"]["epochs"][1]["train"] > 0


def _one_of_two(rank: int, port: int, snapshot: Path, out: Path, cache: Path) -> None:
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    result = train(snapshot, out, QUICK, cache=cache)
    os._exit(0 if result["settings"]["fine_tuning"]["processes"] == 2 else 1)


def test_two_processes_learn_what_one_does(
    finished: tuple[Path, dict[str, Any]], small: Path, cache: Path, tmp_path: Path
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    fork = multiprocessing.get_context("fork")
    both = [
        fork.Process(target=_one_of_two, args=(rank, port, small, tmp_path / "run", cache)) for rank in (0, 1)
    ]
    for process in both:
        process.start()
    for process in both:
        process.join(90)
    assert [process.exitcode for process in both] == [0, 0]
    alone, together = load(finished[0]), load(tmp_path / "run")
    assert together.weights.numpy() == pytest.approx(alone.weights.numpy(), abs=1e-4)
    a, b = torch.rand(1, 3, 64, 64) * 2 - 1, torch.rand(1, 3, 64, 64) * 2 - 1
    assert float(together(a, b)) == pytest.approx(float(alone(a, b)), rel=1e-2)


@pytest.mark.filterwarnings(
    "ignore:Guards may run slower on Python 3.13.0"
)  # torch's advice to update Python
def test_compiling_keeps_keys_and_distances(alex: LPIPS) -> None:
    metric = LPIPS("alex")
    assert compile_trunks(metric, backend="eager") == 0
    assert set(metric.state_dict()) == set(alex.state_dict())


def test_a_compiler_that_changes_distances_is_refused() -> None:
    def wrong(graph: Any, inputs: Any) -> Callable[..., Any]:
        return lambda *given: [value + 1 for value in graph(*given)]

    metric = LPIPS("alex")
    before = metric(torch.zeros(1, 3, 64, 64), torch.ones(1, 3, 64, 64))
    with pytest.raises(CompileError, match="Train without compile"):
        compile_trunks(metric, backend=wrong)  # type: ignore[arg-type]
    assert torch.equal(metric(torch.zeros(1, 3, 64, 64), torch.ones(1, 3, 64, 64)), before)


def test_without_val_the_start_has_not_seen_what_stops_it(small: Path, tmp_path: Path, cache: Path) -> None:
    whole = read_snapshot(small)
    no_val = tuple(replace(t, split="test") if t.split == "val" else t for t in whole.triplets)
    scoring = Scoring.of(
        replace(whole, triplets=no_val),
        open_cache(cache),
        lambda stage, done, total: None,
        lambda message: None,
    )
    config = replace(QUICK, epochs=1)
    tuned = train_metric(scoring, config, torch.device("cpu"), tmp_path / "work").details
    aside = set(held_out([t.photograph for t in scoring.snapshot.of("train")], config.seed))
    moved = with_validation(scoring.snapshot, config.seed)
    assert {t.photograph for t in moved.of("val")} == aside
    assert len(aside) == 1
    alone = replace(scoring, snapshot=moved)
    heads = train_metric(alone, replace(config, kind="heads"), torch.device("cpu"), tmp_path / "work").details
    assert tuned["log_loss_train"] == heads["log_loss_train"]
    assert tuned["fine_tuning"]["validation"] == "a fifth of the train photographs"
