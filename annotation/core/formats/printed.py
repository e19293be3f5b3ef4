"""A table of results, once: the same rows as CSV for programs and as LaTeX for a paper."""

from collections.abc import Sequence
from dataclasses import dataclass

from psychometrics.p_values import p_in_words
from psychometrics.tables import to_text

Cell = str | float | int | bool | None
MINUS, UNKNOWN = "−", "–"
# The form of a column of p values: none is printed as 0.000.
P_VALUE = "p"


@dataclass(frozen=True)
class Column:
    """`name` heads it in a CSV file, `head` in print; `form` prints its numbers, as ".2f", "+.2f" or ".0%".

    `joins`: print has it in one cell with the column before, as "0.1 to 0.3". `in_print` False: only the CSV has it.
    """

    name: str
    head: str
    form: str = ""
    joins: bool = False
    in_print: bool = True


@dataclass(frozen=True)
class Table:
    """Rows of plain values, whose numbers are whole in a CSV file and rounded in print; None is not known.

    `detail`: further rows, too many to print, which only the CSV file has.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    detail: tuple[tuple[Cell, ...], ...] = ()

    def to_csv(self) -> str:
        """The whole file, with its head; a cell that is not known is empty."""
        rows = ([_plain(cell) for cell in row] for row in (*self.rows, *self.detail))
        return to_text([column.name for column in self.columns], rows)

    @property
    def heads(self) -> list[str]:
        """Of the columns in print."""
        return [column.head for column in self._in_print]

    def printed(self) -> list[list[str]]:
        """The rows as words."""
        return [self._printed(row) for row in self.rows]

    def _printed(self, row: Sequence[Cell]) -> list[str]:
        cells: list[str] = []
        for cell, column in zip(row, self.columns, strict=True):
            words = printed(cell, column.form)
            if column.joins:
                cells[-1] = cells[-1] if words == UNKNOWN else f"{cells[-1]} to {words}"
            elif column.in_print:
                cells.append(words)
        return cells

    @property
    def _in_print(self) -> list[Column]:
        return [column for column in self.columns if column.in_print and not column.joins]

    @property
    def numeric(self) -> Sequence[bool]:
        """Which columns hold numbers, and are aligned right."""
        return [bool(column.form) for column in self._in_print]


def printed(cell: Cell, form: str = "") -> str:
    """A cell as it is printed: a true minus, none before a number that rounds to 0, a dash where nothing is known."""
    if cell is None or cell == "":
        return UNKNOWN
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, str) or not form:
        return str(cell)
    if form == P_VALUE:
        return p_in_words(cell)
    if isinstance(cell, float):
        sign = "+" if form.startswith("+") else ""
        form = f"{sign}z{form.removeprefix(sign)}"
    return format(cell, form).replace("-", MINUS).replace("%", " %")


def _plain(cell: Cell) -> Cell:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "" if cell is None else cell
