"""A worker whose broker fell silent while it acknowledged a message takes the next one all the same.

kombu counts a message as unacknowledged until the broker confirms that it is. Celery logs an acknowledgement that timed
out and goes on, so the message would count for good: a worker with one process would never again take a task, and
still answer every ping.
"""

from typing import Any

from kombu.transport import redis


class AcknowledgedOnce(redis.QoS):
    """Counts a message as done with once that was tried.

    A message that the broker still has is delivered again after BROKER_VISIBILITY_TIMEOUT; its row says that the work
    is done.
    """

    def ack(self, delivery_tag: Any) -> None:
        """Remove it from the broker, and from what this worker has in hand. Raises what the broker's client raises."""
        try:
            super().ack(delivery_tag)
        finally:
            super(redis.QoS, self).ack(delivery_tag)  # of kombu's own book, without the broker

    def reject(self, delivery_tag: Any, requeue: bool = False) -> None:
        """The same for one that is not taken, which others may get with `requeue`."""
        try:
            super().reject(delivery_tag, requeue=requeue)
        finally:
            super(redis.QoS, self).ack(delivery_tag)  # of kombu's own book, without the broker


def install() -> None:
    """Use it for every connection to Redis or Valkey that this process makes."""
    redis.Channel.QoS = AcknowledgedOnce
