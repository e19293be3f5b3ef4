"""A study's votes as comparisons of conditions, for rankings, stop rules and what to ask next."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Case, IntegerField, QuerySet, Value, When

from annotation.models import Enrolment, Judgment, Study, Triplet
from psychometrics.comparisons import Comparisons, Floats, Ints, tally
from psychometrics.conditions import THE_ORIGINAL, Condition

OUTCOMES = {str(choice): n for n, choice in enumerate(("first", "second", "tie"))}
SIDES = {str(side): n for n, side in enumerate(("left", "right", "tie"))}
ROWS_AT_ONCE = 20_000


@dataclass(frozen=True)
class StudyVotes:
    """The votes of one population. `comparisons`: a row for each vote, whose names are conditions; `triplet` (m,): its
    place in `triplets`; `side` (m,): 0 where the left was chosen, 1 the right, 2 neither; `annotators` and `sources`:
    the ids that its numbers stand for.
    """

    comparisons: Comparisons
    triplet: Ints
    side: Ints
    triplets: tuple[int, ...]
    annotators: tuple[str, ...]
    sources: tuple[int, ...]

    @property
    def by_triplet(self) -> tuple[Ints, Ints]:
        """Votes for first, second and neither (3, t) of the triplets that have any, and the source of each (t,)."""
        counts = np.bincount(3 * self.triplet + self.comparisons.counts.argmax(axis=1)).astype(np.int64)
        votes = np.pad(counts, (0, -counts.size % 3)).reshape(-1, 3)
        seen = np.flatnonzero(votes.sum(axis=1))
        source = np.zeros(len(votes), dtype=np.int64)
        source[self.triplet] = 0 if self.comparisons.source is None else self.comparisons.source
        return votes[seen].T, source[seen]

    @property
    def sides_by_annotator(self) -> tuple[Ints, Ints]:
        """How often each annotator chose the left and the right: (a,) each."""
        who = np.zeros(0, np.int64) if self.comparisons.annotator is None else self.comparisons.annotator
        lefts, rights = (np.bincount(who[self.side == n], minlength=len(self.annotators)) for n in (0, 1))
        return lefts.astype(np.int64), rights.astype(np.int64)


def votes_of(study: Study, *, simulated: bool) -> Any:
    """The judgments of one population that count; people and programs are never in one figure."""
    return Judgment.objects.filter(study=study).of_population(simulated=simulated).counted()


def study_votes(study: Study, *, simulated: bool, excluded: bool = False) -> StudyVotes:
    """The votes of a study, read in batches: a million of them take no more memory than their columns.

    `excluded`: with those of annotators who are excluded.
    """
    triplets = {row[0]: row for row in _triplets(study)}
    place = {pk: n for n, pk in enumerate(triplets)}
    people: dict[Any, int] = {}
    votes = votes_of(study, simulated=simulated)
    if excluded or not Enrolment.objects.excluded().filter(study=study).exists():
        # The same rows without asking of each vote whether its annotator is excluded.
        votes = Judgment.objects.filter(study=study, counted=True).of_population(simulated=simulated)
    batches = list(_columns(votes, place, people))
    columns = [np.concatenate(each) for each in zip(*batches, strict=True)] or [np.zeros(0, np.int64)] * 4
    return _joined(list(triplets.values()), *columns, tuple(map(str, people)))


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
    votes: QuerySet[Judgment], place: dict[int, int], people: dict[Any, int]
) -> Iterator[tuple[Ints, ...]]:
    """(triplet, annotator, outcome, side) of each batch of votes; new annotators are added to `people`."""
    # By cursor: what the ORM makes of each row, a UUID above all, takes longer than the query. Outcome and side as one
    # number: two words more in each row take half as long again.
    code = 3 * _numbered("choice", OUTCOMES) + _numbered("answer", SIDES)
    rows = votes.order_by().values_list("triplet_id", "annotator_id", code)
    with connection.cursor() as cursor:
        cursor.execute(*rows.query.sql_with_params())
        while batch := cursor.fetchmany(ROWS_AT_ONCE):
            triplet, annotator, codes = zip(*batch, strict=True)
            coded = np.fromiter(codes, np.int64, len(batch))
            yield (
                np.fromiter(map(place.__getitem__, triplet), np.int64, len(batch)),
                np.fromiter((people.setdefault(who, len(people)) for who in annotator), np.int64, len(batch)),
                coded // 3,
                coded % 3,
            )


def _numbered(field: str, numbers: dict[str, int]) -> Case:
    """A column's words as numbers."""
    whens = [When(**{field: word}, then=Value(number)) for word, number in numbers.items()]
    return Case(*whens, output_field=IntegerField())


def _joined(
    triplets: list[Any],
    triplet: Ints,
    annotator: Ints,
    outcome: Ints,
    side: Ints,
    annotators: tuple[str, ...],
) -> StudyVotes:
    sides = [[_condition(*row[at : at + 2]) for row in triplets] for at in (2, 4)]
    names = sorted({*sides[0], *sides[1]}, key=lambda one: (one.method, one.level or 0.0))
    number = {name: n for n, name in enumerate(names)}
    first, second = (np.array([number[one] for one in side], dtype=np.int64) for side in sides)
    sources = sorted({row[1] for row in triplets})
    source = {pk: n for n, pk in enumerate(sources)}
    shown = np.array([source[row[1]] for row in triplets], dtype=np.int64)
    rows = Comparisons.of_choices(names, first[triplet], second[triplet], outcome, annotator, shown[triplet])
    return StudyVotes(rows, triplet, side, tuple(row[0] for row in triplets), annotators, tuple(sources))


def _condition(method: str, level: Any) -> Condition:
    return THE_ORIGINAL if method == THE_ORIGINAL.method else Condition(method, float(level))
