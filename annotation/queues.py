"""What goes to the broker, and what waits there."""

from collections.abc import Callable
from typing import Any

from celery import current_app
from django.db import transaction


def after_commit(send: Callable[..., Any], *given: Any) -> None:
    """Calls `send` with what is given, once the transaction is committed.

    Rows are the truth: with the broker away this is logged and no more, and beat sends what waits later.
    """
    # A lambda: to log an error Django asks for the function's name, which a partial lacks.
    transaction.on_commit(lambda: send(*given), robust=True)


def queue_is_empty(name: str) -> bool:
    """Whether no message waits in the queue; messages that a worker holds do not count."""
    with current_app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        declared = channel.queue_declare(queue=name, passive=False, durable=True)
        return bool(declared.message_count == 0)
