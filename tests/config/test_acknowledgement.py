"""A broker that fell silent once does not leave a worker waiting for ever, with its one message "in hand"."""

from typing import Any

import pytest
from kombu import Connection, Consumer, Queue
from kombu.message import Message
from redis.exceptions import TimeoutError as Silence

import config.celery  # noqa: F401 - it installs what is tested
from config.acknowledgement import AcknowledgedOnce

LETTERS = Queue("letters")


@pytest.fixture
def channel(valkey_url: str) -> Any:
    """A channel of a worker that may have one message in hand; two messages wait."""
    with Connection(valkey_url) as connection:
        channel: Any = connection.channel()
        for text in ("one", "two"):
            connection.Producer(channel).publish(text, routing_key="letters", declare=[LETTERS])
        channel.basic_qos(0, 1, False)
        yield channel


def receive(channel: Any) -> Message:
    """The next message, as a worker gets it."""
    received: list[Message] = []
    with Consumer(channel, [LETTERS], callbacks=[lambda _, message: received.append(message)]):
        channel.connection.client.drain_events(timeout=5)
    return received[0]


@pytest.mark.parametrize("method", ["ack", "reject", "requeue"])
def test_the_next_message_is_taken_after_one_whose_acknowledgement_timed_out(
    channel: Any, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def silent(*_: object, **__: object) -> None:
        raise Silence

    message = receive(channel)
    assert not channel.qos.can_consume()
    with monkeypatch.context() as stalled, pytest.raises(Silence):
        for step in ("_remove_from_indices", "restore_by_tag"):
            stalled.setattr(AcknowledgedOnce, step, silent)
        getattr(message, method)()
    assert channel.qos.can_consume()
    assert receive(channel).payload == "two"
