"""The conditions that answers compare: a method, at a level where it has one, or the original.

`annotation.core.conditions.Condition` is stricter: a study's condition always has a level and a checked name. Here
any name that a file of answers holds will do.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from psychometrics.tables import plain_number

ORIGINAL = "original"
REFERENCES = (ORIGINAL, "reference")
MISSING = ("", "na", "nan", "null", "none", "n/a", "#n/a")
"""What R, pandas, databases and spreadsheets write into a cell that has no value, in lower case."""


class AnswersError(ValueError):
    """A file of answers can't be read; the message says what to do."""


@dataclass(frozen=True, slots=True, order=True)
class ComparedMethod:
    """A condition: a method, at a level where it has one; the original has none."""

    method: str
    level: float | None = None

    def __str__(self) -> str:
        return self.method if self.level is None else f"{self.method}@{self.level:g}"


THE_ORIGINAL = ComparedMethod(ORIGINAL)


def is_missing(cell: str) -> bool:
    """Whether a cell of numbers or of a mark has no value. Names are text: somebody may be called NA."""
    return cell.lower() in MISSING


def note_on_names(annotators: Iterable[str]) -> tuple[str, ...]:
    """A sentence for each name of an annotator, of each answer, that may have meant that nobody is named."""
    unlikely = Counter(name for name in annotators if name and is_missing(name))
    return tuple(
        f"{name!r} is taken as the name of an annotator (answers: {count:,}): leave the cell empty where the annotator "
        "is not known."
        for name, count in sorted(unlikely.items())
    )


@lru_cache(maxsize=65536)
def parse_compared(name: str) -> ComparedMethod:
    """`METHOD`, `METHOD@LEVEL` or `original`. Raises AnswersError for a level that is not a number."""
    if name.lower() in REFERENCES:
        return THE_ORIGINAL
    method, at, level = name.rpartition("@")
    if not at:
        return ComparedMethod(name)
    return ComparedMethod(method, number(level, f"the level of {name!r}"))


def number(text: str, what: str) -> float:
    """A finite number. Raises AnswersError, calling it `what`."""
    try:
        value = plain_number(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise AnswersError(f"{what} is {text!r}, which is not a number")
    return value
