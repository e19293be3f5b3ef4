"""Holding a piece of work while doing it: a heartbeat renews the row's lease until the work ends."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django.db import DatabaseError, connection

from annotation.models.work import LEASE, W, WorkQuerySet
from annotation.transient import is_transient

log = structlog.get_logger(__name__)


def run_claimed(
    rows: WorkQuerySet[W],
    pk: int,
    do: Callable[[W, uuid.UUID], str],
    *,
    expected: tuple[type[Exception], ...],
) -> str:
    """Claims row `pk` and does its work; returns what `do` made of it, "not free", "released" or "failed".

    What `do` raises is written to the row: the message alone if it is one of `expected`, whose words are for
    people. What passes by itself releases the row, to be tried again later, up to its attempts. Safe to call any
    number of times and from any number of workers: only one of them does the work.
    """
    lease = rows.claim(pk)
    if lease is None:
        return "not free"
    with heartbeat(rows, pk, lease):
        try:
            return do(rows.get(pk=pk), lease)
        except expected as error:
            if is_transient(error):
                return give_up_or_release(rows, pk, lease, error)
            rows.fail(pk, lease, str(error))
        except Exception as error:
            return give_up_or_release(rows, pk, lease, error)
    return "failed"


def give_up_or_release(rows: WorkQuerySet[Any], pk: int, lease: uuid.UUID, error: Exception) -> str:
    """Writes an unexpected error to the row: "released" where it passes by itself and attempts are left, or "failed".

    Nobody waits for this work: what is not written to the row is never seen.
    """
    words = f"{type(error).__name__}: {error}"
    passing = is_transient(error)
    if passing and rows.release(pk, lease, words):
        log.warning("work released", kind=rows.model._meta.model_name, row=pk, error=words)
        return "released"
    log.exception("work failed", kind=rows.model._meta.model_name, row=pk)
    rows.fail(pk, lease, words, passing=passing)
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
