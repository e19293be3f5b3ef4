"""Work that a Celery worker does: a row that is claimed by compare-and-set and held by a heartbeat.

The row is the truth and the message only a hint, so a lost, late or doubled message does no harm.
"""

import uuid
from datetime import timedelta
from typing import Any, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

LEASE = timedelta(seconds=settings.WORK_LEASE_SECONDS)
MESSAGE_PATIENCE = 1.5 * LEASE
MOST_ATTEMPTS = 5
# Seconds until the second attempt after a failure that passes by itself; then four times as many each time.
FIRST_PAUSE_S, LONGER = 10, 4
# After the last attempt, what failed for an external reason is attempted once in so long: a disk may be full for days.
REVIVED_AFTER = timedelta(hours=1)


W = TypeVar("W", bound="Work")


class WorkQuerySet(models.QuerySet[W]):
    """Reads and compare-and-set writes shared by all kinds of work."""

    def claim(self, pk: int) -> uuid.UUID | None:
        """A lease on the row if it waits or its holder died; None when somebody holds it or it is done."""
        now = timezone.now()
        lease = uuid.uuid4()
        waits = Q(state=Work.State.QUEUED) & (Q(retry_at=None) | Q(retry_at__lte=now))
        free = waits | Q(state=Work.State.RUNNING, lease_expires_at__lt=now)
        claimed = self.filter(free, pk=pk).update(
            state=Work.State.RUNNING,
            lease=lease,
            lease_expires_at=now + LEASE,
            started_at=now,
            attempts=F("attempts") + 1,
            error="",
            retry_at=None,
        )
        return lease if claimed else None

    def renew(self, pk: int, lease: uuid.UUID) -> bool:
        """Whether the lease still holds; it then lasts another LEASE."""
        return bool(self.filter(pk=pk, lease=lease).update(lease_expires_at=timezone.now() + LEASE))

    def finish(self, pk: int, lease: uuid.UUID, **fields: Any) -> bool:
        """Whether the holder of `lease` could mark the row done and write `fields`."""
        return self._end(pk, lease, state=Work.State.DONE, **fields)

    def fail(self, pk: int, lease: uuid.UUID, error: str, *, passing: bool = False) -> bool:
        """Whether the holder of `lease` could mark the row failed with `error`; `passing`: for nothing in the work."""
        return self._end(pk, lease, state=Work.State.FAILED, error=error, passing=passing)

    def release(self, pk: int, lease: uuid.UUID, error: str) -> bool:
        """Whether the holder of `lease` could put the row back for a later attempt; False after the last one.

        The pauses grow, from ten seconds to some ten minutes.
        """
        held = self.filter(pk=pk, lease=lease, attempts__lt=MOST_ATTEMPTS)
        attempts = held.values_list("attempts", flat=True).first()
        if attempts is None:
            return False
        pause = timedelta(seconds=FIRST_PAUSE_S * LONGER ** max(0, attempts - 1))
        return bool(
            held.update(
                state=Work.State.QUEUED,
                lease=None,
                lease_expires_at=None,
                error=error,
                retry_at=timezone.now() + pause,
            )
        )

    def postpone(self, pk: int, lease: uuid.UUID, seconds: float) -> bool:
        """Whether the holder of `lease` could put the row back for what is more urgent; that is no attempt."""
        return bool(
            self.filter(pk=pk, lease=lease).update(
                state=Work.State.QUEUED,
                lease=None,
                lease_expires_at=None,
                attempts=F("attempts") - 1,
                retry_at=timezone.now() + timedelta(seconds=seconds),
            )
        )

    def revive(self) -> int:
        """Puts back what failed for an external reason REVIVED_AFTER ago, for one more attempt; returns how many."""
        now = timezone.now()
        return self.filter(state=Work.State.FAILED, passing=True, finished_at__lt=now - REVIVED_AFTER).update(
            state=Work.State.QUEUED,
            attempts=MOST_ATTEMPTS - 1,
            finished_at=None,
            retry_at=now,
            passing=False,
        )

    def _end(self, pk: int, lease: uuid.UUID, **fields: Any) -> bool:
        ended = self.filter(pk=pk, lease=lease).update(
            lease=None, lease_expires_at=None, finished_at=timezone.now(), **fields
        )
        return bool(ended)

    def requeue(self) -> int:
        """How many failed rows wait again."""
        return self.filter(state=Work.State.FAILED).update(
            state=Work.State.QUEUED,
            error="",
            attempts=0,
            queued_at=timezone.now(),
            finished_at=None,
            retry_at=None,
            passing=False,
        )

    def pending(self) -> Self:
        """What is still to be done or being done."""
        return self.filter(state__in=[Work.State.QUEUED, Work.State.RUNNING])

    def abandoned(self, *, queue_empty: bool) -> Self:
        """Rows that no message leads to any more: the holder died, it is time for another
        attempt, or, with the queue empty, the message was lost."""
        now = timezone.now()
        abandoned = Q(state=Work.State.RUNNING, lease_expires_at__lt=now)
        abandoned |= Q(state=Work.State.QUEUED, retry_at__lte=now)
        if queue_empty:
            abandoned |= Q(state=Work.State.QUEUED, retry_at=None, queued_at__lt=now - MESSAGE_PATIENCE)
        return self.filter(abandoned)

    def give_up(self) -> int:
        """Fails what killed its worker MOST_ATTEMPTS times; returns how many."""
        return self.filter(
            state=Work.State.RUNNING, lease_expires_at__lt=timezone.now(), attempts__gte=MOST_ATTEMPTS
        ).update(
            state=Work.State.FAILED,
            lease=None,
            error=f"Its worker died in the last of {MOST_ATTEMPTS} attempts. Look at the worker's log, then retry.",
        )


class Work(models.Model):
    """A piece of work and who holds it."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    state = models.CharField(max_length=8, choices=State, default=State.QUEUED, db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(
        null=True, blank=True, help_text="When it is retried, after a temporary failure."
    )
    passing = models.BooleanField(
        default=False,
        db_default=False,
        help_text="It failed for an external reason: storage, network or database was unavailable.",
    )
    error = models.TextField(blank=True, default="")
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.pk} ({self.state})"
