"""An annotator's position in the stream of a study: what was served so far, and what follows."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Case, Count, Q, When

from annotation.core.allocation import Sides
from annotation.core.checks import check_rates, decoy, due
from annotation.models import Assignment, Session

HELD_STATES = (Assignment.State.LEASED, Assignment.State.ANSWERED)
HELD = Q(state__in=HELD_STATES)


@dataclass(frozen=True)
class Stream:
    """The next place of a session.

    `position` counts from 1 in the session. `kinds` are the checks that are due, the one due longest first; none
    in the warm-up. `look_up` is the kind that is looked up all the same where none is due. `pairs` and `warm_ups`
    say on which side the first reconstruction stood in this annotator's pairs so far. `seed` belongs to the
    annotator in this study.
    """

    position: int
    warm_up: bool
    kinds: list[str]
    look_up: list[str]
    pairs: Sides
    warm_ups: Sides
    last_source: int | None
    seed: str


def next_place(session: Session, last_source: int | None) -> Stream:
    """The next place in the session's stream. Reads the annotator's own assignments only, in one query.

    `last_source` is that of the pair before.
    """
    rules, seed = session.study.rules, seed_of(session)
    here, held, served, sides = _counts(session)
    warm_up = held < rules.warm_up
    place, rates = sum(served.values()) + 1, check_rates(rules)
    return Stream(
        position=here + 1,
        warm_up=warm_up,
        kinds=[] if warm_up else due(place, served, rates, seed=seed),
        look_up=[] if warm_up else decoy(place, rates, seed=seed),
        pairs=sides[False],
        warm_ups=sides[True],
        last_source=last_source,
        seed=seed,
    )


def seed_of(session: Session) -> str:
    """The seed of all random choices for this annotator."""
    return hashlib.sha256(f"{session.study.key}:{session.annotator_id}".encode()).hexdigest()


def _counts(session: Session) -> tuple[int, int, Mapping[str, int], dict[bool, Sides]]:
    """How many stand in this session, and of them are held or answered; how many of each kind the annotator was
    served in all sessions, warm-ups aside; and the sides of pairs and of warm-ups."""
    counts = (
        Assignment.objects.filter(annotator=session.annotator_id, study=session.study_id)
        .exclude(kind=Assignment.Kind.TRAINING)
        .order_by()
        .annotate(here=Case(When(session=session.pk, then=1), default=0))
        .values_list("here", "state", "kind", "warm_up", "first_on_left")
        .annotate(count=Count("*"))
    )
    in_session = in_session_held = 0
    served: dict[str, int] = {}
    sides = {False: Sides(0, 0), True: Sides(0, 0)}
    for here, state, kind, warm_up, on_left, count in counts:
        held = state in HELD_STATES
        in_session += here * count
        in_session_held += here * held * count
        if held and not warm_up:
            served[kind] = served.get(kind, 0) + count
        if held and kind == Assignment.Kind.PAIR:
            before = sides[warm_up]
            sides[warm_up] = Sides(before.left + on_left * count, before.right + (not on_left) * count)
    return in_session, in_session_held, served, sides
