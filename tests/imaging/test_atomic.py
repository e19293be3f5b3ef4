"""Files and folders appear whole or not at all, and a manifest notices every change."""

import json
import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from imaging.files import atomic_file, file_sha256, write_atomic, write_json
from imaging.folders import FolderError, atomic_folder
from imaging.manifest import ManifestError, hash_files, read_manifest, sealed, verify, write_manifest


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "kept.bin"
    write_atomic(path, b"old")
    with atomic_file(path) as draft:
        draft.write_bytes(b"new")
        assert path.read_bytes() == b"old"
        assert draft.suffix == ".bin"
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["kept.bin"]


def test_a_failure_keeps_the_old_file_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "kept.bin"
    write_atomic(path, b"old")
    with pytest.raises(OSError, match="full"), atomic_file(path) as draft:
        draft.write_bytes(b"ha")
        raise OSError("full")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["kept.bin"]


def test_threads_that_write_at_once_leave_the_umask_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that reads it while another has set its own would restore that one for ever."""
    current, real = os.umask(0o022), os.umask

    def slow(mask: int) -> int:
        before = real(mask)
        time.sleep(0.002)
        return before

    try:
        monkeypatch.setattr(os, "umask", slow)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: write_atomic(tmp_path / str(n), b"x"), range(12)))
        assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o644}
        assert real(0o022) == 0o022
    finally:
        real(current)


def test_others_may_read_what_the_umask_lets_them(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        write_atomic(tmp_path / "shared", b"")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o644


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        write_atomic(tmp_path / "none" / "file", b"")


def test_json_is_the_same_bytes_for_the_same_value_and_takes_no_nan(tmp_path: Path) -> None:
    write_json(tmp_path / "a", {"b": "é", "a": 1})
    write_json(tmp_path / "b", {"a": 1, "b": "é"})
    assert (
        (tmp_path / "a").read_bytes()
        == (tmp_path / "b").read_bytes()
        == '{\n "a": 1,\n "b": "é"\n}\n'.encode()
    )
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a", float("nan"))


def test_an_occupied_folder_is_refused_or_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with atomic_folder(out) as draft:
        (draft / "first").touch()
    with pytest.raises(FolderError, match="not empty"), atomic_folder(out):
        pass
    with pytest.raises(OSError, match="full"), atomic_folder(out, replace=True):
        raise OSError("full")
    assert [entry.name for entry in out.iterdir()] == ["first"]
    with atomic_folder(out, replace=True) as draft:
        (draft / "second").touch()
    assert [entry.name for entry in out.iterdir()] == ["second"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o755), (0o027, 0o750), (0o002, 0o775)])
def test_a_folder_has_the_rights_that_the_umask_gives(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        with atomic_folder(tmp_path / "out"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == mode


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b")
    write_manifest(tmp_path, "test/1", {"made": "here"}, hash_files(tmp_path))
    return tmp_path


def test_a_manifest_holds_what_it_was_given_and_every_file(folder: Path) -> None:
    manifest = read_manifest(folder, "test/1")
    assert manifest["made"] == "here"
    assert manifest["files"] == {
        "b.txt": file_sha256(folder / "b.txt"),
        "below/a.txt": file_sha256(folder / "below" / "a.txt"),
    }
    verify(folder, manifest, only=True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / "b.txt").write_text("c"), "b.txt was changed"),
        (lambda folder: (folder / "b.txt").unlink(), "missing b.txt"),
        (lambda folder: (folder / "c.txt").touch(), "not listed c.txt"),
    ],
)
def test_every_change_is_noticed(folder: Path, change: object, words: str) -> None:
    manifest = read_manifest(folder, "test/1")
    change(folder)  # type: ignore[operator]
    with pytest.raises(ManifestError, match=words):
        verify(folder, manifest, only=True)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"schema": "test/2"}, "does not have schema 'test/1'"),
        ({"files": None}, "lists no hashes"),
        ({"files": {"b.txt": 1}}, "lists no hashes"),
        ({"files": {"../b.txt": "0"}}, "outside the folder"),
        ({"files": {}}, "does not match its list"),
    ],
)
def test_a_manifest_that_is_none_is_refused(folder: Path, edit: dict[str, object], words: str) -> None:
    path = folder / "manifest.json"
    write_json(path, sealed(json.loads(path.read_text()) | edit))
    with pytest.raises(ManifestError, match=words):
        read_manifest(folder, "test/1")


def test_every_changed_byte_of_the_manifest_is_noticed(folder: Path) -> None:
    path = folder / "manifest.json"
    whole = path.read_bytes()
    read_manifest(folder, "test/1")
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ManifestError):
            read_manifest(folder, "test/1")


def test_a_manifest_from_before_it_had_a_hash_of_itself_is_read(folder: Path) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["manifest_sha256"]
    write_json(path, manifest)
    assert read_manifest(folder, "test/1") == manifest


def test_a_manifest_sets_its_own_keys(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="sets files itself"):
        write_manifest(tmp_path, "test/1", {"files": {}}, {})
