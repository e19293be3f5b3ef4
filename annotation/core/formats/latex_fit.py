"""How a table fits the text width of a LaTeX article: in smaller type first, then with wrapped words."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

# The line of the class article at 10 pt, and what a letter and half the gap between columns take there, in points.
LINE_PT = 345.0
SIZES = (("", 5.0, 6.0), (r"\footnotesize", 4.3, 4.0), (r"\scriptsize", 3.8, 3.0))


@dataclass(frozen=True)
class Fit:
    """`size` is LaTeX's command for the type size, "" for the normal one; `gap` half the space between columns in
    points, None for the normal one; `places` the columns as tabular takes them; `wrapped` the indices of columns whose
    words wrap; `lines` how many lines the rows take.
    """

    size: str
    gap: float | None
    places: str
    wrapped: frozenset[int]
    lines: int


def fit(heads: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool]) -> Fit:
    """The largest type in which the table is no wider than the text; in the smallest, columns of words wrap."""
    letters = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for size, letter, gap in SIZES:
        if sum(letters) * letter + 2 * gap * len(letters) <= LINE_PT:
            places = "".join("r" if each else "l" for each in numeric)
            return Fit(size, gap if size else None, places, frozenset(), len(rows))
    most = _most_letters(letters, numeric, int((LINE_PT - 2 * gap * len(letters)) / letter))
    wrapped = frozenset(n for n, each in enumerate(numeric) if not each and letters[n] > most)
    places = "".join(
        f"p{{{most * letter:.0f}pt}}" if n in wrapped else "r" if each else "l"
        for n, each in enumerate(numeric)
    )
    lines = sum(
        max(ceil(len(cell) / most) if n in wrapped else 1 for n, cell in enumerate(row)) for row in rows
    )
    return Fit(size, gap, places, wrapped, lines)


def _most_letters(letters: Sequence[int], numeric: Sequence[bool], room: int) -> int:
    """How many letters a column of words may have, so that all columns together have `room`."""
    words = sorted(each for each, number in zip(letters, numeric, strict=True) if not number)
    left = room - sum(each for each, number in zip(letters, numeric, strict=True) if number)
    while words and words[0] * len(words) <= left:
        left -= words.pop(0)
    return max(8, left // max(len(words), 1))
