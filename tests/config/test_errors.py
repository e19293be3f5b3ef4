"""A full disk and a database that is away are a 503 that says when to try again; a bug stays a 500."""

import errno
import sqlite3
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, InterfaceError, OperationalError
from django.test import Client
from pytest_django import Settings

from config.errors import NO_DATABASE, NO_ROOM, passing_problem


def caused(problem: Exception, cause: BaseException) -> Exception:
    problem.__cause__ = cause
    return problem


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), NO_ROOM),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), NO_ROOM),
        (caused(OperationalError("full"), sqlite3.OperationalError("database or disk is full")), NO_ROOM),
        (caused(OperationalError("x"), psycopg.errors.DiskFull("could not extend file")), NO_ROOM),
        (caused(RuntimeError("save failed"), OSError(errno.ENOSPC, "No space")), NO_ROOM),
        (OperationalError("connection refused"), NO_DATABASE),
        (InterfaceError("connection already closed"), NO_DATABASE),
        (FileNotFoundError(errno.ENOENT, "no"), ""),
        (IntegrityError("twice"), ""),
        (RuntimeError("bug"), ""),
        (None, ""),
    ],
)
def test_what_passes_and_what_does_not(problem: BaseException | None, sentence: str) -> None:
    assert passing_problem(problem) == sentence


@pytest.mark.parametrize("path", ["/login/", "/api/v1/schema/"])
@pytest.mark.parametrize(
    ("problem", "status"), [(OSError(errno.ENOSPC, "No space left"), 503), (RuntimeError("bug"), 500)]
)
def test_pages_and_api_say_it(
    db: None, monkeypatch: pytest.MonkeyPatch, path: str, problem: Exception, status: int
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise problem

    monkeypatch.setattr("django.contrib.auth.views.LoginView.dispatch", fail)
    monkeypatch.setattr("drf_spectacular.views.SpectacularAPIView.get", fail)
    answer = Client(raise_request_exception=False).get(path)
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == ("10" if status == 503 else None)
    if path.startswith("/api/"):
        assert ("disk is full" in answer.json()["detail"]) is (status == 503)


def test_a_full_disk_is_a_503_while_debugging_too(
    db: None, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    settings.DEBUG = True
    monkeypatch.setattr("drf_spectacular.views.SpectacularAPIView.get", fail)
    answer = Client(raise_request_exception=False).get("/api/v1/schema/")
    assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "10")
