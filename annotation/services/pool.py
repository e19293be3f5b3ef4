"""The pool of pairs: a place of a triplet is taken without a race, leased, and back when the lease ends unanswered."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Case, F, IntegerField, Value, When
from django.utils import timezone

from annotation.models import Assignment, Session, Study, Triplet
from annotation.models.triplet import counter
from annotation.services.serving import Serving


def take(serving: Serving, *, simulated: bool) -> bool:
    """Whether a place of the triplet is now the caller's: not taken since it was read. Never waits for others.

    Where the answer will be no vote the same row is written unchanged, so that its claim takes as long.
    """
    by = int(serving.counts)
    served, lefts = (counter(name, simulated=simulated) for name in ("served", "lefts"))
    triplet = Triplet.objects.filter(
        pk=serving.triplet.pk,
        role=serving.triplet.role,
        **{served: serving.triplet.counted("served", simulated=simulated)},
    )
    # no_key: an answer to the triplet, whose foreign keys are verified when it commits, must not wait for us there.
    if connection.features.has_select_for_update_skip_locked and not list(
        triplet.select_for_update(skip_locked=True, no_key=True).values_list("pk")
    ):
        return False
    return bool(triplet.update(**{served: F(served) + by, lefts: F(lefts) + by * int(serving.first_on_left)}))


def lease(session: Session, serving: Serving, position: int) -> Assignment:
    """The lease of what is served, to the session, from now on; its place must have been taken."""
    now = timezone.now()
    return Assignment.objects.create(
        study=session.study,
        triplet=serving.triplet,
        session=session,
        annotator=session.annotator,
        position=position,
        first_on_left=serving.first_on_left,
        kind=serving.kind,
        warm_up=serving.warm_up,
        repeats=serving.repeats,
        issued_at=now,
        expires_at=now + timedelta(seconds=session.study.lease_seconds),
    )


def return_overdue(*, study: Study | None = None, limit: int = 1000) -> int:
    """Puts leases that ran out back in the pool; returns how many. The oldest come first."""
    overdue = Assignment.objects.overdue()
    if study:
        overdue = overdue.filter(study=study)
    with transaction.atomic():
        skip = connection.features.has_select_for_update_skip_locked
        oldest = overdue.order_by("expires_at").select_related("annotator")
        rows = list(oldest.select_for_update(of=("self",), skip_locked=skip)[:limit])
        return return_to_pool(assignments=rows, state=Assignment.State.EXPIRED)


def return_to_pool(*, assignments: Sequence[Assignment], state: str, cause: str = "") -> int:
    """Ends leases without an answer, each once; returns how many it ended. Call it with the rows locked."""
    ended = 0
    for assignment in sorted(assignments, key=lambda row: row.triplet_id):  # one lock order everywhere
        leased = Assignment.objects.filter(pk=assignment.pk, state=Assignment.State.LEASED)
        if not leased.update(state=state, skip_cause=cause):
            continue
        ended += 1
        if assignment.counts:
            free_place(assignment)
    return ended


def free_place(assignment: Assignment) -> None:
    """Removes a lease that will not become a vote from its triplet's counters, so that the pair is served again."""
    simulated = assignment.annotator.simulated
    served, lefts = (counter(name, simulated=simulated) for name in ("served", "lefts"))
    Triplet.objects.filter(pk=assignment.triplet_id).update(
        **{served: F(served) - 1, lefts: _one_less(lefts) if assignment.first_on_left else F(lefts)}
    )


def _one_less(name: str) -> Case:
    """One less, and never under 0."""
    return Case(When(**{f"{name}__gt": 0}, then=F(name) - 1), default=Value(0), output_field=IntegerField())
