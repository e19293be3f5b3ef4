"""Postgres that stops answering is given up: a page answers 503 within seconds, and its thread is free again.

The limits of TCP do not see it: a server that hangs, and a pooler that waits for one, still acknowledge what is sent.
"""

import time
from collections.abc import Generator
from contextlib import suppress
from typing import Any, ClassVar

import psycopg
from django.db.backends.postgresql import base

# How long the question may take whether a connection that was kept still works, and cancelling a statement.
PROBE_WITHIN, CANCEL_WITHIN = 3.0, 1.0


class Connection(psycopg.Connection[Any]):
    """A connection on which waiting ends.

    Attributes:
        answer_within: seconds for each exchange with the server; None without end.
    """

    answer_within: float | None = None

    def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
        """Wait for the server. Raises psycopg.OperationalError, and closes the connection, when time is up."""
        if self.answer_within is None:
            return super().wait(gen, *arguments, **options)
        try:
            return super().wait(_until(gen, time.monotonic() + self.answer_within), *arguments, **options)
        except _Silent:
            with suppress(psycopg.Error):
                self.cancel_safe(timeout=CANCEL_WITHIN)  # a server that is only slow need not finish it
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer within {self.answer_within:.0f} s") from None


class _Driver:
    """psycopg as Django uses it, but for the kind of its connections."""

    connect = staticmethod(Connection.connect)

    def __getattr__(self, name: str) -> Any:
        return getattr(psycopg, name)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with such connections.

    Attributes:
        answer_within: the limit of new connections, for the whole process; the web server sets it.
    """

    Database = _Driver()  # type: ignore[assignment]
    answer_within: ClassVar[float | None] = None

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A new connection, as Django makes it."""
        connection = super().get_new_connection(conn_params)
        connection.answer_within = self.answer_within
        return connection

    def is_usable(self) -> bool:
        """Whether a connection that was kept still answers, which takes no time where it does."""
        if self.connection is None or self.answer_within is None:
            return bool(super().is_usable())
        self.connection.answer_within = PROBE_WITHIN
        try:
            return bool(super().is_usable())
        finally:
            self.connection.answer_within = self.answer_within


class _Silent(Exception):
    """Time is up."""


def _until(gen: Generator[Any, Any, Any], end: float) -> Generator[Any, Any, Any]:
    """The same steps of an exchange, as long as there is time. psycopg wakes it several times a second."""
    ready = None
    while True:
        try:
            awaited = gen.send(ready)
        except StopIteration as answer:
            return answer.value
        ready = yield awaited
        if not ready and time.monotonic() > end:
            gen.close()
            raise _Silent
