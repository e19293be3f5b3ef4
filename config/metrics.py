"""Metrics for Prometheus: requests of this web server's processes, and what the database says about the work."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import structlog
from django.core.cache import cache
from django.db import DatabaseError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from kombu.exceptions import OperationalError
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from annotation.models import Assignment, Clock, Judgment, Session, WorkerProcess
from config import checks
from config.request_ids import view_of

log = structlog.get_logger(__name__)

REQUESTS = Counter("closer_requests", "Requests answered.", ["method", "view", "status"])
SECONDS = Histogram(
    "closer_request_seconds",
    "Seconds from the whole request to the answer.",
    ["view"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
QUEUES = ("default", "encode", "encode-slow", "train", "train-gpu")
# Rows are counted once a minute, however often Prometheus asks.
COUNTED_FOR = 60
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

Respond = Callable[[HttpRequest], HttpResponse]


def measured(get_response: Respond) -> Respond:
    """Counts and times each request under the name of its view."""

    def middleware(request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = get_response(request)
        view = view_of(request)
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(method, view, str(response.status_code)).inc()
        SECONDS.labels(view).observe(time.perf_counter() - began)
        return response

    return middleware


def exposition() -> bytes:
    """All metrics in Prometheus's text format."""
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(_Requests())
    registry.register(Rows())
    return generate_latest(registry)


class _Requests(Collector):
    def collect(self) -> Iterator[Metric]:
        for metric in (REQUESTS, SECONDS):
            yield from metric.collect()


class Rows(Collector):
    """Figures of the database and the broker, read when Prometheus asks."""

    def collect(self) -> Iterator[Metric]:
        """One family after another; with the database or the broker away its families are missing."""
        for families in (_work, _judging, _processes, _queues):
            try:
                yield from families()
            except (DatabaseError, OperationalError, OSError) as error:
                log.warning("metrics are incomplete", error=type(error).__name__)


def _work() -> Iterator[Metric]:
    rows = GaugeMetricFamily("closer_work_rows", "Pieces of work by state.", labels=["kind", "state"])
    waiting = GaugeMetricFamily(
        "closer_work_oldest_seconds", "Age of the oldest queued row.", labels=["kind"]
    )
    for kind, model in checks.WORK.items():
        counted = dict(model._default_manager.order_by().values_list("state").annotate(n=Count("pk")))
        for state in model.State.values:
            rows.add_metric([kind, state], counted.get(state, 0))
        waiting.add_metric([kind], checks.seconds_waiting(kind))
    yield rows
    yield waiting


def _judging() -> Iterator[Metric]:
    counted: Any = cache.get_or_set("metrics-judging", _count_judging, COUNTED_FOR)
    for name, count in counted.items():
        yield CounterMetricFamily(f"closer_{name}", f"All {name} so far.", value=count)


def _count_judging() -> dict[str, int]:
    return {
        "claims": Assignment.objects.count(),
        "judgments": Judgment.objects.count(),
        "sessions": Session.objects.count(),
    }


def _processes() -> Iterator[Metric]:
    ticked_at = Clock.objects.values_list("ticked_at", flat=True).first()
    ticked = GaugeMetricFamily("closer_beat_last_tick", "When beat last ticked, in seconds since 1970.")
    if ticked_at:
        ticked.add_metric([], ticked_at.timestamp())
    yield ticked
    workers = GaugeMetricFamily("closer_workers", "Workers heard of in the last minutes.", labels=["queue"])
    served = [queue for worker in WorkerProcess.objects.alive() for queue in worker.queues]
    for queue in QUEUES:
        workers.add_metric([queue], served.count(queue))
    yield workers


def _queues() -> Iterator[Metric]:
    family = GaugeMetricFamily("closer_queue_messages", "Messages that wait in the broker.", labels=["queue"])
    with checks.broker_client() as client:
        for queue in QUEUES:
            family.add_metric([queue], client.llen(queue))
    yield family
