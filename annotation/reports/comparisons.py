"""A study's votes as comparisons of codecs, for rankings and for deciding what to ask next."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db.models import CharField
from django.db.models.functions import Cast

from annotation.models import Judgment, Study
from psychometrics.comparisons import Comparisons, number_labels

OUTCOMES = {Judgment.Choice.FIRST: 0, Judgment.Choice.SECOND: 1, Judgment.Choice.TIE: 2}


def votes_of(study: Study, *, simulated: bool) -> Any:
    """The judgments of one population that count; people and programs are never in one figure."""
    return Judgment.objects.filter(study=study).of_population(simulated=simulated).counted()


def rows_of(study: Study, *, simulated: bool) -> list[Any]:
    """Rows of (bpp, first codec, second codec, choice, annotator, source), from one query."""
    return list(
        votes_of(study, simulated=simulated).values_list(
            *("triplet__target_bpp", "triplet__first__codec", "triplet__second__codec", "choice"),
            # As text: making 200,000 UUIDs takes longer than the query.
            *(Cast("annotator_id", CharField()), "triplet__source_id"),
        )
    )


def comparisons_of(rows: Sequence[Any], names: Sequence[str]) -> Comparisons:
    """Rows as `rows_of` gives them as comparisons of the codecs `names`."""
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
