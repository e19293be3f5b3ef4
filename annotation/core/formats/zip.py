"""A snapshot folder as one zip file, and back.

Packing is deterministic: sorted names, one fixed date, fixed permissions. PNG and NPY files are stored as
they are, since PNG is compressed already and a judge is smaller than a deflate header; text is deflated.

Files that are one file on disk (hard links: the pictures that several triplets show) are packed once, under the first
of their names; the others stand in an entry of the package's own. `unpack` makes them links again, and `in_full` gives
a zip file that any other program unpacks to the same folder.
"""

import errno
import io
import os
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import IO, Any

from imaging.folders import FolderError, atomic_folder

_EPOCH = (1980, 1, 1, 0, 0, 0)
_DEFLATED = {".csv", ".json", ".jsonl", ".md", ".svg", ".tex", ".toml", ".tsv", ".txt"}
_COPY_BYTES = 1 << 20
LARGEST_BYTES = 200 * 2**30
# Further names of files that are packed once: name, tab, the name that is packed; sorted.
LINKS = "names.tsv"
LARGEST_LINKS = 2**28
NO_EDITS: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType({})

# zipfile lets all of these out, depending on which byte of a file is wrong.
_DAMAGE = (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, struct.error, zlib.error)


class PackageError(ValueError):
    """The zip file is damaged, or would write where it must not."""


def pack(folder: Path, target: IO[bytes]) -> None:
    """Write every file under `folder` into `target`, a binary file open for writing (it need not seek)."""
    links: dict[str, str] = {}
    first: dict[tuple[int, int], str] = {}
    with zipfile.ZipFile(target, "w", allowZip64=True) as package:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name, facts = path.relative_to(folder).as_posix(), path.stat()
            known = first.setdefault((facts.st_dev, facts.st_ino), name)
            if known != name:
                links[name] = known
                continue
            with path.open("rb") as source, package.open(_entry(name, facts.st_size), "w") as written:
                shutil.copyfileobj(source, written, _COPY_BYTES)
        if links:
            lines = "".join(f"{name}\t{of}\n" for name, of in links.items())
            package.writestr(_entry(LINKS, len(lines)), lines)


def _entry(name: str, size: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=_EPOCH)
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    entry.create_system = 3
    deflated = PurePosixPath(name).suffix in _DEFLATED
    entry.compress_type = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    entry.file_size = size
    return entry


def in_full(file: IO[bytes], *, edit: Mapping[str, Callable[[bytes], bytes]] = NO_EDITS) -> Iterator[bytes]:
    """The package as a plain zip file, with every picture under each of its names, in pieces: memory does not grow.

    `edit` gives other content to files by their names. Raises PackageError where `unpack` would.
    """
    with packed_files(file) as files:
        edited = {name: [change(files.read(name))] for name, change in edit.items()}
        yield from stream((name, edited.get(name) or zip_pieces(files, name)) for name in files.names())


def zip_pieces(files: "PackedFiles", name: str) -> Iterator[bytes]:
    """The content of one of the files, some at a time."""
    with files.open(name) as file:
        while piece := file.read(_COPY_BYTES):
            yield piece


class PackedFiles:
    """The files of an open package by all of their names."""

    def __init__(self, package: zipfile.ZipFile) -> None:
        self._package = package
        self._entries = {entry.filename: entry for entry in package.infolist() if not entry.is_dir()}
        self._links = _links(package, self._entries)
        _check_entries(list(self._entries.values()), LARGEST_BYTES)

    def names(self) -> list[str]:
        """All of them, sorted."""
        return sorted([*self._entries, *self._links])

    def open(self, name: str) -> IO[bytes]:
        """One of them, to be read. Raises KeyError for a name that there is not."""
        return self._package.open(self._entries[self._links.get(name, name)])

    def read(self, name: str) -> bytes:
        """The whole content of one of them. Raises KeyError for a name that there is not."""
        with self.open(name) as file:
            return file.read()


@contextmanager
def packed_files(file: IO[bytes]) -> Iterator[PackedFiles]:
    """The package's files, without unpacking it. Raises PackageError where `unpack` would."""
    try:
        with zipfile.ZipFile(file) as package:
            yield PackedFiles(package)
    except PackageError:
        raise
    except _DAMAGE as error:
        raise PackageError(f"the zip file is damaged or of an unsupported kind ({error})") from error


