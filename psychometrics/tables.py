"""Tables of text: one reader for every CSV file that comes in, one writer for every CSV that goes out.

It reads the dialects that spreadsheets, R, Python and panels write: UTF-8 with or without a byte order mark,
UTF-16 with one; lines that end in LF, CRLF or CR; cells apart by comma, semicolon, tab or bar, as the head line
shows, quoted or not; blank lines anywhere; a column without a name (R's row names) is skipped.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# What is sent on its own costs as much as writing many lines.
ROWS_A_PIECE = 200
LONGEST_CELL = csv.field_size_limit()
FORMULA_STARTS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
"""A spreadsheet may run a cell that begins with one of these as a formula; in East Asia the full-width forms too."""
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    # UTF-32 first: its mark begins with that of UTF-16.
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}

_OTHER_FILES = {
    b"\x1f\x8b": "compressed (gzip). Unpack it first",
    b"PK\x03\x04": "a zip file or a spreadsheet. Unpack it, or save the sheet as “CSV UTF-8”",
    b"\xd0\xcf\x11\xe0": "an old Excel file. Save the sheet as “CSV UTF-8”",
    b"BZh": "compressed (bzip2). Unpack it first",
    b"\xfd7zXZ": "compressed (xz). Unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed (zstd). Unpack it first",
    b"PAR1": "a Parquet file. Save it as “CSV UTF-8”",
}
"""How files that are no text begin, and what to do with them."""

Record = tuple[int, dict[str, str]]
"""The number of a line in its file, from 1, and its cells by the name of their column."""


class TableError(ValueError):
    """A file that can't be read as a table; the message names the file, the line and what to do."""


class Writer(Protocol):
    """What `csv.writer` needs of a file."""

    def write(self, text: str, /) -> Any:
        """Take one line."""


@dataclass(frozen=True)
class Table:
    """A head and the rows below it, every cell stripped; `rows` holds the line of each in its file.

    Every row has as many cells as the head.
    """

    name: str
    head: tuple[str, ...]
    rows: list[tuple[int, tuple[str, ...]]]

    def records(self, required: Sequence[str], optional: Sequence[str] = ()) -> list[Record]:
        """The rows by these columns; an optional column that the file lacks is left out of them.

        Raises TableError where a required column is missing or one of them stands in the head twice.
        """
        missing = [name for name in required if name not in self.head]
        if missing:
            raise TableError(
                f"{self.name} has no column {', '.join(missing)}. Its first line must have the columns "
                f"{', '.join(required)}; it has {', '.join(filter(None, self.head)) or 'nothing'}."
            )
        places = {name: self._place(name) for name in (*required, *optional) if name in self.head}
        return [(line, {name: cells[at] for name, at in places.items()}) for line, cells in self.rows]

    def _place(self, name: str) -> int:
        if self.head.count(name) > 1:
            raise TableError(f"{self.name} has two columns {name}. Rename or remove one of them.")
        return self.head.index(name)


