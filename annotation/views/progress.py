"""How far a study is: what is encoded, judged, by whom and how fast."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import dropwhile
from math import ceil
from typing import Any

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from annotation.cached import cached
from annotation.core.conditions import ORIGINAL, Condition, levels, methods
from annotation.models import Judgment, Reconstruction, Session, Source, Study, Triplet
from annotation.reports.cost import planned_pairs
from annotation.reports.duration import pairs_of_session

# Long enough to smooth over single answers, short enough to follow what happens now.
ENCODING_WINDOW = timedelta(minutes=1)
JUDGING_WINDOW = timedelta(minutes=15)
PURPOSES = {Source.Split.TRAIN: "training", Source.Split.VAL: "validation", Source.Split.TEST: "testing"}


@dataclass(frozen=True)
class Meter:
    """A bar: how much of how much, and the same in words."""

    name: str
    label: str
    done: int
    total: int
    words: str


@dataclass(frozen=True)
class Encoding:
    """Reconstructions of a study by state."""

    queued: int
    running: int
    done: int
    failed: int
    per_minute: int

    @property
    def total(self) -> int:
        """All that the study needs and has planned."""
        return self.queued + self.running + self.done + self.failed

    @property
    def left(self) -> int:
        """What a worker still has to do."""
        return self.queued + self.running


@dataclass(frozen=True)
class Judging:
    """Votes of a study and who gave them; people and programs apart, checks and warm-ups never among them.

    `votes` are people's; a study wants no others. Every page and table counts these.
    """

    votes: int
    simulated: int
    people: int
    programs: int
    expected: int
    per_hour: int
    last_seen: Any


def encoding_progress(study: Study) -> Encoding:
    """Counts by state, and how many were finished in the last minute."""
    recently = timezone.now() - ENCODING_WINDOW
    needed = Reconstruction.objects.needed_by(study)
    states = {state: Count("pk", filter=Q(state=state)) for state in Reconstruction.State.values}
    just_now = Count("pk", filter=Q(state=Reconstruction.State.DONE, finished_at__gt=recently))
    return Encoding(**needed.aggregate(**states, per_minute=just_now))


def judging_progress(study: Study, *, encoding: Encoding) -> Judging:
    """Counts from the sessions, which are few, votes from the pairs, and the pace from the last votes alone."""
    people, program = Q(annotator__simulated=False), Q(annotator__simulated=True)
    sat = Session.objects.filter(study=study, answered__gt=0).aggregate(
        people=Count("annotator", filter=people, distinct=True),
        programs=Count("annotator", filter=program, distinct=True),
        last_seen=Max("last_seen_at"),
    )
    recently = timezone.now() - JUDGING_WINDOW
    lately = Judgment.objects.filter(study=study, received_at__gt=recently).by_people()
    per_hour = round(lately.counted().count() * (timedelta(hours=1) / JUDGING_WINDOW))
    pairs = pairs_of(study).aggregate(
        made=Count("pk"), votes=Sum("votes", default=0), simulated=Sum("simulated_votes", default=0)
    )
    expected = judgments_needed(study, encoding=encoding, made=pairs.pop("made"))
    return Judging(**sat, **pairs, expected=expected, per_hour=per_hour)


def pairs_of(study: Study) -> QuerySet[Triplet]:
    """What people are asked about: no checks, no training."""
    return study.triplets.filter(role=Triplet.Role.PAIR)


def judgments_needed(study: Study, *, encoding: Encoding, made: int) -> int:
    """Votes for all the `made` pairs; while some are still being made, for all that the study may come to have."""
    if encoding.left or not made:
        made = max(made, planned_pairs(study))
    return made * study.votes_per_triplet


def study_meters(study: Study) -> list[Meter]:
    """The three bars of a study's page."""
    encoding = encoding_progress(study)
    judging = judging_progress(study, encoding=encoding)
    return [_encoded(encoding), _judged(judging), _people(study, judging)]


def _encoded(encoding: Encoding) -> Meter:
    words = [f"{encoding.done:,} of {encoding.total:,}"]
    words += [f"{encoding.running} being encoded"] * bool(encoding.running)
    words += [f"{encoding.failed:,} failed"] * bool(encoding.failed)
    if encoding.left and encoding.per_minute:
        words += [f"{encoding.per_minute:,} a minute", time_left(encoding.left, encoding.per_minute * 60)]
    return Meter("encoded", "Reconstructions", encoding.done, encoding.total, " · ".join(words))


def _judged(judging: Judging) -> Meter:
    words = [f"{judging.votes:,} of {judging.expected:,}"]
    words += [f"{judging.simulated:,} simulated in addition"] * bool(judging.simulated)
    left = judging.expected - judging.votes
    if left > 0 and judging.per_hour:
        words += [f"{judging.per_hour:,} an hour", time_left(left, judging.per_hour)]
    return Meter("judged", "Judgments", judging.votes, judging.expected, " · ".join(words))


