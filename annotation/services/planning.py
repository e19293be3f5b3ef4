"""A study is planned photograph by photograph: at once if it is small, by a worker if it is large.

A study is open at once, and marked as unplanned until every photograph has its rows; a worker that dies in
between is followed by another worker, who finds what is there.
"""

from collections.abc import Callable, Collection
from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from annotation.core.conditions import ORIGINAL
from annotation.core.damage import anchor_settings
from annotation.models import Reconstruction, Source, Study
from annotation.models.stimulus import as_decimal
from annotation.services.encoding import make_triplets
from annotation.services.known import make_known_triplets

# Rows that a request may plan itself: some tenths of a second.
PLANNED_AT_ONCE = 500
# Photographs of one transaction: short, for an encoder of one of them waits.
SOURCES_AT_ONCE = 10
# A worker that is silent for so long has died.
LEASE = timedelta(minutes=2)


def is_little(study: Study) -> bool:
    """Whether a request can plan the study itself."""
    return study.uses.count() * max(1, len(study.conditions())) <= PLANNED_AT_ONCE


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


def plan_reconstructions(*, study: Study, sources: Collection[int]) -> list[int]:
    """Makes the rows that the study needs of these sources and returns those that wait for an encoder.

    A reconstruction that another study already made is used as it is. Call it in a transaction, when the
    study is open: what other workers finish meanwhile waits for it, then finds the study open.
    """
    chosen = study.sources.filter(pk__in=sources)
    made_of = list(chosen.select_for_update(no_key=True, of=("self",)).order_by("pk"))
    Reconstruction.objects.bulk_create(
        [
            Reconstruction(source=source, origin=origin, method=method, level=level)
            for source in made_of
            for origin, method, level in [*_points(study), *_anchors(study, source)]
        ],
        ignore_conflicts=True,
        batch_size=500,
    )
    needed = Reconstruction.objects.needed_by(study).filter(source__in=made_of)
    make_triplets(study=study, reconstructions=needed.filter(state=Reconstruction.State.DONE))
    make_known_triplets(study=study, sources=made_of)
    prepared = Reconstruction.objects.prepared_for(study).filter(
        source__in=made_of, state=Reconstruction.State.QUEUED
    )
    # Anchors and originals first, having the lowest bitrate: people are trained before they judge.
    return list(prepared.order_by("source", "level", "pk").values_list("pk", flat=True))


def _points(study: Study) -> list[tuple[str, str, Decimal]]:
    """(origin, method, level) of what must be made of each source; own pictures exist already."""
    zoo, original = Reconstruction.Origin.ZOO, Reconstruction.Origin.ORIGINAL
    points: list[tuple[str, str, Decimal]] = [
        (zoo, codec, as_decimal(bpp)) for codec in study.codecs for bpp in study.target_bpps
    ]
    if study.pairing.shows_original:
        points.append((original, ORIGINAL.method, as_decimal(ORIGINAL.level)))
    return points


def _anchors(study: Study, source: Source) -> list[tuple[str, str, Decimal]]:
    """The same for clearly worse pictures, for the study's checks: one coarse codec and one damage."""
    if not study.rules.needs_anchors:
        return []
    codec, name, strength = anchor_settings(source.sha256)
    kinds = Reconstruction.Origin
    return [(kinds.COARSE, codec, as_decimal(0)), (kinds.DAMAGED, name, as_decimal(strength))]


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
