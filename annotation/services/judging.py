"""The answer to an assignment: recorded once, whatever the network does, and undone in the open."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from annotation.core.timing import CLOCKS_DIFFER, earliest_end, original_switches
from annotation.core.timing_record import TimingError, validate_timing
from annotation.errors import (
    AlreadyAnswered,
    BadTiming,
    LeaseExpired,
    NotYours,
    Refused,
    SessionErased,
    StudyNotOpen,
    UndoRefused,
)
from annotation.models import Assignment, Enrolment, Judgment, Session, Study, Triplet
from annotation.models.people import EnrolmentQuerySet, SessionQuerySet
from annotation.models.triplet import counter
from annotation.services.pool import free_place
from annotation.services.practice import close_try
from annotation.turns import atomic_in_turn

log = structlog.get_logger(__name__)

# Each takes a row: changing one's mind about a pair has an end.
MOST_UNDONE = 3
# The browser's frame and event clocks may differ by a frame or so.
MIN_VIEW_SLACK_MS = 34.0


@dataclass(frozen=True)
class Recorded:
    """A judgment in the database; `created` is False when this request only repeated it.

    `session` and `enrolment` are as they were left; the enrolment of an erased annotator is gone. `followed` is what
    `then` returned, None where it was not called or refused.
    """

    judgment: Judgment
    created: bool
    session: Session
    enrolment: Enrolment | None
    followed: Any = None


@dataclass(frozen=True)
class Answer:
    """An answer as received: to an assignment, and possibly replacing an earlier one."""

    judgment: UUID
    assignment: UUID
    side: str
    timing: dict[str, Any]
    supersedes: UUID | None = None

    @property
    def content_sha256(self) -> str:
        """Distinguishes a retry of the same answer from another answer under the same id."""
        content: list[Any] = [str(self.assignment), self.side, self.timing]
        if self.supersedes:
            content.append(str(self.supersedes))
        output = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(output.encode()).hexdigest()


def record(
    *, sessions: SessionQuerySet, given: Answer, then: Callable[[Session, Enrolment], Any] | None = None
) -> Recorded:
    """Records the answer of the one session among `sessions`, or finds that exactly this answer was recorded before.

    An answer that supersedes another undoes it. Both rows stay; of a pair the later one counts, of a check or a
    training pair the first one stands. `then` is called with the locked rows once a first answer is recorded, in its
    transaction: one commit for both. Whatever it raises or writes, the answer stands. Raises a kind of Refused:
    NotYours, LeaseExpired, AlreadyAnswered, UndoRefused, BadTiming, StudyNotOpen, SessionErased; or DatabaseError where
    the database ended the whole transaction. A refused answer changes nothing.
    """
    try:
        with atomic_in_turn():
            recorded = _record(sessions, given)
            return _followed(recorded, then) if then and not given.supersedes else recorded
    except (IntegrityError, Refused) as refusal:
        # The same answer may have been recorded before, or sent twice at once.
        if repeated := _repetition(given, sessions):
            return repeated
        if isinstance(refusal, IntegrityError):
            raise AlreadyAnswered(
                gettext("This pair has an answer already. The first one stands.")
            ) from refusal
        raise


def _followed(recorded: Recorded, then: Callable[[Session, Enrolment], Any]) -> Recorded:
    """With what `then` returned; what it wrote before it failed is rolled back, and the answer is not.

    Raises DatabaseError where only the whole transaction can be rolled back: the disk is full, or the server is gone.
    """
    assert recorded.enrolment is not None, "a first answer has one"
    try:
        with transaction.atomic():
            return replace(recorded, followed=then(recorded.session, recorded.enrolment))
    # Every error: whoever needs the next pair tries again in a transaction of its own, and meets what remains wrong.
    except Exception as error:
        if transaction.get_rollback():
            raise DatabaseError("the answer was rolled back with what followed it") from error
        if not isinstance(error, Refused):
            log.warning("no pair with the answer", error=f"{type(error).__name__}: {error}")
        return recorded


def _repetition(given: Answer, sessions: SessionQuerySet) -> Recorded | None:
    rows = Judgment.objects.select_related("assignment__triplet", "assignment__session__study")
    judgment = rows.filter(pk=given.judgment).first()
    session = sessions.first()
    if judgment is None or session is None:
        return None
    if judgment.assignment.session_id != session.pk:
        raise NotYours(gettext("This answer belongs to another session."))
    if judgment.content_sha256 != given.content_sha256:
        raise AlreadyAnswered(gettext("This pair has an answer already. The first one stands."))
    place = Enrolment.objects.filter(study=session.study_id, annotator=session.annotator_id).first()
    return Recorded(judgment, created=False, session=judgment.assignment.session, enrolment=place)


def _record(sessions: SessionQuerySet, given: Answer) -> Recorded:
    # Answers of one session take turns: which one is the last, and so can be undone, is never in doubt.
    session = sessions.in_turn().first()
    if session is None:
        raise SessionErased
    assignment = _own(Assignment.objects.filter(pk=given.assignment).to_answer().first(), session)
    before = _undone(assignment, given) if given.supersedes else None
    if before is None:
        _require_lease(assignment)
    _check_answer(session.study, given.side)
    _check_timing(session.study, given.timing)
    is_person = not session.annotator.simulated  # programs look at nothing, and make their times up
    if is_person:
        _check_switches(session.study, given.timing)
    stands = before is None or assignment.kind == Assignment.Kind.PAIR
    if before and stands:
        Judgment.objects.filter(pk=before.pk).update(stands=False, counted=False)
    now, response_ms = timezone.now(), given.timing["answer"] - given.timing["onset"]
    end = earliest_end(assignment.issued_at, session.viewed_until, response_ms)
    impossible = is_person and end > now + CLOCKS_DIFFER
    fields = {"stands": stands, "faster_than_possible": impossible, "received_at": now}
    judgment = _write(assignment, given, before, fields)
    session.answered += before is None and assignment.kind != Assignment.Kind.TRAINING
    session.viewed_until, session.last_seen_at = min(end, now), now
    Session.objects.filter(pk=session.pk).update(
        answered=session.answered, viewed_until=session.viewed_until, last_seen_at=now
    )
    enrolment = _count(assignment) if before is None else _place(assignment).get()
    return Recorded(judgment, created=True, session=session, enrolment=enrolment)


def _write(
    assignment: Assignment, given: Answer, before: Judgment | None, fields: dict[str, Any]
) -> Judgment:
    timing = given.timing
    return Judgment.objects.create(
        id=given.judgment,
        assignment=assignment,
        study=assignment.study,
        triplet=assignment.triplet,
        annotator=assignment.annotator,
        simulated=assignment.annotator.simulated,
        answer=given.side,
        choice=assignment.side_choice(given.side),
        kind=assignment.kind,
        counted=fields["stands"] and assignment.counts and assignment.triplet.role == Triplet.Role.PAIR,
        supersedes=before,
        layout=timing.get("layout") or "",
        dpr=timing.get("dpr"),
        onset_ms=timing["onset"],
        first_input_ms=timing.get("first_input"),
        answer_ms=timing["answer"],
        time_origin=timing["time_origin"],
        input_device=timing.get("input") or "",
        timing=timing,
        content_sha256=given.content_sha256,
        **fields,
    )


def _place(assignment: Assignment) -> EnrolmentQuerySet:
    return Enrolment.objects.filter(study=assignment.study_id, annotator=assignment.annotator_id)


def _count(assignment: Assignment) -> Enrolment:
    """Moves the counters that a first answer moves, which undoing it does not; returns whose they are."""
    Assignment.objects.filter(pk=assignment.pk).update(state=Assignment.State.ANSWERED)
    # Locked: whoever excludes the annotator counts votes anew, and this one is in that count or after it.
    enrolment = _place(assignment).in_turn().get()
    enrolment.study, enrolment.annotator = assignment.study, assignment.annotator
    if assignment.kind == Assignment.Kind.TRAINING:
        close_try(enrolment)
    elif assignment.counts and enrolment.excluded_by:
        free_place(assignment)
    elif assignment.counts:
        votes = counter("votes", simulated=assignment.annotator.simulated)
        Triplet.objects.filter(pk=assignment.triplet_id).update(**{votes: F(votes) + 1})
    return enrolment


def _undone(assignment: Assignment, given: Answer) -> Judgment:
    """The answer that this one replaces: the latest one, to one of the last pairs of the session."""
    answers = {row.pk: row for row in assignment.judgments.all()}
    if given.supersedes not in answers:
        raise UndoRefused(gettext("There is no such answer to this pair, so it cannot be undone."))
    if any(row.supersedes_id == given.supersedes for row in answers.values()):
        raise UndoRefused(gettext("This answer was undone before. The later one counts."))
    if len(answers) > MOST_UNDONE:
        raise UndoRefused(gettext("This answer was undone too often. Your last one stands."))
    first = next(row for row in answers.values() if row.supersedes_id is None)
    depth = assignment.study.rules.undo_depth
    later = Judgment.objects.filter(
        assignment__session=assignment.session_id, supersedes=None, received_at__gt=first.received_at
    )
    if later.count() >= depth:
        raise UndoRefused(_undo_rule(depth))
    if assignment.session.ended_at:
        raise UndoRefused(gettext("This session is complete. Your answer stands."))
    _require_not_closed(assignment.study)
    return answers[given.supersedes]


def _undo_rule(depth: int) -> str:
    if depth == 0:
        return gettext("Answers cannot be undone in this study. Your answer stands.")
    text = ngettext(
        "Only the last answer can be undone in this study. Your answer stands.",
        "Only the last %(number)s answers can be undone in this study. Your answer stands.",
        depth,
    )
    return text % {"number": depth}


def _own(assignment: Assignment | None, session: Session) -> Assignment:
    if assignment is None or assignment.session_id != session.pk:
        raise NotYours(gettext("This pair belongs to another session."))
    # Read once, with the session.
    assignment.session, assignment.study, assignment.annotator = session, session.study, session.annotator
    return assignment


def _require_not_closed(study: Study) -> None:
    if study.state == Study.State.CLOSED:
        raise StudyNotOpen(
            gettext("This study was closed before the answer arrived, so it could not be counted."),
            state="closed",
        )


def _require_lease(assignment: Assignment) -> None:
    if assignment.state == Assignment.State.ANSWERED:
        raise AlreadyAnswered(gettext("This pair has an answer already. The first one stands."))
    if assignment.state != Assignment.State.LEASED or assignment.expires_at <= timezone.now():
        raise LeaseExpired(
            gettext(
                "The time for this pair is over, and it was given to somebody else. Continue with the next one."
            )
        )
    _require_not_closed(assignment.study)


def _check_answer(study: Study, answer: str) -> None:
    allowed = [Judgment.Side.LEFT, Judgment.Side.RIGHT] + [Judgment.Side.TIE] * study.allow_ties
    if answer not in allowed:
        raise Refused(f"The answer {answer!r} is not one of {', '.join(allowed)}.")


def _check_timing(study: Study, timing: dict[str, Any]) -> None:
    try:
        validate_timing(timing)
    except TimingError as error:
        raise BadTiming(str(error)) from error
    viewed = timing["answer"] - timing["onset"]
    if viewed < study.min_view_ms - MIN_VIEW_SLACK_MS:
        raise BadTiming(
            f"Answered after {viewed:.0f} ms. This study takes no answer before {study.min_view_ms} ms of viewing."
        )


def _check_switches(study: Study, timing: dict[str, Any]) -> None:
    required = study.rules.original_switches
    if required and original_switches(timing) < required:
        raise BadTiming(f"This study takes no answer before the original was switched to {required} times.")