def read_records(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> list[Record]:
    """The rows of a CSV file below a head with these columns. Raises TableError, also for a file that isn't there."""
    return read_table(path).records(required, optional)


def read_table(path: Path) -> Table:
    """Read a CSV file with a head line. Raises TableError, also for a file that isn't there."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror or error}.") from error
    return parse_table(content, str(path))


def parse_table(content: bytes, name: str) -> Table:
    """Read the bytes of a CSV file with a head line; `name` is what messages call it. Raises TableError."""
    lines = _lines(decode(content, name), name)
    if not lines:
        raise TableError(f"{name} is empty. Its first line must name its columns.")
    (_, head), *rows = lines
    return Table(name, tuple(head), [(line, _fitted(cells, head, line, name)) for line, cells in rows])


def decode(content: bytes, name: str) -> str:
    """The text of a file, without its byte order mark. Raises TableError for what is neither UTF-8 nor UTF-16."""
    for start, words in _OTHER_FILES.items():
        if content.startswith(start):
            raise TableError(f"{name} is {words}.")
    mark, encoding = next(
        ((mark, encoding) for mark, encoding in _MARKS.items() if content.startswith(mark)), (b"", "utf-8")
    )
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise TableError(f"{name} is not text in UTF-8 (line {line}). Save it as “CSV UTF-8”.") from error
    text = text.lstrip("\ufeff")  # a program that did not know the mark wrote another one before it
    if "\0" in text:
        raise TableError(f"{name} contains zero bytes, so it is not UTF-8 text. Save it as “CSV UTF-8”.")
    return text


def _lines(text: str, name: str) -> list[tuple[int, list[str]]]:
    """Every line that is not blank, as stripped cells, with its number: of the last, where a cell has several."""
    hint, text, skipped = _spreadsheet_hint(text)
    reader = _reader(text, hint or find_delimiter(text, name))
    lines: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                lines.append((reader.line_num + skipped, [cell.strip() for cell in cells]))
    except csv.Error as error:
        raise TableError(f"Line {reader.line_num + skipped} of {name}: {_explain(error)}") from error
    return lines


def _spreadsheet_hint(text: str) -> tuple[str, str, int]:
    """The delimiter of Excel's first line "sep=;", the text below it, and the lines that were taken off."""
    first = text[:8].splitlines()[0] if text[:8].splitlines() else ""
    hint = first.strip('"')
    if hint.lower().startswith("sep=") and hint[4:] in DELIMITERS:
        below = text[len(first) :]
        return hint[4:], below[2 if below.startswith("\r\n") else 1 :], 1
    return "", text, 0


def _reader(text: str, delimiter: str) -> Any:
    # newline="": the csv module ends lines itself, so that a line break within quotes stays in its cell.
    file = io.StringIO(text, newline="")
    return csv.reader(file, delimiter=delimiter, skipinitialspace=True, strict=True)


def find_delimiter(text: str, name: str) -> str:
    """The delimiter that splits the first line into the most cells; a comma where there is only one cell.

    Raises TableError where two split it into equally many.
    """
    counts = {delimiter: _cells_of_head(text, delimiter) for delimiter in DELIMITERS}
    most = max(counts.values())
    if most <= 1:
        return ","
    best = [delimiter for delimiter, count in counts.items() if count == most]
    if len(best) > 1:
        raise TableError(
            f"The columns of {name} could be separated by "
            f"{' or by '.join(DELIMITERS[one] for one in best)}. Use commas, and put a name that contains "
            f"a comma in quotes."
        )
    return best[0]


def _cells_of_head(text: str, delimiter: str) -> int:
    try:
        head: list[str] = next(
            (cells for cells in _reader(text, delimiter) if any(cell.strip() for cell in cells)), []
        )
    except csv.Error:
        return 0
    return len(head)


def _explain(error: csv.Error) -> str:
    words = str(error)
    if "field limit" in words:
        return f"a cell has more than {LONGEST_CELL} characters. Is a closing quote missing above?"
    if "unexpected end of data" in words:
        return "the file ends within quotes. Is a closing quote missing above?"
    return f"it is not well-formed ({words}). A quotation mark within quotes must be doubled."


def _fitted(cells: list[str], head: Sequence[str], line: int, name: str) -> tuple[str, ...]:
    """The cells of a row, without blank ones beyond the head. Raises TableError for any other difference."""
    beyond = cells[len(head) :]
    if any(beyond) and len(cells) == len(head) + 1:
        raise TableError(
            f"Line {line} of {name} has one field more than the header. If the first column contains row "
            f"names, give it a name too, or write the file without row names."
        )
    if any(beyond) or len(cells) < len(head):
        raise TableError(
            f"Line {line} of {name} does not have as many fields as the header ({len(cells)}, not {len(head)})."
        )
    return tuple(cells[: len(head)])


def plain_number(text: str) -> float:
    """The number in a cell, as spreadsheets and R write it: 12, -0.5, 1e-3. Raises ValueError.

    Python also takes 1_000 and digits of other scripts, which other programs do not read as numbers.
    """
    if "_" in text or not text.isascii():
        raise ValueError(f"{text!r} is not a number")
    return float(text)


_PLAIN = frozenset({int, float, bool, type(None)})
_SUSPECT = frozenset(f"'{FORMULA_STARTS}")


def guard(value: Any) -> Any:
    """The value as a cell: text that a spreadsheet would run as a formula begins with an apostrophe.

    Numbers stay as they are, as text too ("-0.5"). Times become ISO 8601, None an empty cell.
    """
    if isinstance(value, str):
        return f"'{value}" if value[:1] in _SUSPECT and _is_formula(value) else value
    return value.isoformat() if hasattr(value, "isoformat") else value


def unguard(text: str) -> str:
    """The text of a cell that `guard` wrote."""
    return text[1:] if text.startswith("'") and _is_formula(text[1:]) else text


def _is_formula(text: str) -> bool:
    """Whether a spreadsheet may run the text, or it looks like text that was guarded, which is guarded again."""
    bare = text.lstrip("'")
    return bare[:1] != "" and bare[0] in FORMULA_STARTS and not _is_number(bare)


def _is_number(text: str) -> bool:
    try:
        plain_number(text)
    except ValueError:
        return False
    return text.strip() == text


class TableWriter:
    """Writes rows of a CSV file to `file`, which is open for text with newline="": every cell is guarded."""

    def __init__(self, file: Writer, head: Iterable[str], *, line_end: str = "\n") -> None:
        self._writer = csv.writer(file, lineterminator=line_end)
        self.head = tuple(head)
        self.first = self._writer.writerow([guard(name) for name in self.head])

    def row(self, cells: Iterable[Any]) -> Any:
        """Write one row; returns what the file's `write` does."""
        return self._writer.writerow(_guarded(cells))

    def rows(self, rows: Iterable[Iterable[Any]]) -> None:
        """Write many."""
        self._writer.writerows(map(_guarded, rows))

    def record(self, record: Mapping[str, Any]) -> Any:
        """Write one row by the names of its columns, all of which it must have."""
        return self.row(record[name] for name in self.head)


def _guarded(cells: Iterable[Any]) -> list[Any]:
    return [cell if cell.__class__ in _PLAIN else guard(cell) for cell in cells]


def stream(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterable[str]:
    """A CSV file in pieces for a response that is streamed: the head, then ROWS_A_PIECE lines at a time."""
    piece, rest = io.StringIO(newline=""), iter(rows)
    writer = TableWriter(piece, head, line_end="\r\n")
    while text := piece.getvalue():
        yield text
        piece.seek(0)
        piece.truncate()
        writer.rows(islice(rest, ROWS_A_PIECE))


def to_text(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A whole CSV file as text, with lines that end in LF."""
    text = io.StringIO(newline="")
    TableWriter(text, head).rows(rows)
    return text.getvalue()
