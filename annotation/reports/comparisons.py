"""A study's votes as comparisons of conditions, for rankings, stop rules and what to ask next.

The database gathers each annotator's votes, and each photograph's pairs, into one text of numbers: reading a million
rows one by one takes ten times as long as counting them does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Aggregate, Case, F, IntegerField, TextField, Value, When
from django.db.models.functions import Coalesce

from annotation.models import Enrolment, Judgment, Reconstruction, Study, Triplet
from psychometrics.comparisons import FIRST, SECOND, TIE, Comparisons, Floats, Ints, tally
from psychometrics.conditions import ComparedMethod

OUTCOMES = {str(choice): n for n, choice in enumerate(("first", "second", "tie"))}
_FEW_GAPS = 4
SIDES = {str(side): n for n, side in enumerate(("left", "right", "tie"))}


@dataclass(frozen=True)
class StudyVotes:
    """The votes of one population, by annotator and, of each, by source. `comparisons`: a row for each vote, whose
    names are conditions, the lower one first; `triplet` (m,): its place in `triplets`; `choice` (m,): 0 where the
    triplet's first was chosen, 1 the second, 2 neither; `side` (m,): the same of the left and the right; `annotators`
    and `sources`: the ids that its numbers stand for.
    """

    comparisons: Comparisons
    triplet: Ints
    choice: Ints
    side: Ints
    triplets: Ints
    annotators: tuple[str, ...]
    sources: tuple[int, ...]

    @property
    def by_triplet(self) -> tuple[Ints, Ints]:
        """Votes for first, second and neither (3, t) of the triplets that have any, and the source of each (t,)."""
        counts = np.bincount(3 * self.triplet + self.choice).astype(np.int64)
        votes = np.pad(counts, (0, -counts.size % 3)).reshape(-1, 3)
        seen = np.flatnonzero(votes.sum(axis=1))
        source = np.zeros(len(votes), dtype=np.int64)
        source[self.triplet] = 0 if self.comparisons.source is None else self.comparisons.source
        return votes[seen].T, source[seen]

    @property
    def sides_by_annotator(self) -> tuple[Ints, Ints]:
        """How often each annotator chose the left and the right: (a,) each."""
        who = self.comparisons.annotator
        if who is None:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        lefts, rights = (np.bincount(who[self.side == n], minlength=len(self.annotators)) for n in (0, 1))
        return lefts.astype(np.int64), rights.astype(np.int64)


class Joined(Aggregate):
    """The whole numbers of a group as one text, "1,2,3". Several in one query have one order."""

    function = "GROUP_CONCAT"
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """The same in Postgres's words."""
        return self.as_sql(
            compiler, connection, template="STRING_AGG((%(expressions)s)::text, ',')", **context
        )


def study_votes(study: Study, *, simulated: bool, excluded: bool = False) -> StudyVotes:
    """The votes of a study. People and programs are never in one figure.

    `excluded`: with those of annotators who are excluded.
    """
    return votes_and_columns(study, simulated=simulated, excluded=excluded)[0]


