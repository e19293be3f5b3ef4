"""A snapshot is read whole and honest, or refused with a reason."""

import csv
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging.files import write_json
from imaging.manifest import sealed
from metric.core.snapshot.folder import SnapshotError, read_snapshot, require_trainable
from tests.kit.snapshots import make_snapshot


def reseal(folder: Path, change: Callable[[dict[str, Any]], None] = lambda manifest: None) -> None:
    """Make the manifest fit the files again, as a careless exporter would."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    manifest["files"] = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in manifest["files"]
    }
    lines = "".join(f"{manifest['files'][name]}  {name}\n" for name in sorted(manifest["files"]))
    manifest["sha256"] = hashlib.sha256(lines.encode()).hexdigest()
    write_json(path, sealed(manifest))


def edit_rows(path: Path, change: Callable[[list[dict[str, str]]], None]) -> None:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = list(rows[0])
    change(rows)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def test_a_snapshot_is_read(snapshot: Path) -> None:
    result = read_snapshot(snapshot)
    assert [len(result.of(split)) for split in ("train", "val", "test")] == [24, 8, 12]
    assert result.simulated
    assert result.data_hash == json.loads((snapshot / "manifest.json").read_text())["sha256"]
    triplet = result.of("test")[0]
    assert triplet.n == 3
    assert tuple(np.add(triplet.left, triplet.right)) == (triplet.n_p0, triplet.n_p1, triplet.n_tie)
    assert triplet.files["p1"].name == f"{triplet.index}.png"
    require_trainable(result)


def test_a_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match=r"no manifest\.json.*Export the snapshot again"):
        read_snapshot(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", '{"schema": "closer-snapshot/9"}'])
def test_another_manifest_is_refused(own_snapshot: Path, text: str) -> None:
    (own_snapshot / "manifest.json").write_text(text)
    with pytest.raises(SnapshotError, match="Export"):
        read_snapshot(own_snapshot)


@pytest.mark.parametrize("name", ["train/ref/000000.png", "test/judge/000000.npy", "triplets.csv"])
def test_a_changed_file_is_refused(own_snapshot: Path, name: str) -> None:
    path = own_snapshot / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(SnapshotError, match=f"{path.name} was changed after it was written"):
        read_snapshot(own_snapshot)


def test_a_missing_file_is_refused(own_snapshot: Path) -> None:
    (own_snapshot / "train/p0/000001.png").unlink()
    with pytest.raises(SnapshotError, match=r"missing train/p0/000001.png"):
        read_snapshot(own_snapshot)


def test_a_path_that_leads_outside_is_refused(own_snapshot: Path) -> None:
    path = own_snapshot / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"]["../outside"] = "0" * 64
    write_json(path, sealed(manifest))
    with pytest.raises(SnapshotError, match="outside the folder"):
        read_snapshot(own_snapshot)


def test_a_photograph_in_two_splits_is_refused(own_snapshot: Path) -> None:
    def leak(rows: list[dict[str, str]]) -> None:
        train = next(row for row in rows if row["split"] == "train")
        for row in rows:
            if row["split"] == "test":
                row["photograph"] = train["photograph"]

    edit_rows(own_snapshot / "triplets.csv", leak)
    reseal(own_snapshot)
    with pytest.raises(SnapshotError, match="Leak: photograph .* is in test and train"):
        read_snapshot(own_snapshot)


def test_the_same_picture_under_two_names_is_refused(own_snapshot: Path) -> None:
    for path in (own_snapshot / "test" / "ref").iterdir():
        shutil.copyfile(own_snapshot / "train" / "ref" / "000000.png", path)
    reseal(own_snapshot)
    with pytest.raises(SnapshotError, match="Leak: reference image"):
        read_snapshot(own_snapshot)


def test_a_leak_in_the_manifest_is_refused(own_snapshot: Path) -> None:
    def leak(manifest: dict[str, Any]) -> None:
        manifest["splits"]["val"]["photographs"] += manifest["splits"]["train"]["photographs"][:1]

    reseal(own_snapshot, leak)
    with pytest.raises(SnapshotError, match="Leak: photograph .* is in train and val"):
        read_snapshot(own_snapshot)


@pytest.mark.parametrize(("column", "value"), [("n_p0", "7"), ("n", "0"), ("n_p1", "-1"), ("n_tie", "many")])
def test_counts_that_do_not_add_up_are_refused(own_snapshot: Path, column: str, value: str) -> None:
    edit_rows(own_snapshot / "triplets.csv", lambda rows: rows[0].update({column: value}))
    reseal(own_snapshot)
    with pytest.raises(SnapshotError, match="counts of train/000000"):
        read_snapshot(own_snapshot)


def test_a_judge_that_contradicts_the_votes_is_refused(own_snapshot: Path) -> None:
    np.save(own_snapshot / "train/judge/000000.npy", np.array([0.123], np.float32))
    reseal(own_snapshot)
    with pytest.raises(SnapshotError, match="says 0.1230, the votes say"):
        read_snapshot(own_snapshot)


def test_too_few_photographs_are_refused(tmp_path: Path) -> None:
    result = read_snapshot(make_snapshot(tmp_path / "s", per_split=(1, 1, 1), votes=10))
    with pytest.raises(SnapshotError, match="1 photograph.*at least 2"):
        require_trainable(result)


def test_too_few_judgments_are_refused(own_snapshot: Path) -> None:
    with pytest.raises(SnapshotError, match="16 judgments; fitting needs at least 30"):
        require_trainable(read_snapshot(own_snapshot))


def test_a_test_split_without_triplets_is_refused(own_snapshot: Path) -> None:
    for name, column in (("triplets.csv", "split"), ("judgments.csv", "triplet_split")):
        edit_rows(
            own_snapshot / name,
            lambda rows, column=column: rows.__setitem__(  # type: ignore[misc]
                slice(None), [row for row in rows if row[column] != "test"]
            ),
        )
    reseal(own_snapshot)
    with pytest.raises(SnapshotError, match="test split has no judged triplet"):
        require_trainable(read_snapshot(own_snapshot), judgments=1)


@pytest.mark.parametrize("described", [5, [], "train", None, {"photographs": 5}, {"photographs": "abc"}])
def test_a_manifest_that_lists_no_photographs_is_refused(own_snapshot: Path, described: object) -> None:
    reseal(own_snapshot, lambda manifest: manifest["splits"].update(train=described))
    with pytest.raises(SnapshotError, match="does not list the photographs of train"):
        read_snapshot(own_snapshot)


def test_a_manifest_of_endless_brackets_is_refused_by_name(own_snapshot: Path) -> None:
    (own_snapshot / "manifest.json").write_text("[" * 200_000)
    with pytest.raises(SnapshotError, match=r"manifest.json is damaged"):
        read_snapshot(own_snapshot)


def test_answers_to_what_no_line_lists_are_refused(own_snapshot: Path) -> None:
    """They were passed over, and the run learned from fewer answers than the file has."""
    edit_rows(own_snapshot / "triplets.csv", lambda rows: rows.pop())
    reseal(own_snapshot)
    with pytest.raises(
        SnapshotError, match=r"answers to test/\d+, which triplets.csv does not list \(1 in all\)"
    ):
        read_snapshot(own_snapshot)
