"""Holding a piece of work while doing it: a heartbeat renews the row's lease until the work ends."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django.db import DatabaseError, connection

from annotation.models.work import LEASE, W, WorkQuerySet

log = structlog.get_logger(__name__)


def do_claimed(
    rows: WorkQuerySet[W],
    pk: int,
    do: Callable[[W, uuid.UUID], str],
    *,
    expected: tuple[type[Exception], ...],
) -> str:
    """Claims row `pk` and does its work; returns what `do` made of it, "not free" or "failed".

    What `do` raises is written to the row: the message alone if it is one of `expected`, whose words are for
    people. Safe to call any number of times and from any number of workers: only one of them does the work.
    """
    lease = rows.claim(pk)
    if lease is None:
        return "not free"
    with heartbeat(rows, pk, lease):
        try:
            return do(rows.get(pk=pk), lease)
        except expected as error:
            rows.fail(pk, lease, str(error))
        except Exception as error:
            # Nobody waits for this work: what is not written to the row is never seen.
            log.exception("work failed", kind=rows.model._meta.model_name, row=pk)
            rows.fail(pk, lease, f"{type(error).__name__}: {error}")
    return "failed"


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
