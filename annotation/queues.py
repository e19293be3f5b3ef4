"""What waits at the broker."""

from typing import Any

from celery import current_app


def queue_is_empty(name: str) -> bool:
    """Whether no message waits in the queue; messages that a worker holds do not count."""
    with current_app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        declared = channel.queue_declare(queue=name, passive=False, durable=True)
        return bool(declared.message_count == 0)
