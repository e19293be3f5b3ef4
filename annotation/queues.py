"""What goes to the broker, and what waits there."""

from collections.abc import Callable, Iterable
from typing import Any

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError as BrokerError

from codecs_zoo import registry
from codecs_zoo.contract import Codec, CodecError

log = structlog.get_logger(__name__)

# Above this many seconds a megapixel on one core, a search for a bitrate takes minutes.
SLOW_SECONDS = 5.0
ENCODE, ENCODE_SLOW = "encode", "encode-slow"


def encode_queue(codec: Codec) -> str:
    """The queue of a codec: learned and slow ones must not hold up those that take a second."""
    return ENCODE_SLOW if codec.kind == "learned" or codec.seconds_per_megapixel > SLOW_SECONDS else ENCODE


def slow_codecs(names: Iterable[str]) -> list[str]:
    """Those of `names` whose queue is `encode-slow`: codecs with options and versions of this site have names too."""
    return [name for name in set(names) if _is_slow(name)]


def _is_slow(name: str) -> bool:
    try:
        return encode_queue(registry.get(name)) == ENCODE_SLOW
    except (KeyError, CodecError):
        return False  # the encoder of its row says what is wrong with it


def after_commit(send: Callable[..., Any], *given: Any) -> None:
    """Calls `send` with what is given, once the transaction is committed.

    Rows are the truth: with the broker away this is logged and no more, and beat sends what waits later.
    """
    # A lambda: to log an error Django asks for the function's name, which a partial lacks.
    transaction.on_commit(lambda: _sent(send, *given), robust=True)


def _sent(send: Callable[..., Any], *given: Any) -> None:
    try:
        send(*given)
    except BrokerError as error:
        log.warning(
            "The broker cannot be reached: work is sent to the workers once it can be.", error=str(error)
        )


def queue_is_empty(name: str) -> bool:
    """Whether no message waits in the queue; messages that a worker holds do not count."""
    with current_app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        declared = channel.queue_declare(queue=name, passive=False, durable=True)
        return bool(declared.message_count == 0)
