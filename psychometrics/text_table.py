"""Tables for a terminal: columns as wide as their widest cell, two spaces apart."""

from collections.abc import Iterable, Sequence


def aligned(lines: Iterable[Sequence[str]], *, figures_right: bool = False) -> list[str]:
    """The lines of a table, the head among them, all of as many cells; the first column is always aligned left.

    `figures_right`: the other columns are aligned right. Lines have no trailing blanks. Raises ValueError for
    lines of different lengths.
    """
    table = [list(line) for line in lines]
    columns = [list(column) for column in zip(*table, strict=True)]
    for number, column in enumerate(columns):
        width = max(map(len, column))
        right = figures_right and number > 0
        columns[number] = [cell.rjust(width) if right else cell.ljust(width) for cell in column]
    return ["  ".join(line).rstrip() for line in zip(*columns, strict=True)]
