"""Files that are written whole or not at all, and known by their hash."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield an empty file beside `path`; move it there when the block ends well, else remove it.

    A reader sees the old file or the new one, never half, though the machine fails meanwhile. Raises
    FileNotFoundError where the folder is not there, IsADirectoryError where `path` is one.
    """
    check_target(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        _settle(draft)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def write_atomic(path: Path, content: bytes) -> None:
    """Write the file, whole or not at all. Raises FileNotFoundError where the folder is not there."""
    with atomic_file(path) as draft:
        draft.write_bytes(content)


def check_target(path: Path) -> None:
    """Raises FileNotFoundError or IsADirectoryError where no file can be written to `path`: before long work."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {path.parent}. Create it first, or choose another one.")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder. Give the name of a file.")


def error_text(error: Exception) -> str:
    """A sentence for people: what the operating system refused, and what to do. Texts of our own stay as they are."""
    if not isinstance(error, OSError) or error.errno is None or error.filename is None:
        return str(error)
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(error.filename)
    return _SENTENCES.get(error.errno, "{name}: {reason}.").format(name=name, reason=error.strerror)


_SENTENCES = {
    errno.ENOENT: "There is no file or folder {name}. Check the path.",
    errno.EISDIR: "{name} is a folder. Give the name of a file.",
    errno.EEXIST: "{name} is a file. Give the name of a folder.",
    errno.ENOTDIR: "A part of {name} is a file, not a folder. Check the path.",
    errno.EACCES: "{name} may not be opened by this user. Change its permissions, or choose another path.",
    errno.EROFS: "{name} is on a read-only disk. Choose another path.",
    errno.ENOSPC: "There is no space left for {name}. Free some, then run the command again.",
}


def write_json(path: Path, value: Any) -> None:
    """JSON with sorted keys, whole or not at all: equal values give equal bytes. NaN raises ValueError."""
    write_atomic(path, to_json(value))


def to_json(value: Any) -> bytes:
    """UTF-8 JSON, indented, with sorted keys. NaN raises ValueError."""
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def file_sha256(path: Path) -> str:
    """The sha256 of a file's bytes as 64 hex digits, in constant memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _settle(draft: Path) -> None:
    """On disk, and with the rights of any new file: a temporary one's own 0600 would hide it from other users."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    give_usual_rights(draft)


def give_usual_rights(path: Path) -> None:
    """Those of any new file or folder: temporary ones, and those of safetensors, are hidden from other users."""
    path.chmod((0o777 if path.is_dir() else 0o666) & ~_umask())


_turn = threading.Lock()


def _umask() -> int:
    """The process's own, which can only be read by setting another: by one thread at a time, or that one would stay.

    Files that other threads create meanwhile are private, not open to everybody.
    """
    with _turn:
        umask = os.umask(0o077)
        os.umask(umask)
    return umask