def votes_and_columns(
    study: Study, *, simulated: bool, excluded: bool = False, columns: Sequence[Any] = ()
) -> tuple[StudyVotes, list[Ints]]:
    """The votes, and what further expressions of whole numbers give of each (m,): -1 where that is not known."""
    triplets = _triplets(study)
    annotators, annotator, codes, *further = _votes(
        study, simulated=simulated, excluded=excluded, columns=columns
    )
    triplet = _places(triplets.ids, codes // 9)
    order = _order(annotator * len(triplets.sources) + triplets.source[triplet])
    annotator, triplet, codes = annotator[order], triplet[order], codes[order]
    choice, side, source = codes // 3 % 3, codes % 3, triplets.source[triplet]
    # Where nobody signed, one annotator's votes are of several people: nothing can be said over people.
    signed = annotator if study.annotators_recorded else None
    rows = _lower_first(triplets, triplet, choice, signed, source)
    votes = StudyVotes(rows, triplet, choice, side, triplets.ids, annotators, triplets.sources)
    return votes, [each[order] for each in further]


def _lower_first(
    triplets: "_Triplets", triplet: Ints, choice: Ints, annotator: Ints | None, source: Ints
) -> Comparisons:
    """The votes as comparisons. What follows need not turn rows any more, which takes a copy of all each time."""
    turned = triplets.first > triplets.second
    low, high = np.minimum(triplets.first, triplets.second), np.maximum(triplets.first, triplets.second)
    # Of a triplet, whichever way it lies, the outcome of each choice: there are fewer triplets than votes.
    outcomes = np.where(turned[:, None], [SECOND, FIRST, TIE], [FIRST, SECOND, TIE]).ravel()
    outcome = outcomes[3 * triplet + choice]
    return Comparisons.of_choices(triplets.names, low[triplet], high[triplet], outcome, annotator, source)


def tally_by_name(rows: Comparisons, names: dict[str, int], *, method: bool) -> Floats:
    """Counts (pairs, 3) of the conditions called `names`, or of their methods; others are dropped."""
    number = np.array(
        [
            names.get(one.method if method else str(one), -1)
            for one in rows.names
            if isinstance(one, ComparedMethod)
        ],
        dtype=np.int64,
    )
    if not len(rows.first):
        return np.zeros((len(names) * (len(names) - 1) // 2, 3))
    kept = (number[rows.first] >= 0) & (number[rows.second] >= 0)
    return tally(rows.where(kept).renamed(tuple(names), number))


def _votes(study: Study, *, simulated: bool, excluded: bool, columns: Sequence[Any]) -> tuple[Any, ...]:
    """Annotators; the number of each vote's (m,), rising; its triplet, outcome and side as one number (m,); and what
    each of `columns` gives of it (m,).
    """
    code = 9 * F("triplet") + 3 * numbered("choice", OUTCOMES) + numbered("answer", SIDES)
    votes = Judgment.objects.filter(study=study, counted=True).of_population(simulated=simulated)
    out = Enrolment.objects.excluded().filter(study=study)
    if not excluded and out.exists():
        votes = votes.exclude(annotator__in=out.values("annotator"))
    # In the order of the index `judgment_votes`, from which SQLite answers without touching the rows.
    joined = {"codes": Joined(code)} | {
        f"column_{n}": Joined(Coalesce(column, -1)) for n, column in enumerate(columns)
    }
    by_annotator = votes.order_by("annotator_id").values("annotator_id").annotate(**joined)
    with connection.cursor() as cursor:  # the ORM makes a UUID of each id, which takes longer than the query
        cursor.execute(*by_annotator.values_list("annotator_id", *joined).query.sql_with_params())
        rows = cursor.fetchall()
    codes, *further = ([_numbers(row[n]) for row in rows] for n in range(1, len(joined) + 1))
    annotator = np.repeat(np.arange(len(rows)), [each.size for each in codes])
    return tuple(str(row[0]) for row in rows), annotator, _one(codes), *map(_one, further)


@dataclass(frozen=True)
class _Triplets:
    """A study's triplets by id: ids, numbers of source and of both conditions (t,), and what these stand for."""

    ids: Ints
    source: Ints
    first: Ints
    second: Ints
    sources: tuple[int, ...]
    names: tuple[ComparedMethod, ...]


def _triplets(study: Study) -> _Triplets:
    columns = {name: Joined(name) for name in ("pk", "first_id", "second_id")}
    is_pair = Case(When(role=Triplet.Role.PAIR, then=1), default=0, output_field=IntegerField())
    by_source = Triplet.objects.filter(study=study).order_by("source_id").values("source_id")
    rows = list(
        by_source.annotate(
            ids=columns["pk"],
            firsts=columns["first_id"],
            seconds=columns["second_id"],
            pairs=Joined(is_pair),
        )
    )
    ids, first, second, pairs = (
        _one([_numbers(row[name]) for row in rows]) for name in ("ids", "firsts", "seconds", "pairs")
    )
    source = np.repeat(np.arange(len(rows)), [row["ids"].count(",") + 1 for row in rows])
    order = _order(ids)
    pictures, condition, names = _conditions(study)
    first, second = (condition[_places(pictures, side[order])] for side in (first, second))
    first, second, names = _of_pairs(first, second, names, pairs[order] == 1)
    sources = tuple(row["source_id"] for row in rows)
    return _Triplets(ids[order], source[order], first, second, sources, names)


def _of_pairs(
    first: Ints, second: Ints, names: tuple[ComparedMethod, ...], is_pair: Any
) -> tuple[Ints, Ints, tuple[ComparedMethod, ...]]:
    """The same with the conditions of the study's own pairs alone.

    Other studies that share its photographs have others of them, and so have its checks, whose sides become -1.
    """
    used = np.unique(np.concatenate([first[is_pair], second[is_pair]]))
    number = np.full(len(names), -1, dtype=np.int64)
    number[used] = np.arange(len(used))
    return number[first], number[second], tuple(names[n] for n in used)


def _conditions(study: Study) -> tuple[Ints, Ints, tuple[ComparedMethod, ...]]:
    """The ids of all reconstructions of the study's photographs, rising, their conditions, and what these stand for."""
    shown = Reconstruction.objects.filter(source__uses__study=study).order_by("method", "level")
    rows = list(shown.values("method", "level").annotate(ids=Joined("pk")))
    named = [compared_method(row["method"], row["level"]) for row in rows]
    names = sorted(set(named), key=lambda one: (one.method, one.level or 0.0))
    number = {name: n for n, name in enumerate(names)}
    ids = [_numbers(row["ids"]) for row in rows]
    condition = np.repeat([number[name] for name in named], [each.size for each in ids])
    pictures = _one(ids)
    order = _order(pictures)
    return pictures[order], condition.astype(np.int64)[order], tuple(names)


def numbered(field: str, numbers: dict[str, int]) -> Case:
    """A column's words as numbers."""
    whens = [When(**{field: word}, then=Value(number)) for word, number in numbers.items()]
    return Case(*whens, output_field=IntegerField())


def _numbers(text: str) -> Ints:
    return np.fromstring(text, dtype=np.int64, sep=",")


def _one(arrays: Iterable[Ints]) -> Ints:
    return np.concatenate([np.zeros(0, np.int64), *arrays])


def _places(ids: Ints, wanted: Ints) -> Ints:
    """Where in `ids`, which rise, each of `wanted` is; ids with few gaps are looked up, not searched for."""
    if not ids.size or int(ids[-1] - ids[0]) > _FEW_GAPS * ids.size:
        return np.searchsorted(ids, wanted)
    place = np.empty(int(ids[-1] - ids[0]) + 1, dtype=np.int64)
    place[ids - ids[0]] = np.arange(ids.size)
    return np.asarray(place[wanted - ids[0]])


def _order(key: Ints) -> Any:
    """What sorts `key`; nothing to do where it rises already, as it mostly does."""
    return slice(None) if (key[1:] >= key[:-1]).all() else np.argsort(key, kind="stable")


def compared_method(method: str, level: Any) -> ComparedMethod:
    """What a row of a reconstruction stands for in comparisons; its level 0 is none."""
    return ComparedMethod(method, float(level) or None)
