"""A request's id is in its answer, in its lines of the log, and in those of the work that it started."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from celery import current_app
from django.test import Client

from annotation.tasks import reap
from config.logging import logging_config
from config.request_ids import _let_go, _take_over
from config.sentry import without_the_request

pytestmark = pytest.mark.django_db


@pytest.fixture
def log() -> Iterator[Any]:
    """Reads the JSON lines that were written meanwhile."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logging_config("INFO", json=True)
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written := io.StringIO())
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_proxys_id_is_kept(client: Client) -> None:
    answer = client.get("/login/", headers={"x-request-id": "0123456789abcdef"})
    assert answer.headers["X-Request-ID"] == "0123456789abcdef"


@pytest.mark.parametrize("sent", ["", "short", "x" * 65, "with space", "line\nbreak"])
def test_what_is_no_id_is_replaced(client: Client, sent: str) -> None:
    first, second = (
        client.get("/login/", headers={"x-request-id": sent}).headers["X-Request-ID"] for _ in "12"
    )
    assert len(first) == 32
    assert first != second


def test_an_error_is_logged_with_its_request_and_without_its_address(
    client: Client, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no room")

    client.raise_request_exception = False
    monkeypatch.setattr("django.contrib.auth.views.LoginView.dispatch", fail)
    answer = client.get("/login/?next=secret", headers={"x-request-id": "0123456789abcdef"})
    assert answer.status_code == 500
    lines = log()
    assert {line["request"] for line in lines} == {"0123456789abcdef"}
    assert "/login/" not in json.dumps([line["event"] for line in lines])
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["view"], line["status"], line["method"]) == ("login", 500, "GET")
    assert line["ms"] >= 0
    assert "secret" not in json.dumps(line)


def test_a_message_carries_the_id_of_the_request_that_sent_it(valkey_url: str) -> None:
    with current_app.connection_for_write(valkey_url) as connection:
        with structlog.contextvars.bound_contextvars(request="0123456789abcdef"):
            reap.apply_async(connection=connection, queue="ids")
        message = connection.SimpleQueue("ids").get(timeout=5)
        assert message.headers["closer_request"] == "0123456789abcdef"
        message.ack()


def test_a_task_speaks_under_the_id_that_it_was_given() -> None:
    reap.push_request(headers={}, closer_request="0123456789abcdef", id="task-1")
    try:
        _take_over(task=reap, task_id="task-1")
        bound = structlog.contextvars.get_contextvars()
        assert bound == {"request": "0123456789abcdef", "task": "annotation.tasks.reap"}
        _let_go()
        assert structlog.contextvars.get_contextvars() == {}
    finally:
        reap.pop_request()


def test_sentry_is_told_of_no_person_and_no_address() -> None:
    event = {
        "request": {
            "method": "PUT",
            "url": "https://x/api/v1/sessions/KEY/next/",
            "headers": {"Cookie": "KEY"},
        },
        "user": {"ip_address": "10.1.1.1"},
        "server_name": "host",
        "message": "failed",
    }
    assert without_the_request(event, {}) == {"request": {"method": "PUT"}, "message": "failed"}