def _people(study: Study, judging: Judging) -> Meter:
    expected = (
        max(study.votes_per_triplet, ceil(judging.expected / study.pairs_per_session))
        if judging.expected
        else 0
    )
    words = [f"{judging.people:,} of about {expected:,}, at {pairs_of_session(study)} pairs each"]
    words += [f"{judging.programs:,} simulated in addition"] * bool(judging.programs)
    return Meter("people", "People", judging.people, expected, " · ".join(words))


def time_left(amount: int, per_hour: float) -> str:
    """How long `amount` takes at this pace, as one says it."""
    minutes = amount / per_hour * 60
    if minutes < 1:
        return "under a minute left"
    if minutes < 90:
        return f"about {minutes:.0f} min left"
    if minutes < 60 * 36:
        return f"about {minutes / 60:.0f} h left"
    return f"about {minutes / 60 / 24:,.0f} days left"


@dataclass(frozen=True)
class Cell:
    """One condition: its reconstructions, and judgments of pairs that it is in."""

    done: int = 0
    failed: int = 0
    left: int = 0
    by_people: int = 0
    simulated: int = 0


def photographs_by_split(study: Study) -> dict[str, int]:
    """How many of the study's photographs fall to training, validation and test."""
    counts = dict(study.sources.values_list("split").annotate(count=Count("*")).order_by())
    return {PURPOSES[split]: counts.get(split, 0) for split in Source.Split}


def condition_table(study: Study, conditions: Sequence[Condition]) -> list[tuple[str, list[Cell | None]]]:
    """A row for each method of the study with a cell for each level; None where it has no such condition."""
    made, judged = _made(study), _judged_pairs(study)
    table: dict[str, list[Cell | None]] = {}
    for method in methods(conditions):
        here = [Condition(method, level) for level in levels(conditions)]
        table[method] = [_cell(one, made, judged) if one in conditions else None for one in here]
    if ORIGINAL in conditions:
        table[ORIGINAL.method] = [_cell(ORIGINAL, made, judged), *[None] * (len(levels(conditions)) - 1)]
    return list(table.items())


def _made(study: Study) -> dict[Condition, dict[str, int]]:
    counts: dict[Condition, dict[str, int]] = {}
    rows = Reconstruction.objects.needed_by(study).values_list("method", "level", "state")
    for method, level, state, count in rows.annotate(count=Count("*")).order_by():
        counts.setdefault(Condition(method, float(level)), {})[state] = count
    return counts


def _judged_pairs(study: Study) -> Sequence[tuple[Condition, Condition, int, int]]:
    """(first, second, votes of people, votes of programs); summed anew when a vote was added."""
    counted = pairs_of(study).aggregate(
        people=Sum("votes", default=0), programs=Sum("simulated_votes", default=0)
    )
    key = f"votes-by-pair-{study.key}-{counted['people']}-{counted['programs']}"
    return cached(key, partial(_votes_by_pair, study), 600)


def _votes_by_pair(study: Study) -> list[tuple[Condition, Condition, int, int]]:
    """From the pairs' own counters, as the bar of judgments is: what is on one page adds up."""
    sides = [f"{side}__{part}" for side in ("first", "second") for part in ("method", "level")]
    rows = pairs_of(study).values_list(*sides).annotate(people=Sum("votes"), programs=Sum("simulated_votes"))
    return [
        (Condition(one, float(its_level)), Condition(other, float(other_level)), people, programs)
        for one, its_level, other, other_level, people, programs in rows.order_by()
    ]


def _cell(
    condition: Condition,
    made: dict[Condition, dict[str, int]],
    judged: Iterable[tuple[Condition, Condition, int, int]],
) -> Cell:
    states = made.get(condition, {})
    mine = [votes for first, second, *votes in judged if condition in (first, second)]
    return Cell(
        done=states.get("done", 0),
        failed=states.get("failed", 0),
        left=states.get("queued", 0) + states.get("running", 0),
        by_people=sum(people for people, _ in mine),
        simulated=sum(programs for _, programs in mine),
    )


def answers_per_day(study: Study, *, simulated: bool, days: int = 30) -> list[tuple[date, int]]:
    """(day, answers) from the first of the last `days` days that has any, without gaps; empty without any.

    Every answer, whether it is a vote or not: the days say when people were at work.
    """
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    starts = [midnight - timedelta(days=back) for back in reversed(range(days))]
    # A day is a range of the index judgment_of_study (IN, because SQLite does not look up NOT simulated in it);
    # grouping by date would read and convert every row.
    judged = (
        Judgment.objects.filter(study=OuterRef("pk"), simulated__in=[simulated]).order_by().values("study")
    )
    counted = {
        f"day_{n}": Subquery(
            judged.filter(received_at__gte=start, received_at__lt=start + timedelta(days=1))
            .annotate(count=Count("*"))
            .values("count")
        )
        for n, start in enumerate(starts)
    }
    counts = Study.objects.filter(pk=study.pk).annotate(**counted).values_list(*counted).get()
    per_day = [(start.date(), count or 0) for start, count in zip(starts, counts, strict=True)]
    return list(dropwhile(lambda day: day[1] == 0, per_day))
