"""A session claims its next pair, or hears why there is none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Case, When
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from annotation.errors import NotReady, SessionErased
from annotation.models import Annotator, Assignment, Enrolment, Reconstruction, Session, Study, Triplet
from annotation.models.people import SessionQuerySet
from annotation.services.arrival import enrol
from annotation.services.pool import lease, return_overdue, return_to_pool, take
from annotation.services.practice import TRAINING, next_practice_pair, practice_stage
from annotation.services.serving import next_servings
from annotation.services.stream import next_place
from annotation.turns import atomic_in_turn

# How many run-out leases one claim sweeps up: enough to keep pace, few enough to cost nothing.
SWEEP = 20
# What one session may hold: the current pair and five that the page has prefetched.
MOST_LEASES = 6
# Until its first answer: sessions that never say anything must not hold every place.
FIRST_LEASES = 2


@dataclass(frozen=True)
class NoPair:
    """Why there is no pair now: "nothing_free", "nothing_left", "sitting_over" or "training_failed"."""

    status: str
    detail: str
    retry_after_s: int | None = None
    # Whether there will never be another pair for this annotator.
    is_final: bool = False


@dataclass(frozen=True)
class Claim:
    """What a session was given, or why it got nothing; with the rows as they were then."""

    outcome: Assignment | NoPair
    session: Session
    enrolment: Enrolment


def claim(
    *,
    sessions: SessionQuerySet,
    holding: Sequence[UUID] = (),
    require: Callable[[Study], None] | None = None,
) -> Claim:
    """The next pair of the one session among `sessions`: one that it holds and the page has lost, or a new lease.

    `holding` are the assignments that the page holds; `require` refuses studies before anything is given out. Leases
    that ran out are swept up where nothing is free without them; otherwise whoever reaps does it. Costs a few indexed
    look-ups, however many triplets and judgments there are. Raises NotReady before the steps of arrival are taken,
    SessionErased where there is no such session.
    """
    with atomic_in_turn():
        session, enrolment = _in_turn(sessions)
        if require:
            require(session.study)
        outcome = _claim(session, enrolment, holding)
        if isinstance(outcome, NoPair) and outcome.status == "nothing_free" and _sweep(session.study):
            outcome = _claim(session, enrolment, holding)
        return Claim(outcome, session, enrolment)


def claim_in_turn(
    session: Session,
    enrolment: Enrolment,
    *,
    holding: Sequence[UUID],
    require: Callable[[Study], None],
) -> Claim | None:
    """The next pair, in a transaction that holds both rows locked and has written to other pairs: as `claim`.

    None where `claim` has to decide in a transaction of its own: while nothing is free, or when the annotator was
    excluded. It then waits for counters of pairs in one order with others who do, and so must not hold one.
    """
    require(session.study)
    if enrolment.excluded_by:
        return None
    outcome = _claim(session, enrolment, holding)
    if isinstance(outcome, NoPair) and outcome.status == "nothing_free":
        return None
    return Claim(outcome, session, enrolment)


def _sweep(study: Study) -> int:
    """How many leases that had run out are back in the pool."""
    return (
        return_overdue(study=study, limit=SWEEP)
        if Assignment.objects.overdue().filter(study=study).exists()
        else 0
    )


def session_end(session: Session) -> NoPair | None:
    """Why the session is complete, without leasing anything; None while there is more to do in it."""
    with transaction.atomic():
        session, enrolment = _in_turn(Session.objects.filter(pk=session.pk))
        if enrolment.screened_out_by or Assignment.objects.live().filter(session=session).exists():
            return None
        if enrolment.excluded_by and session.ready_at:
            return _complete(session)
        if practice_stage(enrolment):
            return None
        if over := _session_over(session, 0):
            return over
        if session.study.state == Study.State.CLOSED:
            closed = gettext("This study is closed and takes no more answers. Thank you.")
            return NoPair("sitting_over", closed, is_final=True)
        stream = next_place(session, _last_source(_recent(session)))
        if session.ready_at is None or next(next_servings(session, stream), None):
            return None
        nothing = _nothing(session)
        return nothing if nothing.status == "nothing_left" else None


def _in_turn(sessions: SessionQuerySet) -> tuple[Session, Enrolment]:
    """Two windows of one annotator take turns here, so they cannot lease the same triplet twice."""
    # The session before the enrolment, as in answering and erasing: one lock order everywhere.
    session = sessions.in_turn().first()
    if session is None:
        raise SessionErased
    place = Enrolment.objects.filter(study=session.study_id, annotator=session.annotator_id)
    enrolment = place.in_turn().first()
    if enrolment is None:  # erased this moment, or begun by something that does not enrol
        if not Annotator.objects.filter(pk=session.annotator_id).exists():
            raise SessionErased
        enrolment = enrol(session.study, session.annotator)
    enrolment.study, enrolment.annotator = session.study, session.annotator
    return session, enrolment


class Recent(NamedTuple):
    """A pair of the session that was issued lately."""

    pk: UUID
    state: str
    issued_at: datetime
    expires_at: datetime
    position: int
    source: int


def _recent(session: Session) -> list[Recent]:
    """What the session holds, and the last that it held before: the newest of each first."""
    held = Case(When(state=Assignment.State.LEASED, then=0), default=1)
    rows = session.assignments.order_by(held, "-issued_at", "-position").values_list(
        "pk", "state", "issued_at", "expires_at", "position", "triplet__source_id"
    )
    return [Recent(*row) for row in rows[: MOST_LEASES + 2]]


def _last_source(recent: Sequence[Recent]) -> int | None:
    """The source of the pair that was issued last."""
    return max(recent, key=lambda one: (one.issued_at, one.position)).source if recent else None


def _claim(session: Session, enrolment: Enrolment, holding: Sequence[UUID]) -> Assignment | NoPair:
    if enrolment.screened_out_by == TRAINING:
        return NoPair(
            "training_failed",
            gettext(
                "The practice did not reach the result that this study requires. Thank you for your time."
            ),
        )
    if enrolment.screened_out_by or session.ready_at is None:
        raise NotReady(
            gettext("Some steps before the first pair are not complete. Open the link of the study again.")
        )
    if enrolment.excluded_by:
        return _dismiss(session, holding)
    recent, now = _recent(session), timezone.now()
    live = [one for one in reversed(recent) if one.state == Assignment.State.LEASED and one.expires_at > now]
    lost = [one.pk for one in live if one.pk not in set(holding)]
    if lost:
        return session.assignments.select_related("triplet__source").get(pk=lost[0])
    if len(live) >= _most_leases(session, enrolment):
        return NoPair("nothing_free", gettext("Answer the pairs that you have first."), retry_after_s=1)
    if stage := practice_stage(enrolment):
        return _train(session, enrolment, stage.answered + len(live), stage.total)
    return _session_over(session, len(live)) or _judge(session, _last_source(recent))


def _most_leases(session: Session, enrolment: Enrolment) -> int:
    """How many pairs the session may hold: few until its first answer, training included."""
    return MOST_LEASES if session.answered or enrolment.trained_at else FIRST_LEASES


def _dismiss(session: Session, holding: Sequence[UUID]) -> NoPair:
    """The ordinary end, for an excluded annotator; the pairs that the page holds can still be answered."""
    lost = Assignment.objects.live().filter(session=session).exclude(pk__in=holding)
    # One that is being answered this moment is locked by its answer, which waits for us: it is let be.
    skip = connection.features.has_select_for_update_skip_locked
    rows = list(lost.select_for_update(skip_locked=skip))
    return_to_pool(assignments=rows, state=Assignment.State.EXPIRED)
    return _complete(session)


def _complete(session: Session) -> NoPair:
    number = session.answered
    if not number:
        return NoPair(
            "sitting_over", gettext("There are no more pairs for you. This session is complete. Thank you.")
        )
    detail = ngettext(
        "You judged %(number)s pair. This session is complete. Thank you.",
        "You judged %(number)s pairs. This session is complete. Thank you.",
        number,
    )
    return NoPair("sitting_over", detail % {"number": number})


def _session_over(session: Session, live: int) -> NoPair | None:
    study = session.study
    if session.ended_at or session.answered + live >= study.pairs_per_session:
        return _complete(session)
    longest = timedelta(minutes=study.rules.sitting_minutes)
    if session.answered and session.ready_at and session.ready_at + longest <= timezone.now():
        minutes = study.rules.sitting_minutes
        return NoPair(
            "sitting_over",
            ngettext(
                "%(minutes)s minute is over, and tired eyes judge worse. This session is complete. Thank you.",
                "%(minutes)s minutes are over, and tired eyes judge worse. This session is complete. Thank you.",
                minutes,
            )
            % {"minutes": minutes},
        )
    return None


def _train(session: Session, enrolment: Enrolment, begun: int, total: int) -> Assignment | NoPair:
    """The next training pair; no more are given out ahead than belong to this try."""
    if begun >= total:
        return NoPair(
            "nothing_free", gettext("Answer the practice pairs that you have first."), retry_after_s=1
        )
    serving = next_practice_pair(session, enrolment)
    if serving:
        trained = session.assignments.filter(kind=Assignment.Kind.TRAINING).count()
        return lease(session, serving, trained + 1)
    if session.study.unplanned or Reconstruction.objects.prepared_for(session.study).pending().exists():
        return NoPair("nothing_free", gettext("The practice pairs are being prepared."), retry_after_s=2)
    return NoPair(
        "nothing_free",
        gettext("The practice pairs of this study could not be prepared. Please tell its researcher."),
        retry_after_s=60,
    )


def _judge(session: Session, last_source: int | None) -> Assignment | NoPair:
    stream = next_place(session, last_source)
    for serving in next_servings(session, stream):
        if take(serving, simulated=session.annotator.simulated) or not serving.counts:
            return lease(session, serving, stream.position)
    return _nothing(session)


def _nothing(session: Session) -> NoPair:
    """Distinguishes "nothing left for you" from "nothing free right now"."""
    study = session.study
    unfinished = Triplet.objects.unfinished(study, simulated=session.annotator.simulated)
    if unfinished.unseen_by(session.annotator).exists():
        return NoPair(
            "nothing_free",
            gettext("Other people are judging all remaining pairs at the moment."),
            retry_after_s=5,
        )
    if study.unplanned or Reconstruction.objects.needed_by(study).pending().exists():
        return NoPair("nothing_free", gettext("More pairs are being prepared."), retry_after_s=2)
    return NoPair(
        "nothing_left", gettext("You have judged every pair of this study. Thank you."), is_final=True
    )
