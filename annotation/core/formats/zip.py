"""A snapshot folder as one zip file, and back.

Packing is deterministic: sorted names, one fixed date, fixed permissions. PNG and NPY files are stored as
they are, since PNG is compressed already and a judge is smaller than a deflate header; text is deflated.
"""

import shutil
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from imaging.folders import FolderError, whole_folder

_EPOCH = (1980, 1, 1, 0, 0, 0)
_DEFLATED = {".csv", ".json"}
_COPY_BYTES = 1 << 20
LARGEST_BYTES = 200 * 2**30

# zipfile lets all of these out, depending on which byte of a file is wrong.
_DAMAGE = (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, struct.error, zlib.error)


class PackageError(ValueError):
    """The zip file is damaged, or would write where it must not."""


def pack(folder: Path, target: IO[bytes]) -> None:
    """Write every file under `folder` into `target`, a binary file open for writing (it need not seek)."""
    with zipfile.ZipFile(target, "w", allowZip64=True) as package:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), date_time=_EPOCH)
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            entry.create_system = 3
            entry.compress_type = zipfile.ZIP_DEFLATED if path.suffix in _DEFLATED else zipfile.ZIP_STORED
            entry.file_size = path.stat().st_size
            with path.open("rb") as source, package.open(entry, "w") as written:
                shutil.copyfileobj(source, written, _COPY_BYTES)


def unpack(
    file: IO[bytes], folder: Path, *, largest_bytes: int = LARGEST_BYTES, replace: bool = False
) -> None:
    """Unpack `file` into `folder`, which appears whole or not at all; it must be absent or empty, or is replaced.

    Raises PackageError for a damaged file, a name that leads outside the folder, a link, a name given twice,
    or more than `largest_bytes` after unpacking; FolderError when the folder is occupied.
    """
    try:
        with zipfile.ZipFile(file) as package:
            entries = [entry for entry in package.infolist() if not entry.is_dir()]
            _check_entries(entries, largest_bytes)
            with whole_folder(folder, replace=replace) as draft:
                for entry in entries:
                    _write_entry(package, entry, draft / entry.filename)
    except (PackageError, FolderError):
        raise
    except _DAMAGE as error:
        raise PackageError(f"the zip file is damaged or of a kind unknown here ({error})") from error


def _check_entries(entries: list[zipfile.ZipInfo], largest_bytes: int) -> None:
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise PackageError("the zip file holds one name twice: it was not written by Closer")
    folders = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    if not folders.isdisjoint(names):
        raise PackageError(
            "the zip file uses one name for a file and for a folder: it was not written by Closer"
        )
    for entry in entries:
        path = PurePosixPath(entry.filename)
        # A zip name uses "/" only: a backslash or a colon would mean another folder or drive on Windows.
        outside = path.is_absolute() or ".." in path.parts or "\\" in entry.filename or ":" in entry.filename
        mode = entry.external_attr >> 16
        if outside or (stat.S_IFMT(mode) not in (0, stat.S_IFREG)) or entry.flag_bits & 0x1:
            raise PackageError(
                f"the zip file holds {entry.filename!r}, which is encrypted, a link, or leads outside"
            )
    total = sum(entry.file_size for entry in entries)
    if total > largest_bytes:
        raise PackageError(f"the zip file unpacks to {total} bytes, over the {largest_bytes} allowed")


def _write_entry(package: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # zipfile stops at the declared size and then compares the CRC, so a lying header cannot fill the disk.
    with package.open(entry) as source, path.open("wb") as written:
        shutil.copyfileobj(source, written, _COPY_BYTES)
