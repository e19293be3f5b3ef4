"""One id from a request through the log lines of the web server to those of the workers it sets to work."""

import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from celery.signals import before_task_publish, task_postrun, task_prerun
from django.conf import settings
from django.http import HttpRequest, HttpResponse

log = structlog.get_logger("closer.request")
HEADER = "X-Request-ID"
PLAIN = re.compile(r"[A-Za-z0-9._-]{8,64}")

Respond = Callable[[HttpRequest], HttpResponse]


def request_ids(get_response: Respond) -> Respond:
    """Gives each request an id, or keeps the proxy's; logs one line a request, without addresses of either side.

    What failed is logged always, what worked at the level DEBUG; LOG_REQUESTS raises that to INFO.
    """
    usual = log.info if settings.LOG_REQUESTS else log.debug

    def middleware(request: HttpRequest) -> HttpResponse:
        sent = request.headers.get(HEADER, "")
        request_id = sent if PLAIN.fullmatch(sent) else uuid.uuid4().hex
        began = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request=request_id):
            response = get_response(request)
            write = log.error if response.status_code >= 500 else usual
            write(
                "request",
                method=request.method,
                view=view_of(request),
                status=response.status_code,
                ms=round((time.perf_counter() - began) * 1000, 1),
            )
        response.headers[HEADER] = request_id
        return response

    return middleware


def view_of(request: HttpRequest) -> str:
    """The name of the view that answers; never the address, which may hold keys."""
    match = request.resolver_match
    return (match.view_name or match._func_path) if match else "none"


@before_task_publish.connect
def _hand_over(headers: dict[str, Any] | None = None, **_: object) -> None:
    """A message carries the id of the request, or of the task, that sent it."""
    request_id = structlog.contextvars.get_contextvars().get("request")
    if headers is not None and request_id:
        headers["closer_request"] = request_id


@task_prerun.connect
def _take_over(task: Any = None, task_id: str = "", **_: object) -> None:
    request_id = task.request.get("closer_request") or task_id
    structlog.contextvars.bind_contextvars(request=request_id, task=task.name)


@task_postrun.connect
def _let_go(**_: object) -> None:
    structlog.contextvars.clear_contextvars()
