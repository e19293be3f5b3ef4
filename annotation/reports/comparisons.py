"""A study's votes as comparisons of methods or of conditions, for rankings and for deciding what to ask next."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db.models import CharField
from django.db.models.functions import Cast

from annotation.core.conditions import Condition
from annotation.models import Judgment, Study
from psychometrics.comparisons import Comparisons, number_labels

OUTCOMES = {Judgment.Choice.FIRST: 0, Judgment.Choice.SECOND: 1, Judgment.Choice.TIE: 2}


def votes_of(study: Study, *, simulated: bool) -> Any:
    """The judgments of one population that count; people and programs are never in one figure."""
    return Judgment.objects.filter(study=study).of_population(simulated=simulated).counted()


def rows_of(study: Study, *, simulated: bool) -> list[Any]:
    """Rows of (level, first method, second method, choice, annotator, source, first level, second level).

    From one query. `level` is None across levels; beside the original it is that of the other side.
    """
    return list(
        votes_of(study, simulated=simulated).values_list(
            *("triplet__level", "triplet__first__method", "triplet__second__method", "choice"),
            # As text: making 200,000 UUIDs takes longer than the query.
            *(Cast("annotator_id", CharField()), "triplet__source_id"),
            *("triplet__first__level", "triplet__second__level"),
        )
    )


def within_levels(rows: Sequence[Any]) -> list[Any]:
    """Those rows that compare two methods at one level, or one with the original."""
    return [row for row in rows if row[0] is not None]


def by_condition(rows: Sequence[Any]) -> list[Any]:
    """The rows with the names of conditions, METHOD@LEVEL, in the places of methods."""
    names: dict[tuple[str, Any], str] = {}

    def name(method: str, level: Any) -> str:
        if (method, level) not in names:
            names[method, level] = str(Condition(method, float(level)))
        return names[method, level]

    return [(row[0], name(row[1], row[6]), name(row[2], row[7]), *row[3:]) for row in rows]


def comparisons_of(rows: Sequence[Any], names: Sequence[str]) -> Comparisons:
    """Rows as `rows_of` gives them as comparisons of the methods, or conditions, `names`."""
    number = {name: n for n, name in enumerate(names)}

    def column(values: Any) -> Any:
        return np.fromiter(values, dtype=np.int64, count=len(rows))

    return Comparisons.of_choices(
        names=tuple(names),
        first=column(number[row[1]] for row in rows),
        second=column(number[row[2]] for row in rows),
        outcome=column(OUTCOMES[row[3]] for row in rows),
        annotator=number_labels([row[4] for row in rows])[1],
        source=number_labels([row[5] for row in rows])[1],
    )
