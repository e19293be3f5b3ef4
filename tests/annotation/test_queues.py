"""Work goes to the queue of its kind, with that queue's time limit, and is missed there alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotation import tasks
from annotation.models import Reconstruction
from annotation.queues import encode_queue
from codecs_zoo import registry
from tests.kit.factories import make_reconstruction, make_source

QUEUED = Reconstruction.State.QUEUED


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str, int]]:
    """What is sent to encoders: row, queue, time limit."""
    messages: list[tuple[int, str, int]] = []

    def note(arguments: list[int], *, queue: str, time_limit: int) -> None:
        messages.append((arguments[0], queue, time_limit))

    monkeypatch.setattr(tasks.encode, "apply_async", note)
    return messages


@pytest.mark.parametrize(
    ("name", "queue"),
    [("jpeg", "encode"), ("avif", "encode"), ("vvc-intra", "encode-slow"), ("checkerboard", "encode-slow")],
)
def test_the_queue_of_a_codec(name: str, queue: str) -> None:
    assert encode_queue(registry.get(name)) == queue


@pytest.mark.django_db
def test_reconstructions_go_to_the_queues_of_their_codecs(sent: list[Any], settings: Any) -> None:
    source = make_source()
    codecs = ["jpeg", "vvc-intra", "webp", "checkerboard"]
    rows = [make_reconstruction(source, method=codec, state=QUEUED) for codec in codecs]
    tasks.enqueue_encodings([row.pk for row in rows])
    quick, slow = settings.TIME_LIMITS["encode"], settings.TIME_LIMITS["encode-slow"]
    assert slow > quick
    assert sent == [
        (rows[0].pk, "encode", quick),
        (rows[2].pk, "encode", quick),
        (rows[1].pk, "encode-slow", slow),
        (rows[3].pk, "encode-slow", slow),
    ]


@pytest.mark.django_db
def test_a_full_queue_does_not_hide_what_the_other_one_lost(
    sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    source = make_source()
    make_reconstruction(source, method="vvc-intra", state=QUEUED, queued_at=long_ago)
    quick = make_reconstruction(source, method="jpeg", state=QUEUED, queued_at=long_ago)
    monkeypatch.setattr(tasks, "queue_is_empty", lambda name: name != "encode-slow")
    tasks.reap()
    assert [pk for pk, _, _ in sent] == [quick.pk]
