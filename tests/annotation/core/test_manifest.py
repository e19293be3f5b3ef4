"""A manifest notices every change of the folder it describes."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annotation.core.formats.bapps import write_bapps
from annotation.core.formats.manifest import read_manifest, verify
from annotation.core.splits import LeakError
from imaging.files import write_json
from imaging.manifest import ManifestError, files_sha256, sealed
from tests.annotation.core.snapshots import EXTRA, make_png, make_rows, photographs_in


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bapps(tmp_path / "snapshot", make_rows(), EXTRA, open_image=make_png)
    return tmp_path / "snapshot"


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    write_json(folder / "manifest.json", sealed(manifest))


def test_a_fresh_snapshot_is_whole(folder: Path) -> None:
    assert verify(folder)["schema"] == "closer-snapshot/1"


def test_a_changed_file(folder: Path) -> None:
    (folder / "val/p0/000001.png").write_bytes(make_png("another"))
    with pytest.raises(ManifestError, match="val/p0/000001.png was changed"):
        verify(folder)


def test_a_missing_file(folder: Path) -> None:
    (folder / "triplets.csv").unlink()
    with pytest.raises(ManifestError, match="missing triplets.csv, not listed none"):
        verify(folder)


def test_a_file_too_many(folder: Path) -> None:
    (folder / "train/ref/999999.png").write_bytes(make_png("smuggled"))
    with pytest.raises(ManifestError, match="not listed train/ref/999999.png"):
        verify(folder)


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="has no manifest.json"):
        read_manifest(tmp_path)
    with pytest.raises(ManifestError, match="There is no folder .*gone"):
        read_manifest(tmp_path / "gone")


@pytest.mark.parametrize("text", ["{", "\xff", "[]", "{}", '{"schema": "closer-snapshot/2"}'])
def test_a_manifest_of_another_form(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text, encoding="latin-1")
    with pytest.raises(ManifestError, match="manifest.json"):
        read_manifest(tmp_path)


def test_a_missing_key(folder: Path) -> None:
    edit(folder, lambda manifest: manifest.pop("simulated"))
    with pytest.raises(ManifestError, match="'simulated' is missing or is no bool"):
        read_manifest(folder)


def test_a_hash_of_the_list_that_does_not_fit(folder: Path) -> None:
    edit(folder, lambda manifest: manifest["files"].popitem())
    with pytest.raises(ManifestError, match="does not match its list of files"):
        read_manifest(folder)


def test_a_path_outside_the_folder(folder: Path) -> None:
    edit(folder, lambda manifest: manifest["files"].update({"../secrets": "0" * 64}))
    with pytest.raises(ManifestError, match="outside the folder"):
        read_manifest(folder)


def test_a_photograph_in_two_splits(folder: Path) -> None:
    leaked = photographs_in("train", 1)
    edit(folder, lambda manifest: manifest["splits"]["test"]["photographs"].extend(leaked))
    with pytest.raises(LeakError, match=leaked[0]):
        read_manifest(folder)


def test_a_source_in_another_split_than_its_photograph(folder: Path) -> None:
    edit(folder, lambda manifest: manifest["sources"][0].update(split="nowhere"))
    with pytest.raises(LeakError, match="listed under 'nowhere'"):
        read_manifest(folder)


def test_the_hash_of_the_whole_is_what_sha256sum_says(folder: Path) -> None:
    manifest = read_manifest(folder)
    names = sorted(manifest["files"])
    listed = subprocess.run(["sha256sum", *names], cwd=folder, capture_output=True, check=True).stdout
    whole = subprocess.run(["sha256sum"], input=listed, capture_output=True, check=True).stdout
    assert whole.split()[0].decode() == manifest["sha256"] == files_sha256(manifest["files"])
