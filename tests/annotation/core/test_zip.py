"""A snapshot travels as one zip file, and a hostile one writes nothing."""

import contextlib
import io
import random
import stat
import struct
import zipfile
from contextlib import nullcontext
from pathlib import Path

import pytest

from annotation.core.formats import zip as archives
from annotation.core.formats.bapps import write_bapps
from annotation.core.formats.manifest import verify
from annotation.core.formats.zip import (
    LINKS,
    PackageError,
    check_ratio,
    in_full,
    link_or_copy,
    pack,
    unpack,
)
from imaging.folders import FolderError
from tests.annotation.core.snapshots import EXTRA, make_png, make_rows


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    write_bapps(tmp_path / "snapshot", make_rows(), EXTRA, open_image=make_png)
    return tmp_path / "snapshot"


@pytest.mark.parametrize(
    ("size", "packed_size", "is_refused"),
    [(2**28 + 1, 2**28 // 101, True), (2**28 + 1, 2**28 // 99, False), (2**20, 1, False)],
    ids=["over a hundred times", "under a hundred times", "small"],
)
def test_what_grows_over_a_hundred_times_is_refused(size: int, packed_size: int, *, is_refused: bool) -> None:
    entry = zipfile.ZipInfo("a.png")
    entry.file_size, entry.compress_size = size, packed_size
    with pytest.raises(PackageError, match="times its size") if is_refused else nullcontext():
        check_ratio([entry])


def test_a_zip_that_would_fill_a_disk_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "SUSPECT_BYTES", 2**19)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("a.png", bytes(2**20))
    with pytest.raises(PackageError, match="times its size"):
        unpack(bomb, tmp_path / "out")
    assert not (tmp_path / "out").exists()


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


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../up.txt", "leads outside"),
        ("/etc/x", "leads outside"),
        ("a/../../x", "leads outside"),
        ("a\\b", r"separated by /, not by \\. Create it again"),
        ("..\\up.txt", r"separated by /, not by \\. Create it again"),
        ("C:x", "rename the file without a colon"),
        (link_to_passwd(), "encrypted or a link"),
    ],
)
def test_what_leads_outside_is_refused(tmp_path: Path, name: zipfile.ZipInfo | str, reason: str) -> None:
    with pytest.raises(PackageError, match=reason):
        unpack(zip_of(("fine.txt", b"fine"), (name, b"/etc/passwd")), tmp_path / "inner/back")
    assert list(tmp_path.iterdir()) == []


def test_one_name_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = zip_of(("a.txt", b"one"), ("a.txt", b"two"))
    with pytest.raises(PackageError, match="one name twice"):
        unpack(twice, tmp_path / "back")


def test_a_name_for_a_file_and_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="for a file and for a folder"):
        unpack(zip_of(("a", b"one"), ("a/b", b"two")), tmp_path / "back")


def test_more_than_allowed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="unpacks to 1000 bytes, over the 999"):
        unpack(zip_of(("a.txt", b"x" * 1000)), tmp_path / "back", largest_bytes=999)


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.99])
def test_a_damaged_file_leaves_nothing(snapshot: Path, tmp_path: Path, cut: float) -> None:
    data = packed(snapshot).getvalue()
    with pytest.raises(PackageError, match="damaged"):
        unpack(io.BytesIO(data[: int(len(data) * cut)]), tmp_path / "back")
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize("mark", [b"IDAT", b"triplets.csv"])
def test_a_flipped_bit_is_noticed(snapshot: Path, tmp_path: Path, mark: bytes) -> None:
    """In a stored picture the CRC tells, in deflated text the stream itself may."""
    data = bytearray(packed(snapshot).getvalue())
    for place in range(data.index(mark) + len(mark) + 2, data.index(mark) + len(mark) + 12):
        data[place] ^= 0xFF
    with pytest.raises(PackageError, match="damaged"):
        unpack(io.BytesIO(bytes(data)), tmp_path / "back")
    assert {path.name for path in tmp_path.iterdir()} == {"snapshot"}


