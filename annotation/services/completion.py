"""The end of a study for an annotator: reached by judging, not by waiting, and not by flagging."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Sum
from django.utils import timezone

from annotation.models import Assignment, Enrolment, Session, Study, Triplet
from annotation.services.arrival import enrol
from annotation.services.claims import session_end

# Of the required pairs, so many may be flagged or fail to load and still count as done.
FLAGS_COUNTED = 0.1
# An annotator who has judged enough and is silent for so long has closed the page before its end.
ABANDONED_AFTER = timedelta(minutes=10)


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


def study_completion(study: Study, annotator: UUID, *, nothing_more: bool = False) -> Completion:
    """The annotator's progress; with `nothing_more` to judge, only the pairs that they were given are required.

    A study without a completion code or return address pays for nothing, so it requires nothing.
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
    expected = study.pairs_per_session
    if nothing_more:
        expected = min(expected, answered + flagged)
    needed = max(1, ceil(expected * rules.completion_percent / 100))
    return Completion(answered + min(flagged, int(expected * FLAGS_COUNTED)), needed)


@transaction.atomic
def finish(session: Session, *, at: datetime | None = None) -> Enrolment | None:
    """Ends the session if it is complete and the server holds every answer of it; returns who has finished.

    None while a pair is still leased or more will follow, where too little was judged for the study's completion,
    and for those who were screened out.
    """
    over = session_end(session)
    if not over:
        return None
    enrolment = enrol(session.study, session.annotator)
    completion = study_completion(session.study, session.annotator_id, nothing_more=over.is_final)
    if not (completion.is_reached or enrolment.excluded_by or enrolment.finished_at):
        return None
    now = at or timezone.now()
    Session.objects.filter(pk=session.pk, ended_at=None).update(ended_at=now)
    Enrolment.objects.filter(pk=enrolment.pk, finished_at=None).update(finished_at=now)
    enrolment.refresh_from_db(fields=["finished_at"])
    return enrolment


def finish_abandoned() -> int:
    """Ends the study for people who judged all required pairs and closed the page; returns how many.

    Until then they look like annotators who stopped early. Their end is the time when they were last seen.
    """
    return sum(
        finish(session, at=session.last_seen_at) is not None
        for study in Study.objects.open()
        for session in _abandoned(study)
    )


def _abandoned(study: Study) -> list[Session]:
    """The last sessions of people who have judged enough, unfinished, and not seen for a while."""
    rules, pairs = study.rules, study.triplets.filter(role=Triplet.Role.PAIR).count()
    expected = min(study.pairs_per_session, pairs)
    if rules.completion_code or rules.completion_url:
        expected = ceil(expected * rules.completion_percent / 100)
    unfinished = study.enrolments.filter(finished_at=None, screened_out_by="", returned_at=None)
    totals = Session.objects.filter(study=study, annotator__in=unfinished.values("annotator")).order_by()
    enough = totals.values("annotator").annotate(n=Sum("answered"), seen=Max("last_seen_at"), last=Max("pk"))
    abandoned = enough.filter(n__gte=max(1, expected), seen__lt=timezone.now() - ABANDONED_AFTER)
    rows = Session.objects.filter(pk__in=list(abandoned.values_list("last", flat=True)))
    return list(rows.select_related("study", "annotator"))
