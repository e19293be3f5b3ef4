"""Beat that may be started any number of times: one of them sends, the others stand by.

celery -A config beat -S config.beat:SingletonScheduler
"""

import uuid
from typing import Any

import structlog
from django.db import DatabaseError, close_old_connections
from django_celery_beat.schedulers import DatabaseScheduler

from annotation.models import Clock

log = structlog.get_logger(__name__)


class SingletonScheduler(DatabaseScheduler):  # type: ignore[misc]
    """Sends what is due while it holds the one clock, and leaves its last tick in the database."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._holder = uuid.uuid4()
        self._holds: bool | None = None
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due, if this is the clock; returns the seconds until the next tick."""
        if not self._take_hold():
            return float(self.max_interval)
        wait: float = super().tick(*args, **kwargs)
        return wait

    def close(self) -> None:
        """End in order: another clock need not wait for this one's silence."""
        super().close()
        Clock.objects.all().release(self._holder)

    def _take_hold(self) -> bool:
        try:
            close_old_connections()
            holds = Clock.objects.all().hold(self._holder)
        except DatabaseError as error:
            log.warning("no database, no tasks are sent", error=str(error))
            return False
        if holds is not self._holds:
            log.info("this beat is active" if holds else "another beat is active: standing by")
            self._holds = holds
        return holds
