"""Starting a session, and returning pairs."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from annotation.errors import NotYours, SessionErased, StudyNotOpen
from annotation.models import Annotator, Assignment, Enrolment, Session, Study
from annotation.reports.duration import session_total
from annotation.services.arrival import enrol, next_step
from annotation.services.flags import raise_flag
from annotation.services.pool import return_to_pool
from annotation.services.practice import TRAINING, practice_stage
from annotation.services.visitors import require_access
from annotation.throttles import require_room_for_session
from annotation.turns import atomic_in_turn

# A session that was left this long ago is over; a returning annotator gets a new one.
SESSION_PAUSE = timedelta(minutes=30)


def require_open(study: Study) -> None:
    """Refuses unless the study takes judgments."""
    if study.state == Study.State.OPEN:
        return
    why = {
        Study.State.DRAFT: gettext(
            "This study has not been opened yet. Come back when its researcher has opened it."
        ),
        Study.State.PAUSED: gettext("This study is paused. Your answers are kept; come back later."),
        Study.State.CLOSED: gettext(
            "This study is closed and takes no more answers. Thank you for your interest."
        ),
    }[Study.State(study.state)]
    raise StudyNotOpen(why, state=study.state)


@atomic_in_turn()
def begin_session(
    *,
    study: Study,
    annotator_id: UUID | None = None,
    simulated: bool = False,
    screen: dict[str, Any] | None = None,
    client: str = "",
    language: str = "",
) -> Session:
    """The annotator's session: the one they are in, or a new one. An unknown annotator becomes a new one.

    A program has no checks on arrival, so its session is ready at once; that of a person, or of a test participant, is
    when nothing is left to do on arrival. `client` says from where, as `throttles.client_name` does; `language` is that
    of the pages, where there are any. Raises TooMany where more begin than people come; researchers' programs are let
    in.
    """
    require_open(study)
    known = Annotator.objects.select_for_update(no_key=True).filter(simulated=simulated, forgotten_at=None)
    annotator = known.filter(pk=annotator_id).first() if annotator_id else None
    if not simulated:
        require_access(study, annotator)
    if annotator is None:
        annotator = Annotator.objects.create(simulated=simulated)
    enrolment = enrol(study, annotator)
    session = _current(study, annotator)
    if session is None:
        if not simulated:
            require_room_for_session(study.key, client)
        session = Session.objects.create(
            study=study, annotator=annotator, screen=screen or {}, language=language
        )
    if language and session.language != language:
        session.language = language
        session.save(update_fields=["language"])
    if session.ready_at is None and (annotator.is_program or next_step(enrolment, session) is None):
        session.ready_at = timezone.now()
        session.save(update_fields=["ready_at"])
    return session


def _current(study: Study, annotator: Annotator) -> Session | None:
    now = timezone.now()
    longest = timedelta(minutes=study.rules.sitting_minutes)
    return (
        Session.objects.filter(
            Q(ready_at=None) | Q(ready_at__gt=now - longest) | Q(answered=0),
            study=study,
            annotator=annotator,
            ended_at=None,
            last_seen_at__gt=now - SESSION_PAUSE,
            answered__lt=study.pairs_per_session,
        )
        .order_by("-pk")
        .first()
    )


def session_progress(session: Session) -> dict[str, Any]:
    """How far the session is: "answered" of "total" in the "stage" that it is in, "training" or "judging".

    Raises SessionErased.
    """
    enrolment = Enrolment.objects.filter(study=session.study, annotator=session.annotator_id).first()
    fresh = Session.objects.filter(pk=session.pk).first()
    if enrolment is None or fresh is None:
        raise SessionErased
    fresh.study = session.study
    return progress_in(fresh, enrolment)


def progress_in(session: Session, enrolment: Enrolment | None) -> dict[str, Any]:
    """The same from rows that were just read. Raises SessionErased without an enrolment."""
    if enrolment is None:
        raise SessionErased
    enrolment.study = session.study
    if stage := practice_stage(enrolment):
        return {"answered": stage.answered, "total": stage.total, "stage": TRAINING}
    total = max(session.answered, session_total(session))
    return {"answered": session.answered, "total": total, "stage": "judging"}


@atomic_in_turn()
def skip_assignment(*, session: Session, assignment_id: UUID, cause: str, detail: str = "") -> None:
    """Returns a pair that could not be shown, with a flag that gives the reason; the annotator does not get it again.

    A program's reason is stored too, but is not a flag for a researcher to settle.
    """
    rows = Assignment.objects.select_related("annotator").select_for_update(of=("self",))
    assignment = rows.filter(pk=assignment_id).first()
    if assignment is None or assignment.session_id != session.pk:
        raise NotYours(gettext("This pair belongs to another session, so it cannot be returned from here."))
    words = f"{cause} {detail}".strip()[:300]
    returned = return_to_pool(assignments=[assignment], state=Assignment.State.SKIPPED, cause=words)
    if returned and not assignment.annotator.is_program:
        raise_flag(assignment=assignment, cause=cause, detail=detail)
