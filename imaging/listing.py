"""Files of a folder that a person means, without what systems leave beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

# macOS, Windows, Synology and QNAP, ext4; compared in lower case.
LEFT_BY_SYSTEMS = frozenset(
    {"__macosx", "icon\r", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information",
     "@eadir", "#recycle", "@recycle", "lost+found"}
)  # fmt: skip


def is_system_file(path: Path) -> bool:
    """Whether a file or folder is hidden (macOS's ._NAME too) or one that a system makes for itself."""
    return path.name.startswith(".") or path.name.lower() in LEFT_BY_SYSTEMS


def files(folder: Path, endings: frozenset[str] | set[str], *, below: bool = False) -> Iterator[Path]:
    """The folder's files with one of these endings (lower case, with the dot), by name; `below`: its folders' too.

    Endings in capitals are the same. Raises OSError for a folder that cannot be read.
    """
    for path in sorted(folder.iterdir()):
        if is_system_file(path):
            continue
        if path.is_dir():
            if below:
                yield from files(path, endings, below=True)
        elif path.suffix.lower() in endings:
            yield path


def folders_named(folder: Path, name: str) -> Iterator[Path]:
    """Every folder called `name` below `folder`, by path."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not is_system_file(path):
            if path.name == name:
                yield path
            yield from folders_named(path, name)
