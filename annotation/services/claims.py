"""Leases of triplets: claimed without a race, and back in the pool when they run out."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from annotation.core.allocation import Sides, next_side
from annotation.models import Annotator, Assignment, Reconstruction, Session, Study, Triplet
from annotation.models.judging import AssignmentQuerySet

# How many run-out leases one claim sweeps up: enough to keep pace, few enough to cost nothing.
SWEEP = 20


@dataclass(frozen=True)
class NoPair:
    """Why there is no pair now: "nothing_free", "nothing_left" or "sitting_over"."""

    status: str
    detail: str
    retry_after_s: int | None = None


def claim_next(*, session: Session, holding: Sequence[UUID] = ()) -> Assignment | NoPair:
    """The session's next pair: one that it holds and the page has lost, or a triplet newly leased to it.

    `holding` are the assignments that the page has in hand. Costs a few indexed look-ups, however many
    triplets and judgments there are.
    """
    if Assignment.objects.overdue().filter(study=session.study).exists():
        return_overdue(study=session.study, limit=SWEEP)
    with transaction.atomic():
        # Two windows of one annotator take turns here, so they cannot lease the same triplet twice.
        Annotator.objects.select_for_update().get(pk=session.annotator_id)
        return _claim(Session.objects.select_related("study", "annotator").get(pk=session.pk), holding)


def _claim(session: Session, holding: Sequence[UUID]) -> Assignment | NoPair:
    live = list(
        Assignment.objects.live()
        .filter(session=session)
        .select_related("triplet__source", "triplet__first", "triplet__second")
        .order_by("position")
    )
    lost = [assignment for assignment in live if assignment.pk not in set(holding)]
    if lost:
        return lost[0]
    if session.answered + len(live) >= session.study.pairs_per_session:
        return NoPair(
            "sitting_over", f"You judged {session.answered} pairs. Thank you: this sitting is complete."
        )
    triplet = _free_triplet(session, live)
    return _lease(session, triplet) if triplet else _nothing(session)


def _free_triplet(session: Session, live: Sequence[Assignment]) -> Triplet | None:
    """The least served triplet the annotator has not seen, of another source than the last where there is one."""
    free = Triplet.objects.open_for(session.annotator, session.study)
    if connection.features.has_select_for_update_skip_locked:
        free = free.select_for_update(skip_locked=True, of=("self",))
    last = live[-1] if live else session.assignments.order_by("-position").select_related("triplet").first()
    other = free.exclude(source=last.triplet.source_id).first() if last else None
    return other or free.first()


def _lease(session: Session, triplet: Triplet) -> Assignment:
    now = timezone.now()
    position = session.assignments.count() + 1
    Triplet.objects.filter(pk=triplet.pk).update(served=F("served") + 1)
    return Assignment.objects.create(
        study=session.study,
        triplet=triplet,
        session=session,
        annotator=session.annotator,
        position=position,
        first_on_left=_side(session, triplet),
        issued_at=now,
        expires_at=now + timedelta(seconds=session.study.lease_seconds),
    )


def _side(session: Session, triplet: Triplet) -> bool:
    spent = Assignment.objects.spent()
    return next_side(
        _sides(spent.filter(annotator=session.annotator, study=session.study)),
        _sides(spent.filter(triplet=triplet)),
        seed=hashlib.sha256(f"{session.study.key}:{session.annotator_id}".encode()).hexdigest(),
    )


def _sides(assignments: AssignmentQuerySet) -> Sides:
    counts = assignments.aggregate(
        left=Count("pk", filter=Q(first_on_left=True)), right=Count("pk", filter=Q(first_on_left=False))
    )
    return Sides(counts["left"], counts["right"])


def _nothing(session: Session) -> NoPair:
    """Tells "nothing left for you" from "nothing free right now"."""
    study = session.study
    unfinished = Triplet.objects.filter(study=study, role="pair", votes__lt=study.votes_per_triplet)
    if unfinished.unseen_by(session.annotator).exists():
        return NoPair("nothing_free", "All pairs are being judged by others right now.", retry_after_s=5)
    if Reconstruction.objects.needed_by(study).pending().exists():
        return NoPair("nothing_free", "More pairs are being prepared.", retry_after_s=2)
    return NoPair("nothing_left", "You have judged every pair of this study. Thank you.")


def return_overdue(*, study: Study | None = None, limit: int = 1000) -> int:
    """Puts leases that ran out back in the pool; returns how many. The oldest come first."""
    overdue = Assignment.objects.overdue()
    if study:
        overdue = overdue.filter(study=study)
    with transaction.atomic():
        skip = connection.features.has_select_for_update_skip_locked
        rows = list(overdue.order_by("expires_at").select_for_update(skip_locked=skip)[:limit])
        return return_to_pool(assignments=rows, state=Assignment.State.EXPIRED)


def return_to_pool(*, assignments: Sequence[Assignment], state: str, cause: str = "") -> int:
    """Ends leases without an answer, each once; returns how many it ended. Call it with the rows locked."""
    ended = 0
    for assignment in sorted(assignments, key=lambda row: row.triplet_id):  # one order of locks for everybody
        leased = Assignment.objects.filter(pk=assignment.pk, state=Assignment.State.LEASED)
        if leased.update(state=state, skip_cause=cause):
            Triplet.objects.filter(pk=assignment.triplet_id).update(served=F("served") - 1)
            ended += 1
    return ended
