"""Who works behind the web: Celery's workers with what they can do, and the clock that sends periodic work."""

import uuid
from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

# A worker renews its row every minute; one that has been silent for longer than this is gone.
WORKER_PATIENCE = timedelta(minutes=3)
# A clock renews its hold every few seconds; after this silence another one takes over.
CLOCK_PATIENCE = timedelta(seconds=30)


class WorkerQuerySet(models.QuerySet["WorkerProcess"]):
    """Reads of workers."""

    def alive(self) -> Self:
        """Workers that were heard of a short while ago."""
        return self.filter(seen_at__gt=timezone.now() - WORKER_PATIENCE)


class WorkerProcess(models.Model):
    """A Celery worker, its queues, and which codecs it can run: the web may lack their libraries."""

    name = models.CharField(max_length=200, unique=True)
    queues = models.JSONField(default=list)
    # Name of a codec, or an option such as saliency=combined, to why it can't be used there, "" where it can.
    codecs = models.JSONField(default=dict)
    seen_at = models.DateTimeField(default=timezone.now)

    objects = WorkerQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class ClockQuerySet(models.QuerySet["Clock"]):
    """Compare-and-set on the one row."""

    def hold(self, holder: uuid.UUID) -> bool:
        """Whether `holder` is the one clock, now and for CLOCK_PATIENCE; false while another one lives."""
        now = timezone.now()
        self.get_or_create(pk=1, defaults={"holder": None, "ticked_at": now})
        free = Q(holder=holder) | Q(holder=None) | Q(ticked_at__lt=now - CLOCK_PATIENCE)
        return bool(self.filter(free, pk=1).update(holder=holder, ticked_at=now))

    def release(self, holder: uuid.UUID) -> None:
        """Let another clock take over at once."""
        self.filter(pk=1, holder=holder).update(holder=None)


class Clock(models.Model):
    """The hold on periodic work, in one row: however many beats are started, one sends."""

    holder = models.UUIDField(null=True, editable=False)
    ticked_at = models.DateTimeField(editable=False)

    objects = ClockQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_clock")]

    def __str__(self) -> str:
        return f"the clock, {self.ticked_at:%Y-%m-%d %H:%M:%S}"
