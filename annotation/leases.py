"""Holding a piece of work while doing it: a heartbeat renews the row's lease until the block ends."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django.db import DatabaseError, connection

from annotation.models.work import LEASE, WorkQuerySet

log = structlog.get_logger(__name__)


@contextmanager
def heartbeat(rows: WorkQuerySet[Any], pk: int, lease: uuid.UUID) -> Iterator[threading.Event]:
    """Renews `lease` on row `pk` several times per LEASE; the event it yields is set once the lease is lost."""
    stop, lost = threading.Event(), threading.Event()
    beat = threading.Thread(target=_beat, args=(rows, pk, lease, stop, lost), name=f"lease-{pk}", daemon=True)
    beat.start()
    try:
        yield lost
    finally:
        stop.set()
        beat.join()


def _beat(
    rows: WorkQuerySet[Any], pk: int, lease: uuid.UUID, stop: threading.Event, lost: threading.Event
) -> None:
    try:
        while not stop.wait(LEASE.total_seconds() / 5):
            try:
                if not rows.renew(pk, lease):
                    lost.set()
                    return
            except DatabaseError as error:  # a busy database now; the lease outlasts several missed beats
                log.warning("heartbeat missed", row=pk, error=str(error))
    finally:
        connection.close()  # this thread's own
