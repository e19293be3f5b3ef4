"""What workers do for annotation. Each task takes an id and calls a plain function."""

from collections.abc import Iterable

from celery import shared_task

from annotation.models import Reconstruction, Snapshot
from annotation.queues import queue_is_empty
from annotation.services.claims import return_overdue
from annotation.services.encoding import encode_reconstruction
from annotation.services.reaping import take_abandoned
from annotation.services.snapshots import build_snapshot


@shared_task
def encode(pk: int) -> None:
    """Makes one reconstruction."""
    encode_reconstruction(pk=pk)


@shared_task
def snapshot(pk: int) -> None:
    """Builds one snapshot."""
    build_snapshot(pk=pk)


@shared_task
def reap() -> None:
    """Puts run-out leases back and sends out again what no message leads to any more."""
    return_overdue()
    enqueue_encodings(take_abandoned(rows=Reconstruction.objects.all(), queue_empty=queue_is_empty("encode")))
    for pk in take_abandoned(rows=Snapshot.objects.all(), queue_empty=queue_is_empty("default")):
        snapshot.delay(pk)


def enqueue_encodings(pks: Iterable[int]) -> None:
    """One message for each reconstruction."""
    for pk in pks:
        encode.delay(pk)
