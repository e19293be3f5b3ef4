"""A session's next pair and its answer, by the session's row: views find it by the key that a browser sends."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from annotation.models import Assignment, Session
from annotation.services.claims import NoPair, claim
from annotation.services.judging import Answer, Recorded, record


def claim_next(*, session: Session, holding: Sequence[UUID] = ()) -> Assignment | NoPair:
    """What `claim` gives the session, whose page holds the pairs of `holding`."""
    return claim(sessions=Session.objects.filter(pk=session.pk), holding=holding).outcome


def record_judgment(
    *,
    session: Session,
    judgment_id: UUID,
    assignment_id: UUID,
    answer: str,
    timing: dict[str, Any],
    supersedes: UUID | None = None,
) -> Recorded:
    """What `record` makes of the session's answer."""
    return record(
        sessions=Session.objects.filter(pk=session.pk),
        given=Answer(judgment_id, assignment_id, answer, timing, supersedes),
    )