def test_random_damage_never_ends_in_another_error(snapshot: Path, tmp_path: Path) -> None:
    whole, draw = packed(snapshot).getvalue(), random.Random(5)
    for trial in range(60):
        data = bytearray(whole)
        for _ in range(draw.choice([1, 8])):
            data[draw.randrange(len(data))] = draw.randrange(256)
        with contextlib.suppress(PackageError):
            unpack(io.BytesIO(bytes(data)), tmp_path / f"back {trial}")


def test_an_unknown_compression_is_refused(tmp_path: Path) -> None:
    data = zip_of(("a.txt", b"text")).getvalue()
    method = struct.pack("<H", 99)
    local, central = data.index(b"PK\x03\x04") + 8, data.index(b"PK\x01\x02") + 10
    data = data[:local] + method + data[local + 2 : central] + method + data[central + 2 :]
    with pytest.raises(PackageError, match="unsupported kind"):
        unpack(io.BytesIO(data), tmp_path / "back")


def test_no_time_of_writing_is_kept(snapshot: Path) -> None:
    with zipfile.ZipFile(packed(snapshot)) as package:
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_an_occupied_folder_is_left_as_it_is(snapshot: Path) -> None:
    before = verify(snapshot)
    with pytest.raises(FolderError, match="is not empty"):
        unpack(packed(snapshot), snapshot)
    assert verify(snapshot) == before


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder in which one file has three names."""
    folder = tmp_path / "shared"
    (folder / "p0").mkdir(parents=True)
    (folder / "b.png").write_bytes(b"\x89PNG" + bytes(50_000))
    (folder / "text.csv").write_text("a\n")
    for name in ("a.png", "p0/c.png"):
        link_or_copy(folder / "b.png", folder / name)
    return folder


def test_a_file_of_several_names_is_packed_once_and_comes_back_under_all(
    shared: Path, tmp_path: Path
) -> None:
    target = packed(shared)
    assert zipfile.ZipFile(target).namelist() == ["a.png", "text.csv", LINKS]
    assert len(target.getvalue()) < 60_000
    unpack(target, tmp_path / "back")
    back = {path.relative_to(tmp_path / "back").as_posix(): path for path in (tmp_path / "back").rglob("*.*")}
    assert set(back) == {"a.png", "b.png", "p0/c.png", "text.csv"}
    assert len({back[name].stat().st_ino for name in ("a.png", "b.png", "p0/c.png")}) == 1
    assert packed(tmp_path / "back").getvalue() == target.getvalue()


def test_in_full_any_program_unpacks_it(shared: Path) -> None:
    pieces = list(in_full(packed(shared)))
    whole = zipfile.ZipFile(io.BytesIO(b"".join(pieces)))
    assert whole.testzip() is None and whole.namelist() == ["a.png", "b.png", "p0/c.png", "text.csv"]
    assert {whole.read(name) for name in whole.namelist() if name.endswith("png")} == {
        (shared / "b.png").read_bytes()
    }
    assert max(map(len, pieces)) < 2 * 2**20


@pytest.mark.parametrize(
    "lines", ["b.png\n", "b.png\tnot there\n", "../b.png\ta.png\n", "a.png\ta.png\n", "b\ta.png\nb\ta.png\n"]
)
def test_further_names_that_do_not_fit_write_nothing(lines: str, tmp_path: Path) -> None:
    target = zip_of(("a.png", b"x"), (LINKS, lines.encode()))
    with pytest.raises(PackageError):
        unpack(target, tmp_path / "back")
    assert not (tmp_path / "back").exists()
    target.seek(0)
    with pytest.raises(PackageError):
        list(in_full(target))


def test_a_snapshot_holds_each_picture_once(snapshot: Path) -> None:
    pictures = list(snapshot.rglob("*.png"))
    contents = {path.read_bytes() for path in pictures}
    assert len(contents) < len(pictures)
    assert len({path.stat().st_ino for path in pictures}) == len(contents)
    names = [name for name in zipfile.ZipFile(packed(snapshot)).namelist() if name.endswith(".png")]
    assert len(names) == len(contents)
