"""A ranking compared with a published scale of the same conditions: how well the two agree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from psychometrics.comparisons import Floats, pair_indices
from psychometrics.conditions import AnswersError, number, parse_compared
from psychometrics.ranking import Ranking
from psychometrics.tables import Table, TableError, read_table

NAMES = ("condition", "method")
FEWEST = 3


@dataclass(frozen=True)
class PublishedScale:
    """The column of a file and its value by the name of the condition."""

    column: str
    values: dict[str, float]


@dataclass(frozen=True)
class AgainstPublished:
    """Two scales of the same `conditions`: correlations, the share of pairs in the same order, and the condition
    that is furthest from the straight line through both, by how many JND. `missing`: conditions that one of the two
    lacks.
    """

    column: str
    conditions: int
    missing: int
    pearson: float
    spearman: float
    kendall: float
    same_order: float
    furthest: str
    by: float


def read_published_scale(path: Path, column: str = "") -> PublishedScale:
    """Read a CSV with a column `condition` or `method` and one of numbers: `column`, else the first that holds numbers.

    Raises AnswersError.
    """
    try:
        table = read_table(path)
    except TableError as error:
        raise AnswersError(str(error)) from error
    name = next((each for each in NAMES if each in table.head), None)
    if name is None:
        raise AnswersError(f"{path} has no column {' or '.join(NAMES)}, which names what each value is of.")
    column = column or _first_of_numbers(table, name)
    if column not in table.head:
        raise AnswersError(f"{path} has no column {column!r}; it has {', '.join(filter(None, table.head))}.")
    at, of = table.head.index(name), table.head.index(column)
    values: dict[str, float] = {}
    for line, cells in table.rows:
        condition = str(parse_compared(cells[at]))
        if condition in values:
            raise AnswersError(
                f"Line {line} of {path} has a second value of {condition}: give one for each condition."
            )
        values[condition] = number(cells[of], f"Line {line} of {path}: {column}")
    return PublishedScale(column, values)


def _first_of_numbers(table: Table, name: str) -> str:
    for n, column in enumerate(table.head):
        if column and column != name and all(_is_number(cells[n]) for _, cells in table.rows):
            return column
    raise AnswersError(f"{table.name} has no column of numbers beside {name}.")


def _is_number(text: str) -> bool:
    try:
        number(text, "")
    except AnswersError:
        return False
    return True


def against_published(ranking: Ranking, published: PublishedScale) -> AgainstPublished:
    """Hold the scale of `ranking` against a published one. Raises AnswersError for too few common conditions."""
    names = [str(name) for name in ranking.names]
    common = [n for n, name in enumerate(names) if name in published.values]
    if len(common) < FEWEST:
        raise AnswersError(
            f"Only {len(common)} of {len(names)} conditions have a published value; {FEWEST} are needed. The answers "
            f"name {', '.join(names[:3])}, the published scale {', '.join(list(published.values)[:3])}."
        )
    ours = ranking.values[common]
    theirs = np.array([published.values[names[n]] for n in common])
    if np.ptp(ours) == 0 or np.ptp(theirs) == 0:
        raise AnswersError(
            "One of the two scales has no differences, so nothing can be said of how they agree."
        )
    from scipy.stats import kendalltau, pearsonr, spearmanr  # slow to import, and only this needs it

    left = ours - np.polyval(np.polyfit(theirs, ours, 1), theirs)
    furthest = int(np.abs(left).argmax())
    pearson, spearman, kendall = (
        float(each(ours, theirs).statistic) for each in (pearsonr, spearmanr, kendalltau)
    )
    return AgainstPublished(
        column=published.column,
        conditions=len(common),
        missing=len(names) + len(published.values) - 2 * len(common),
        pearson=pearson,
        spearman=spearman,
        kendall=kendall,
        same_order=_same_order(ours, theirs),
        furthest=names[common[furthest]],
        by=float(left[furthest]),
    )


def _same_order(ours: Floats, theirs: Floats) -> float:
    low, high = pair_indices(ours.size)
    return float(((ours[low] - ours[high]) * (theirs[low] - theirs[high]) > 0).mean())
