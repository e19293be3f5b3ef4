"""What workers report about themselves."""

from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from annotation.models import WorkerProcess
from annotation.reports.processes import map_option
from codecs_zoo import registry

FORGOTTEN_AFTER = timedelta(days=1)


def note_worker(*, name: str, queues: Iterable[str]) -> None:
    """Record that the worker `name` is up, its queues, and which codecs and saliency maps it can make."""
    from codecs_zoo.saliency import maps  # scipy, which only workers need here

    codecs = {}
    for codec in registry.codecs():
        state = codec.availability()
        codecs[codec.name] = "" if state.available else f"{state.reason} {state.how}".strip()
    for kind in maps.KINDS:
        state = maps.availability(kind)
        codecs[map_option(kind)] = "" if state.available else f"{state.reason} {state.how}".strip()
    values = {"queues": sorted(queues), "codecs": codecs, "seen_at": timezone.now()}
    WorkerProcess.objects.update_or_create(name=name, defaults=values)
    WorkerProcess.objects.filter(seen_at__lt=timezone.now() - FORGOTTEN_AFTER).delete()


def renew_worker(*, name: str) -> None:
    """Record that the worker `name` still lives."""
    WorkerProcess.objects.filter(name=name).update(seen_at=timezone.now())


def forget_worker(*, name: str) -> None:
    """Remove the row of a worker that ends."""
    WorkerProcess.objects.filter(name=name).delete()
