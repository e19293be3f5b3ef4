"""The Celery application: `celery -A config worker` and `celery -A config beat` start from here."""

import contextlib
import os
import time
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import heartbeat_sent, setup_logging, worker_process_init, worker_ready, worker_shutdown

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("closer")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Ids of requests go with the messages: its signals are connected by importing it.
from config import acknowledgement  # noqa: E402
from config import request_ids as request_ids  # noqa: E402

acknowledgement.install()

RENEW_EVERY = 60.0
_renewed_at = 0.0
_name = ""


@setup_logging.connect
def _log_as_configured(**_: object) -> None:
    """The settings have set logging up, by LOG_LEVEL and LOG_JSON; with a receiver here Celery leaves it alone.

    Its words at the end, printed past the log, would be no JSON.
    """
    from celery.apps import worker

    vars(worker)["safe_say"] = lambda *_, **__: None


@worker_process_init.connect
def _lower_priority(**_: object) -> None:
    """Worker processes already share the cores; training, in a process of its own, takes them all.

    Where memory runs out, the kernel ends them before the database, the broker or the web server.
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    with contextlib.suppress(OSError):  # Linux alone has it
        Path("/proc/self/oom_score_adj").write_text("500")


@worker_ready.connect
def _note(sender: Any, **_: object) -> None:
    """Leave in the database which queues and codecs this worker has."""
    from annotation.services.processes import note_worker
    from config.checks import report_at_start

    global _name, _renewed_at
    _name, _renewed_at = sender.hostname, time.monotonic()
    _write(report_at_start, serves_pages=False)
    _write(note_worker, name=_name, queues=list(app.amqp.queues.consume_from))


@heartbeat_sent.connect
def _renew(**_: object) -> None:
    """Once a minute: still here."""
    from annotation.services.processes import renew_worker

    global _renewed_at
    if _name and time.monotonic() - _renewed_at > RENEW_EVERY:
        _renewed_at = time.monotonic()
        _write(renew_worker, name=_name)


@worker_shutdown.connect
def _forget(**_: object) -> None:
    from annotation.services.processes import forget_worker

    if _name:
        _write(forget_worker, name=_name)


def _write(service: Any, **what: Any) -> None:
    """Call a service; a database that is away must not end the worker, and processes forked later share nothing."""
    import structlog
    from django.db import DatabaseError, connections

    try:
        service(**what)
    except DatabaseError as error:
        structlog.get_logger(__name__).warning(
            "could not be recorded", service=service.__name__, error=str(error)
        )
    finally:
        connections.close_all()
