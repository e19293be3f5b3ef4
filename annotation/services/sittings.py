"""Sittings: a session begins, asks for pairs, gives them back."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from annotation.errors import NotYours, StudyNotOpen
from annotation.models import Annotator, Assignment, Session, Study
from annotation.services.claims import return_to_pool

# A sitting that was left this long ago is over; coming back begins another.
SITTING_PAUSE = timedelta(minutes=30)


def require_open(study: Study) -> None:
    """Refuses unless the study takes judgments."""
    if study.state == Study.State.OPEN:
        return
    why = {
        Study.State.DRAFT: "has not been opened yet. Come back when its researcher has opened it.",
        Study.State.PAUSED: "is paused by its researcher. Your answers are kept; come back later.",
        Study.State.CLOSED: "is closed and takes no more answers. Thank you for your interest.",
    }[Study.State(study.state)]
    raise StudyNotOpen(f"This study {why}", state=study.state)


@transaction.atomic
def begin_session(
    *,
    study: Study,
    annotator_id: UUID | None = None,
    simulated: bool = False,
    screen: dict[str, Any] | None = None,
) -> Session:
    """The annotator's sitting: the one they are in, or a new one. An unknown annotator becomes a new one."""
    require_open(study)
    annotator = (
        Annotator.objects.filter(pk=annotator_id, simulated=simulated).first() if annotator_id else None
    )
    if annotator is None:
        annotator = Annotator.objects.create(simulated=simulated)
    current = (
        Session.objects.filter(
            study=study,
            annotator=annotator,
            last_seen_at__gt=timezone.now() - SITTING_PAUSE,
            answered__lt=study.pairs_per_session,
        )
        .order_by("-pk")
        .first()
    )
    return current or Session.objects.create(study=study, annotator=annotator, screen=screen or {})


@transaction.atomic
def skip_assignment(*, session: Session, assignment_id: UUID, cause: str) -> None:
    """Gives back a pair that could not be shown, with the reason; the annotator does not get it again."""
    assignment = Assignment.objects.select_for_update().filter(pk=assignment_id).first()
    if assignment is None or assignment.session_id != session.pk:
        raise NotYours("This pair was not given to this sitting, so it cannot be given back from here.")
    if assignment.state == Assignment.State.LEASED:
        return_to_pool(assignments=[assignment], state=Assignment.State.SKIPPED, cause=cause[:300])
