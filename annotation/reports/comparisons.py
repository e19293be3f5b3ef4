"""A study's votes as comparisons of conditions, for rankings, stop rules and what to ask next."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from django.db.models import CharField, QuerySet
from django.db.models.functions import Cast
from numpy.typing import NDArray

from annotation.models import Enrolment, Judgment, Study, Triplet
from psychometrics.comparisons import Comparisons, Floats, Ints, tally
from psychometrics.conditions import THE_ORIGINAL, Condition

OUTCOMES = {Judgment.Choice.FIRST: 0, Judgment.Choice.SECOND: 1, Judgment.Choice.TIE: 2}
ROWS_AT_ONCE = 20_000


@dataclass(frozen=True)
class StudyVotes:
    """The votes of one population. `comparisons`: a row for each vote, whose names are conditions; `triplet` (m,): its
    place in `triplets`; `annotators` and `sources`: the ids that its numbers stand for.
    """

    comparisons: Comparisons
    triplet: Ints
    triplets: tuple[int, ...]
    annotators: tuple[str, ...]
    sources: tuple[int, ...]

    def where(self, chosen: NDArray[np.bool_]) -> "StudyVotes":
        """Those votes for which `chosen` (m,) holds."""
        rows = self.comparisons.where(chosen)
        return StudyVotes(rows, self.triplet[chosen], self.triplets, self.annotators, self.sources)


def votes_of(study: Study, *, simulated: bool) -> Any:
    """The judgments of one population that count; people and programs are never in one figure."""
    return Judgment.objects.filter(study=study).of_population(simulated=simulated).counted()


def study_votes(study: Study, *, simulated: bool, excluded: bool = False) -> StudyVotes:
    """The votes of a study, read in batches: a million of them take no more memory than their columns.

    `excluded`: with those of annotators who are excluded.
    """
    triplets = {row[0]: row for row in _triplets(study)}
    place = {pk: n for n, pk in enumerate(triplets)}
    people: dict[str, int] = {}
    votes = votes_of(study, simulated=simulated)
    if excluded or not Enrolment.objects.excluded().filter(study=study).exists():
        # The same rows without asking of each vote whether its annotator is excluded.
        votes = Judgment.objects.filter(study=study, counted=True).of_population(simulated=simulated)
    batches = list(_columns(votes, place, people))
    columns = [np.concatenate(each) for each in zip(*batches, strict=True)] or [np.zeros(0, np.int64)] * 3
    return _joined(list(triplets.values()), *columns, tuple(people))


def tally_by_name(rows: Comparisons, names: dict[str, int], *, method: bool) -> Floats:
    """Counts (pairs, 3) of the conditions called `names`, or of their methods; others are left off."""
    number = np.array(
        [
            names.get(one.method if method else str(one), -1)
            for one in rows.names
            if isinstance(one, Condition)
        ],
        dtype=np.int64,
    )
    if not len(rows.first):
        return np.zeros((len(names) * (len(names) - 1) // 2, 3))
    kept = (number[rows.first] >= 0) & (number[rows.second] >= 0)
    return tally(rows.where(kept).renamed(tuple(names), number))


def _triplets(study: Study) -> list[Any]:
    """Rows of (id, source, first method and level, second method and level)."""
    return list(
        Triplet.objects.filter(study=study)
        .order_by("pk")
        .values_list(
            "pk",
            "source_id",
            *(f"{side}__{of}" for side in ("first", "second") for of in ("method", "level")),
        )
    )


def _columns(
    votes: QuerySet[Judgment], place: dict[int, int], people: dict[str, int]
) -> Iterator[tuple[Ints, ...]]:
    """(triplet, annotator, outcome) of each batch of votes; new annotators are added to `people`."""
    # As text: making 200,000 UUIDs takes longer than the query.
    rows = votes.order_by().values_list("triplet_id", Cast("annotator_id", CharField()), "choice")
    for batch in _batches(rows.iterator(chunk_size=ROWS_AT_ONCE)):
        triplet, annotator, choice = zip(*batch, strict=True)
        yield (
            np.fromiter(map(place.__getitem__, triplet), np.int64, len(batch)),
            np.fromiter((people.setdefault(who, len(people)) for who in annotator), np.int64, len(batch)),
            np.fromiter(map(OUTCOMES.__getitem__, choice), np.int64, len(batch)),
        )


def _batches(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        yield batch


def _joined(
    triplets: list[Any], triplet: Ints, annotator: Ints, outcome: Ints, annotators: tuple[str, ...]
) -> StudyVotes:
    sides = [[_condition(*row[at : at + 2]) for row in triplets] for at in (2, 4)]
    names = sorted({*sides[0], *sides[1]}, key=lambda one: (one.method, one.level or 0.0))
    number = {name: n for n, name in enumerate(names)}
    first, second = (np.array([number[one] for one in side], dtype=np.int64) for side in sides)
    sources = sorted({row[1] for row in triplets})
    source = {pk: n for n, pk in enumerate(sources)}
    shown = np.array([source[row[1]] for row in triplets], dtype=np.int64)
    rows = Comparisons.of_choices(names, first[triplet], second[triplet], outcome, annotator, shown[triplet])
    return StudyVotes(rows, triplet, tuple(row[0] for row in triplets), annotators, tuple(sources))


def _condition(method: str, level: Any) -> Condition:
    return THE_ORIGINAL if method == THE_ORIGINAL.method else Condition(method, float(level))
