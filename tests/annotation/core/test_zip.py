"""A snapshot travels as one zip file, and a hostile one writes nothing."""

import io
import stat
import zipfile
from pathlib import Path

import pytest

from annotation.core.formats.bapps import write_bapps
from annotation.core.formats.manifest import verify
from annotation.core.formats.rows import ExportError
from annotation.core.formats.zip import PackageError, pack, unpack
from tests.annotation.core.snapshots import EXTRA, make_png, make_rows


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    write_bapps(tmp_path / "snapshot", make_rows(), EXTRA, open_image=make_png)
    return tmp_path / "snapshot"


def packed(folder: Path) -> io.BytesIO:
    target = io.BytesIO()
    pack(folder, target)
    target.seek(0)
    return target


def zip_of(*entries: tuple[zipfile.ZipInfo | str, bytes]) -> io.BytesIO:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as package:
        for name, data in entries:
            package.writestr(name, data)
    target.seek(0)
    return target


def test_there_and_back(snapshot: Path, tmp_path: Path) -> None:
    unpack(packed(snapshot), tmp_path / "back")
    assert verify(tmp_path / "back") == verify(snapshot)


def test_equal_folders_give_equal_bytes(snapshot: Path, tmp_path: Path) -> None:
    unpack(packed(snapshot), tmp_path / "back")
    assert packed(tmp_path / "back").getvalue() == packed(snapshot).getvalue()


def test_pictures_are_stored_and_text_is_deflated(snapshot: Path) -> None:
    with zipfile.ZipFile(packed(snapshot)) as package:
        kinds = {Path(entry.filename).suffix: entry.compress_type for entry in package.infolist()}
    assert kinds[".png"] == kinds[".npy"] == zipfile.ZIP_STORED
    assert kinds[".csv"] == kinds[".json"] == zipfile.ZIP_DEFLATED


def test_a_target_that_cannot_seek(snapshot: Path, tmp_path: Path) -> None:
    class Stream(io.RawIOBase):
        def __init__(self) -> None:
            self.written = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.written += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    stream = Stream()
    pack(snapshot, stream)  # type: ignore[arg-type]
    unpack(io.BytesIO(bytes(stream.written)), tmp_path / "back")
    verify(tmp_path / "back")


def link_to_passwd() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize("name", ["../up.txt", "/etc/x", "a/../../x", "a\\b", "C:x", link_to_passwd()])
def test_what_leads_outside_is_refused(tmp_path: Path, name: zipfile.ZipInfo | str) -> None:
    with pytest.raises(PackageError, match="leads outside"):
        unpack(zip_of(("fine.txt", b"fine"), (name, b"/etc/passwd")), tmp_path / "inner/back")
    assert list(tmp_path.iterdir()) == []


def test_one_name_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = zip_of(("a.txt", b"one"), ("a.txt", b"two"))
    with pytest.raises(PackageError, match="one name twice"):
        unpack(twice, tmp_path / "back")


def test_more_than_allowed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="unpacks to 1000 bytes, over the 999"):
        unpack(zip_of(("a.txt", b"x" * 1000)), tmp_path / "back", largest_bytes=999)


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.99])
def test_a_damaged_file_leaves_nothing(snapshot: Path, tmp_path: Path, cut: float) -> None:
    data = packed(snapshot).getvalue()
    with pytest.raises(PackageError, match="damaged"):
        unpack(io.BytesIO(data[: int(len(data) * cut)]), tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_a_flipped_bit_is_noticed(snapshot: Path, tmp_path: Path) -> None:
    data = bytearray(packed(snapshot).getvalue())
    place = data.index(b"IDAT") + 6
    data[place] ^= 1
    with pytest.raises(PackageError, match="damaged"):
        unpack(io.BytesIO(bytes(data)), tmp_path / "back")
    assert {path.name for path in tmp_path.iterdir()} == {"snapshot"}


def test_an_occupied_folder_is_left_as_it_is(snapshot: Path) -> None:
    before = verify(snapshot)
    with pytest.raises(ExportError, match="is not empty"):
        unpack(packed(snapshot), snapshot)
    assert verify(snapshot) == before
