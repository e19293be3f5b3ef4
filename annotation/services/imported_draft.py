"""An answer from elsewhere as the rows of an assignment and a judgment: the same for every kind of import."""

import hashlib
from typing import Any
from uuid import UUID

from django.utils import timezone

from annotation.models import Assignment, Judgment, Session, Triplet


def draft_assignment(
    *, id: UUID, triplet: Triplet, session: Session, line: int, first_on_left: bool, **fields: Any
) -> Assignment:
    """The assignment, not saved. What the file names first stands on the left: no more is known of sides."""
    now = timezone.now()
    return Assignment(
        id=id,
        study_id=session.study_id,
        triplet=triplet,
        session=session,
        annotator_id=session.annotator_id,
        position=line,
        first_on_left=first_on_left,
        issued_at=now,
        expires_at=now,
        **{"state": Assignment.State.ANSWERED, **fields},
    )


def draft_judgment(
    *,
    id: UUID,
    assignment: Assignment,
    answer: Judgment.Side,
    ms: float | None,
    content: str,
    counted: bool = True,
) -> Judgment:
    """The judgment of that assignment, not saved. `content`: what makes it the same answer, with its timing."""
    timing = {"imported": True, "line": assignment.position, "ms": ms}
    return Judgment(
        id=id,
        assignment=assignment,
        study_id=assignment.study_id,
        triplet=assignment.triplet,
        annotator_id=assignment.annotator_id,
        simulated=False,
        answer=answer,
        choice=assignment.choice_of(answer),
        kind=assignment.kind,
        counted=counted,
        onset_ms=0.0,
        answer_ms=ms or 0.0,
        time_origin=0.0,
        timing=timing,
        content_sha256=hashlib.sha256(f"{content}:{timing}".encode()).hexdigest(),
        received_at=assignment.issued_at,
    )
