"""A study is planned photograph by photograph: at once if it is small, by a worker if it is large.

A study is open at once, and marked as unplanned until every photograph has its rows; a worker that dies in
between is followed by another worker, who finds what is there.
"""

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from annotation.models import Study
from annotation.services.encoding import plan_reconstructions

# Rows that a request may plan itself: some tenths of a second.
PLANNED_AT_ONCE = 500
# Photographs of one transaction: short, for an encoder of one of them waits.
SOURCES_AT_ONCE = 10
# A worker that is silent for so long has died.
LEASE = timedelta(minutes=2)


def is_little(study: Study) -> bool:
    """Whether a request can plan the study itself."""
    return study.sources.count() * max(1, len(study.conditions())) <= PLANNED_AT_ONCE


def plan(*, study: Study) -> list[int]:
    """Plans all of the study; returns the reconstructions that wait for an encoder."""
    waiting: list[int] = []
    plan_in_batches(study=study, send=waiting.extend)
    return waiting


def plan_in_batches(*, study: Study, send: Callable[[list[int]], object]) -> None:
    """Plans some photographs at a time and hands on what waits for an encoder then."""
    sources = list(study.sources.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(sources), SOURCES_AT_ONCE):
        Study.objects.filter(pk=study.pk).update(planning_until=timezone.now() + LEASE)
        with transaction.atomic():
            waiting = plan_reconstructions(study=study, sources=sources[start : start + SOURCES_AT_ONCE])
        send(waiting)
    Study.objects.filter(pk=study.pk).update(unplanned=False, planning_until=None)


def plan_claimed(*, pk: int, send: Callable[[list[int]], object]) -> str:
    """Claims an unplanned study and plans it; "not free" where another worker does, or nothing is left to plan."""
    now = timezone.now()
    free = Q(planning_until=None) | Q(planning_until__lt=now)
    if not Study.objects.filter(free, pk=pk, unplanned=True).update(planning_until=now + LEASE):
        return "not free"
    plan_in_batches(study=Study.objects.get(pk=pk), send=send)
    return "done"


def unplanned_studies() -> list[int]:
    """Unplanned studies that no worker is planning: a message was lost, or a worker died."""
    free = Q(planning_until=None) | Q(planning_until__lt=timezone.now())
    return list(Study.objects.filter(free, unplanned=True).values_list("pk", flat=True))
