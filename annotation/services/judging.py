"""The answer to an assignment: recorded once, whatever the network does."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from annotation.core.timing import TimingError, validate_timing
from annotation.errors import AlreadyAnswered, BadTiming, LeaseExpired, NotYours, Refused, StudyNotOpen
from annotation.models import Assignment, Judgment, Session, Study, Triplet

# The browser's frame and event clocks may differ by a frame or so.
MIN_VIEW_SLACK_MS = 34.0


@dataclass(frozen=True)
class Recorded:
    """A judgment in the database; `created` is False when this request only repeated it."""

    judgment: Judgment
    created: bool


def record_judgment(
    *, session: Session, judgment_id: UUID, assignment_id: UUID, answer: str, timing: dict[str, Any]
) -> Recorded:
    """Records the answer, or finds that exactly this answer was recorded before.

    Raises a kind of Refused: NotYours, LeaseExpired, AlreadyAnswered, BadTiming, StudyNotOpen. A refused answer
    changes nothing.
    """
    content = _content_sha256(assignment_id, answer, timing)
    if repeated := _repetition(judgment_id, content, session):
        return Recorded(repeated, created=False)
    try:
        with transaction.atomic():
            return Recorded(
                _record(session, judgment_id, assignment_id, answer, timing, content), created=True
            )
    except (IntegrityError, AlreadyAnswered):
        # Perhaps by this same request, which came twice at once: then the other one was first.
        if repeated := _repetition(judgment_id, content, session):
            return Recorded(repeated, created=False)
        raise


def _content_sha256(assignment_id: UUID, answer: str, timing: dict[str, Any]) -> str:
    said = json.dumps([str(assignment_id), answer, timing], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()


def _repetition(judgment_id: UUID, content: str, session: Session) -> Judgment | None:
    judgment = Judgment.objects.select_related("assignment").filter(pk=judgment_id).first()
    if judgment is None:
        return None
    if judgment.assignment.session_id != session.pk:
        raise NotYours("This judgment belongs to another sitting.")
    if judgment.content_sha256 != content:
        raise AlreadyAnswered("This judgment was recorded before with another content. The first one stands.")
    return judgment


def _record(
    session: Session,
    judgment_id: UUID,
    assignment_id: UUID,
    answer: str,
    timing: dict[str, Any],
    content: str,
) -> Judgment:
    assignment = (
        Assignment.objects.select_for_update(of=("self",))
        .select_related("study", "annotator", "triplet")
        .filter(pk=assignment_id)
        .first()
    )
    assignment = _answerable(assignment, session)
    _check_answer(assignment.study, answer)
    _check_timing(assignment.study, timing)
    judgment = Judgment.objects.create(
        id=judgment_id,
        assignment=assignment,
        study=assignment.study,
        triplet=assignment.triplet,
        annotator=assignment.annotator,
        simulated=assignment.annotator.simulated,
        answer=answer,
        choice=_choice(assignment, answer),
        onset_ms=timing["onset"],
        first_input_ms=timing.get("first_input"),
        answer_ms=timing["answer"],
        time_origin=timing["time_origin"],
        input_device=timing.get("input", ""),
        timing=timing,
        content_sha256=content,
    )
    Assignment.objects.filter(pk=assignment.pk).update(state=Assignment.State.ANSWERED)
    Triplet.objects.filter(pk=assignment.triplet_id).update(votes=F("votes") + 1)
    Session.objects.filter(pk=session.pk).update(answered=F("answered") + 1, last_seen_at=timezone.now())
    return judgment


def _answerable(assignment: Assignment | None, session: Session) -> Assignment:
    if assignment is None or assignment.session_id != session.pk:
        raise NotYours("This pair was not given to this sitting.")
    if assignment.state == Assignment.State.ANSWERED:
        raise AlreadyAnswered("This pair has an answer already. The first one stands.")
    if assignment.state != Assignment.State.LEASED or assignment.expires_at <= timezone.now():
        raise LeaseExpired(
            "The time for this pair ran out and it went to somebody else. Go on with the next one."
        )
    if assignment.study.state == Study.State.CLOSED:
        raise StudyNotOpen(
            "This study was closed before the answer came, so it could not be counted.", state="closed"
        )
    return assignment


def _check_answer(study: Study, answer: str) -> None:
    allowed = [Judgment.Side.LEFT, Judgment.Side.RIGHT] + [Judgment.Side.TIE] * study.allow_ties
    if answer not in allowed:
        raise Refused(f"The answer {answer!r} is none of {', '.join(allowed)}.")


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


def _choice(assignment: Assignment, answer: str) -> str:
    if answer == Judgment.Side.TIE:
        return Judgment.Choice.TIE
    on_left = answer == Judgment.Side.LEFT
    return Judgment.Choice.FIRST if on_left == assignment.first_on_left else Judgment.Choice.SECOND
