"""Recovers work after a dead worker or a lost message: the rows are authoritative, messages are only hints."""

from typing import Any

from django.utils import timezone

from annotation.models.work import WorkQuerySet


def requeue_abandoned(*, rows: WorkQuerySet[Any], queue_empty: bool) -> list[int]:
    """The rows that need a message now, after giving up on those that keep killing their worker.

    `queue_empty` says that no message waits in the queue of these rows; while some do, a row that waits is only
    late, and another message would make the queue longer, not the work faster.
    """
    rows.give_up()
    rows.revive()
    pks = list(rows.abandoned(queue_empty=queue_empty).values_list("pk", flat=True)[:1000])
    rows.filter(pk__in=pks).update(queued_at=timezone.now(), retry_at=None)
    return pks
