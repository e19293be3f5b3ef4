"""Where an annotator stands in the stream of a study: what was served so far, and what comes next."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Q

from annotation.core.allocation import Sides
from annotation.core.checks import due, rates_of
from annotation.models import Assignment, Session

HELD = Q(state__in=[Assignment.State.LEASED, Assignment.State.ANSWERED])


@dataclass(frozen=True)
class Stream:
    """The next place of a session.

    `position` counts from 1 in the session. `kinds` are the checks that are owed, the longest owed first; none
    in the warm-up. `pairs` and `warm_ups` say on which side the first reconstruction stood in this annotator's
    pairs so far. `seed` belongs to the annotator in this study.
    """

    position: int
    warm_up: bool
    kinds: list[str]
    pairs: Sides
    warm_ups: Sides
    last_source: int | None
    seed: str


def stream_of(session: Session) -> Stream:
    """The next place in the session's stream. Reads the annotator's own assignments only."""
    rules, seed = session.study.rules, seed_of(session)
    in_session = session.assignments.exclude(kind=Assignment.Kind.TRAINING).aggregate(
        all=Count("pk"), held=Count("pk", filter=HELD)
    )
    warm_up = in_session["held"] < rules.warm_up
    served, sides = _served(session)
    place = sum(served.values()) + 1
    return Stream(
        position=in_session["all"] + 1,
        warm_up=warm_up,
        kinds=[] if warm_up else due(place, served, rates_of(rules), seed=seed),
        pairs=sides[False],
        warm_ups=sides[True],
        last_source=_last_source(session),
        seed=seed,
    )


def seed_of(session: Session) -> str:
    """What everything that looks random to this annotator follows from."""
    return hashlib.sha256(f"{session.study.key}:{session.annotator_id}".encode()).hexdigest()


def _served(session: Session) -> tuple[Mapping[str, int], dict[bool, Sides]]:
    """How many of each kind the annotator was served, warm-ups aside; and the sides of pairs and of warm-ups."""
    counts = (
        Assignment.objects.filter(HELD, annotator=session.annotator, study=session.study)
        .exclude(kind=Assignment.Kind.TRAINING)
        .order_by()
        .values_list("kind", "warm_up")
        .annotate(count=Count("pk"), left=Count("pk", filter=Q(first_on_left=True)))
    )
    served: dict[str, int] = {}
    sides = {False: Sides(0, 0), True: Sides(0, 0)}
    for kind, warm_up, count, left in counts:
        if not warm_up:
            served[kind] = count
        if kind == Assignment.Kind.PAIR:
            sides[warm_up] = Sides(left, count - left)
    return served, sides


def _last_source(session: Session) -> int | None:
    last = session.assignments.order_by("-issued_at", "-position").values_list(
        "triplet__source_id", flat=True
    )
    return last.first()
