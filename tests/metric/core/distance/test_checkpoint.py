"""A checkpoint that does not fit is refused with a message."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from imaging.folders import FolderError
from imaging.manifest import hash_files, write_manifest
from metric.core import LPIPS, load
from metric.core.distance.checkpoint import (
    MANIFEST_SCHEMA,
    SETTINGS_SCHEMA,
    CheckpointError,
    save_metric,
    write_folder,
)
from metric.core.distance.weights import TRUNK_SHA256


@pytest.fixture
def folder(alex: LPIPS, tmp_path: Path) -> Path:
    """A checkpoint of the stock metric that a test may damage."""
    settings = {
        "schema": SETTINGS_SCHEMA,
        "net": "alex",
        "trunk_sha256": TRUNK_SHA256["alex"],
        "short_side": [31, 4000],
    }
    write_folder(tmp_path / "run", lambda work: save_metric(work, alex, settings), {"data_hash": "none"})
    return tmp_path / "run"


def reseal(folder: Path) -> None:
    """Make the manifest fit the files, so that only deeper checks can object."""
    write_manifest(folder, MANIFEST_SCHEMA, {}, hash_files(folder))


def change_tensors(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(folder / "metric.safetensors")
    change(tensors)
    save_file(tensors, folder / "metric.safetensors")
    reseal(folder)


def change_settings(folder: Path, **changes: Any) -> None:
    path = folder / "settings.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    reseal(folder)


def test_others_may_read_every_file_that_the_umask_lets_them(alex: LPIPS, tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        write_folder(tmp_path / "run", lambda work: save_metric(work, alex, {}), {})
    finally:
        os.umask(old)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "run").iterdir()} == {0o644}


def test_what_was_saved_is_loaded(folder: Path, alex: LPIPS) -> None:
    metric = load(str(folder))
    a, b = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64)
    assert torch.equal(metric(a, b), alex(a, b))
    assert metric.settings["net"] == "alex"
    assert not any(value.requires_grad for value in metric.parameters())


def test_a_missing_manifest_is_refused(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    with pytest.raises(CheckpointError, match=r"no manifest\.json"):
        load(folder)


@pytest.mark.parametrize("name", ["metric.safetensors", "heads.pth", "settings.json"])
def test_a_changed_file_is_refused(folder: Path, name: str) -> None:
    with (folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(CheckpointError, match=f"{name} was changed"):
        load(folder)


def test_a_wrong_key_is_refused(folder: Path) -> None:
    change_tensors(folder, lambda t: t.update({"lin0.weight": t.pop("lin0.model.1.weight")}))
    with pytest.raises(CheckpointError, match=r"2 differ: lin0\.model\.1\.weight, lin0\.weight"):
        load(folder)


def test_a_wrong_size_is_refused(folder: Path) -> None:
    change_tensors(folder, lambda t: t.update({"lin0.model.1.weight": torch.ones(1, 32, 1, 1)}))
    with pytest.raises(CheckpointError, match="does not fit a metric on alex.*has shape"):
        load(folder)


def test_another_trunk_is_refused(folder: Path) -> None:
    change_tensors(folder, lambda t: t["net.slice1.0.weight"].mul_(1.01))
    with pytest.raises(CheckpointError, match="a different trunk"):
        load(folder)


@pytest.mark.parametrize("changes", [{"net": "resnet"}, {"net": None}, {"schema": "closer-metric/9"}])
def test_unknown_settings_are_refused(folder: Path, changes: dict[str, Any]) -> None:
    change_settings(folder, **changes)
    with pytest.raises(CheckpointError, match="describes no metric that this version supports"):
        load(folder)


@pytest.mark.parametrize(
    "changes", [{"nets": 5}, {"terms": "psnr"}, {"short_side": "64"}, {"short_side": None}]
)
def test_settings_of_another_form_are_refused(folder: Path, changes: dict[str, Any]) -> None:
    change_settings(folder, **changes)
    with pytest.raises(CheckpointError, match="must have short_side"):
        load(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t["lin0.model.1.weight"].fill_(-1), "negative weights"),
        (lambda t: t["lin0.model.1.weight"].fill_(float("nan")), "not finite"),
        (lambda t: t["scaling_layer.shift"].add_(0.1), "is not the scaling"),
        (lambda t: t.update({"lin1.model.1.weight": t["lin1.model.1.weight"].half()}), "is torch.float16"),
    ],
)
def test_impossible_numbers_are_refused(
    folder: Path, change: Callable[[dict[str, torch.Tensor]], object], message: str
) -> None:
    change_tensors(folder, change)
    with pytest.raises(CheckpointError, match=message):
        load(folder)


def test_settings_of_another_trunk_are_refused(folder: Path) -> None:
    change_settings(folder, net="vgg")
    with pytest.raises(CheckpointError, match="keys of a metric on vgg"):
        load(folder)


def test_a_folder_that_is_full_is_not_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()
    (out / "mine").write_text("")
    with pytest.raises(FolderError, match="not empty"):
        write_folder(out, lambda work: None, {})
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
