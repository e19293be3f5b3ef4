"""The files of a snapshot, in a folder or in the zip file that is kept, and the typed rows of its tables."""

import csv
import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from annotation.core.formats.answers import COLUMNS as ANSWER_COLUMNS
from annotation.core.formats.answers import NAME as ANSWERS
from annotation.core.formats.bapps import JUDGMENT_COLUMNS, TRIPLET_COLUMNS
from annotation.core.formats.zip import packed_files
from psychometrics.tables import unguard

ROWS_AT_ONCE = 5_000
# Of what is no text, by the name of its column.
KINDS: dict[str, type] = {
    **dict.fromkeys(("n", "n_p0", "n_p1", "n_tie"), int),
    **dict.fromkeys(
        ("p0_level", "p1_level", "p0_bpp", "p1_bpp", "target_bpp", "left_level", "right_level"), float
    ),
    **dict.fromkeys(("onset_ms", "answered_ms", "px_per_mm", "zoom"), float),
    **dict.fromkeys(("simulated", "counted", "stands"), bool),
}
TABLES = {
    "triplets": ("triplets.csv", TRIPLET_COLUMNS),
    "judgments": ("judgments.csv", JUDGMENT_COLUMNS),
    "answers": (ANSWERS, ANSWER_COLUMNS),
}


class SnapshotFiles(Protocol):
    """The files of a snapshot by their names in its folder."""

    def names(self) -> list[str]:
        """All of them, sorted."""

    def open(self, name: str) -> IO[bytes]:
        """One of them, to be read. Raises KeyError for a name that there is not."""


class FolderFiles:
    """Those of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """All of them, sorted."""
        return sorted(
            path.relative_to(self._folder).as_posix() for path in self._folder.rglob("*") if path.is_file()
        )

    def open(self, name: str) -> IO[bytes]:
        """One of them, to be read."""
        if not (self._folder / name).is_file():
            raise KeyError(name)
        return (self._folder / name).open("rb")


@contextmanager
def files_of_package(file: IO[bytes]) -> Iterator[SnapshotFiles]:
    """Those of the zip file that is kept. Raises PackageError for one that is damaged."""
    with packed_files(file) as files:
        yield files


def rows_of(files: SnapshotFiles, table: str) -> Iterator[dict[str, Any]]:
    """The rows of a table as typed values by column; None where a cell is empty, or a snapshot is older than a column.

    Nothing for a table that the snapshot does not have.
    """
    name, columns = TABLES[table]
    if name not in files.names():
        return
    with files.open(name) as raw:
        unpacked = gzip.GzipFile(fileobj=raw) if name.endswith(".gz") else raw
        text = io.TextIOWrapper(unpacked, encoding="utf-8", newline="")
        for row in csv.DictReader(text):
            yield {column: _typed(column, row.get(column)) for column in columns}


def _typed(column: str, text: str | None) -> Any:
    kind = KINDS.get(column, str)
    if text is None or (text == "" and kind is not str):
        return None
    return text == "true" if kind is bool else unguard(text) if kind is str else kind(text)
