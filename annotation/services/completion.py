"""The end of a study for an annotator: reached by judging, not by waiting, and not by flagging."""

from dataclasses import dataclass
from math import ceil
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from annotation.models import Assignment, Enrolment, Session, Study
from annotation.services.arrival import enrol
from annotation.services.claims import end_of

# Of the pairs wanted, so many may be flagged or fail to load and still count as done.
FLAGS_COUNTED = 0.1


@dataclass(frozen=True)
class Completion:
    """How many pairs an annotator has done in a study, in all sessions, and how many a completion takes."""

    done: int
    needed: int

    @property
    def is_reached(self) -> bool:
        """Whether enough was judged."""
        return self.done >= self.needed

    @property
    def missing(self) -> int:
        """How many more are needed."""
        return max(0, self.needed - self.done)


def completion_of(study: Study, annotator: UUID, *, nothing_more: bool = False) -> Completion:
    """What the annotator has done; with `nothing_more` to judge, only what they were given is wanted.

    A study without a code or an address to go back to pays for nothing, so it asks for nothing.
    """
    rules = study.rules
    answered = Session.objects.filter(study=study, annotator=annotator).aggregate(
        n=Sum("answered", default=0)
    )["n"]
    if not (rules.completion_code or rules.completion_url):
        return Completion(answered, 0)
    given_back = Assignment.objects.filter(
        study=study, annotator=annotator, state=Assignment.State.SKIPPED
    ).exclude(kind=Assignment.Kind.TRAINING)
    flagged = given_back.count()
    wanted = study.pairs_per_session
    if nothing_more:
        wanted = min(wanted, answered + flagged)
    needed = max(1, ceil(wanted * rules.completion_percent / 100))
    return Completion(answered + min(flagged, int(wanted * FLAGS_COUNTED)), needed)


@transaction.atomic
def finish(session: Session) -> Enrolment | None:
    """Ends the session if it is complete and the server holds every answer of it; returns who has finished.

    None while a pair is still in hand or more are to come, where too little was judged for the study's completion,
    and for those who were screened out.
    """
    over = end_of(session)
    if not over:
        return None
    enrolment = enrol(session.study, session.annotator)
    completion = completion_of(session.study, session.annotator_id, nothing_more=over.is_final)
    if not (completion.is_reached or enrolment.excluded_by or enrolment.finished_at):
        return None
    now = timezone.now()
    Session.objects.filter(pk=session.pk, ended_at=None).update(ended_at=now)
    Enrolment.objects.filter(pk=enrolment.pk, finished_at=None).update(finished_at=now)
    enrolment.refresh_from_db(fields=["finished_at"])
    return enrolment