def stream(files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """A zip file of (name, content) in pieces, written while it is read: memory does not grow with it."""
    sink = _Pieces()
    with zipfile.ZipFile(sink, "w", allowZip64=True) as written:
        for name, content in files:
            with written.open(_entry(name, 0), "w", force_zip64=True) as entry:
                for piece in content:
                    entry.write(piece)
                    yield sink.take()
    yield sink.take()


class _Pieces(io.RawIOBase):
    """A file that is handed on as it is written."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self._written += content
        return len(content)

    def take(self) -> bytes:
        """The bytes written since the last call."""
        taken = bytes(self._written)
        self._written.clear()
        return taken


def _links(package: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo]) -> dict[str, str]:
    """The package's further names for its files, each with the name that is packed; their entry is taken out."""
    if LINKS not in entries:
        return {}
    if entries[LINKS].file_size > LARGEST_LINKS:
        raise PackageError("the zip file lists more file names than any snapshot has pictures")
    lines = package.read(entries.pop(LINKS)).decode().splitlines()
    pairs = [line.split("\t") for line in lines]
    links = {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
    if len(links) != len(lines) or set(links) & set(entries) or not set(links.values()) <= set(entries):
        raise PackageError(
            "the zip file's list of additional names does not match its files: it was not written by Closer"
        )
    _check_names(list(links))
    return links


def unpack(
    file: IO[bytes], folder: Path, *, largest_bytes: int = LARGEST_BYTES, replace: bool = False
) -> None:
    """Unpack `file` into `folder`, which appears whole or not at all; it must be absent or empty, or is replaced.

    Raises PackageError for a damaged file, a name that leads outside the folder, a link, a name given twice,
    or more than `largest_bytes` after unpacking; FolderError when the folder is occupied.
    """
    try:
        with zipfile.ZipFile(file) as package:
            entries = [entry for entry in package.infolist() if not entry.filename.endswith("/")]
            _check_entries(entries, largest_bytes)
            check_ratio(entries)
            links = _links(package, by_name := {entry.filename: entry for entry in entries})
            with atomic_folder(folder, replace=replace) as draft:
                for entry in by_name.values():
                    _write_entry(package, entry, draft / entry.filename)
                for name, of in links.items():
                    link_or_copy(draft / of, draft / name)
    except (PackageError, FolderError):
        raise
    except _DAMAGE as error:
        raise PackageError(f"the zip file is damaged or of an unsupported kind ({error})") from error


def link_or_copy(file: Path, name: Path) -> None:
    """Gives the file a further name; where a file system has no links, a copy."""
    name.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file, name)
    except OSError as error:
        if error.errno == errno.EEXIST:
            raise
        shutil.copyfile(file, name)


# What file systems take, in bytes; a path needs room for the folder that it is unpacked into.
LONGEST_NAME, LONGEST_PATH = 255, 3000


def _check_names(names: list[str]) -> None:
    for name in names:
        path = PurePosixPath(name)
        # A zip name uses "/" only: a backslash or a colon would mean another folder or drive on Windows.
        if "\\" in name:
            raise PackageError(
                f"the zip file holds {name!r}: folders in a zip file are separated by /, not by \\. "
                f"Create it again with another program: the built-in tools of Windows, macOS and Linux, "
                f"7-Zip and Python write /"
            )
        if ":" in name:
            raise PackageError(
                f"the zip file holds {name!r}: rename the file without a colon, which denotes a drive"
            )
        if not name or path.is_absolute() or ".." in path.parts:
            raise PackageError(f"the zip file holds {name!r}, which leads outside the archive")
        if max(len(part.encode()) for part in path.parts) > LONGEST_NAME or len(name.encode()) > LONGEST_PATH:
            raise PackageError(f"the zip file holds a name that is too long: {name[:60]!r}…")


def _check_entries(entries: list[zipfile.ZipInfo], largest_bytes: int) -> None:
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise PackageError("the zip file contains one name twice: create it again from the folder")
    folders = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    if not folders.isdisjoint(names):
        raise PackageError(
            "the zip file uses one name for a file and for a folder: create it again from the folder"
        )
    for entry in entries:
        _check_names([entry.filename])
        mode = entry.external_attr >> 16
        if (stat.S_IFMT(mode) not in (0, stat.S_IFREG)) or entry.flag_bits & 0x1:
            raise PackageError(
                f"the zip file holds {entry.filename!r}, which is encrypted or a link: create the zip "
                f"file again from the files themselves, without a password"
            )
    total = sum(entry.file_size for entry in entries)
    if total > largest_bytes:
        raise PackageError(f"the zip file unpacks to {total} bytes, over the {largest_bytes} allowed")


# Pictures hardly compress any further: what is large and becomes so much larger was made to fill a disk.
SUSPECT_BYTES, LARGEST_RATIO = 2**28, 100


def check_ratio(entries: list[zipfile.ZipInfo]) -> None:
    """Raise PackageError where the entries unpack to suspiciously more than they take."""
    whole, packed = (
        sum(getattr(entry, size) for entry in entries) for size in ("file_size", "compress_size")
    )
    if whole > SUSPECT_BYTES and whole > LARGEST_RATIO * packed:
        raise PackageError(
            f"the zip file unpacks to {whole // max(packed, 1):,} times its size ({whole:,} bytes), which no folder of "
            "pictures does. Create it again from the folder"
        )


def _write_entry(package: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # zipfile stops at the declared size and then compares the CRC, so a lying header cannot fill the disk.
    with package.open(entry) as source, path.open("wb") as written:
        shutil.copyfileobj(source, written, _COPY_BYTES)
