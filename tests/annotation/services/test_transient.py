"""A store, a network or a database that is away for a while costs nobody a row: it is tried again, later and later."""

import errno
from datetime import timedelta
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from django.db import IntegrityError, OperationalError
from django.utils import timezone

from annotation.models import Reconstruction, Snapshot
from annotation.models.work import MOST_ATTEMPTS, REVIVED_AFTER
from annotation.services.encoding import encode_reconstruction
from annotation.services.reaping import requeue_abandoned
from annotation.services.snapshots import build_snapshot, request_snapshot
from annotation.transient import is_transient
from codecs_zoo.contract import CodecError
from tests.kit.factories import make_judged_study, make_reconstruction

pytestmark = pytest.mark.django_db


def refusal(status: int) -> ClientError:
    return ClientError({"Error": {}, "ResponseMetadata": {"HTTPStatusCode": status}}, "GetObject")


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (ConnectionRefusedError("no one there"), True),
        (TimeoutError("no answer"), True),
        (EndpointConnectionError(endpoint_url="http://s3"), True),
        (refusal(503), True),
        (refusal(429), True),
        (OperationalError("the database system is starting up"), True),
        (refusal(403), False),
        (refusal(404), False),
        (FileNotFoundError(2, "no such file"), False),
        (PermissionError(13, "not yours"), False),
        (IntegrityError("twice"), False),
        (ValueError("the picture is empty"), False),
        (BlockingIOError(11, "no more processes"), True),
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (OSError(errno.EIO, "Input/output error"), False),
        (RuntimeError("ffmpeg failed: x.hevc: No space left on device"), True),
        (OSError("encoder error -2 when writing image file"), False),
    ],
)
def test_what_passes_by_itself(error: Exception, *, passes: bool) -> None:
    assert is_transient(error) is passes
    caused = RuntimeError("could not be read")
    caused.__cause__ = error
    assert is_transient(caused) is passes


@pytest.fixture
def row() -> Reconstruction:
    return make_reconstruction(state="queued", level="1.5000")


def encode_while(error: Exception, pk: int) -> str:
    with patch("annotation.services.encoding.read_pixels", side_effect=error):
        return encode_reconstruction(pk=pk)


def let_time_pass(row: Reconstruction) -> float:
    """Seconds until the next attempt, which then are over."""
    row.refresh_from_db()
    assert row.retry_at
    seconds = (row.retry_at - timezone.now()).total_seconds()
    Reconstruction.objects.filter(pk=row.pk).update(retry_at=timezone.now() - timedelta(seconds=1))
    return seconds


def test_an_encode_is_released_and_tried_again(row: Reconstruction) -> None:
    assert encode_while(refusal(503), row.pk) == "released"
    row.refresh_from_db()
    assert (row.state, row.lease, row.attempts) == ("queued", None, 1) and "503" not in row.state
    assert encode_reconstruction(pk=row.pk) == "not free"  # not before its time, whatever message comes
    assert requeue_abandoned(rows=Reconstruction.objects.all(), queue_empty=False) == []
    assert 8 < let_time_pass(row) <= 10
    assert requeue_abandoned(rows=Reconstruction.objects.all(), queue_empty=False) == [row.pk]
    assert (
        requeue_abandoned(rows=Reconstruction.objects.all(), queue_empty=False) == []
    )  # one message is enough
    assert encode_reconstruction(pk=row.pk) == "done"


def test_the_pauses_grow_and_the_attempts_end(row: Reconstruction) -> None:
    pauses = []
    for _ in range(MOST_ATTEMPTS - 1):
        assert encode_while(TimeoutError("no answer"), row.pk) == "released"
        pauses.append(round(let_time_pass(row)))
    assert pauses == [10, 40, 160, 640]
    assert encode_while(TimeoutError("no answer"), row.pk) == "failed"
    row.refresh_from_db()
    assert (row.state, row.passing, row.error) == ("failed", True, "TimeoutError: no answer")
    assert Reconstruction.objects.filter(pk=row.pk).requeue() == 1
    row.refresh_from_db()
    assert (row.passing, row.attempts, row.retry_at) == (False, 0, None)


def failed(row: Reconstruction, *, passing: bool, ago: timedelta) -> Reconstruction:
    Reconstruction.objects.filter(pk=row.pk).update(
        state="failed", passing=passing, finished_at=timezone.now() - ago, attempts=MOST_ATTEMPTS
    )
    return row


@pytest.mark.parametrize(
    ("passing", "ago", "revived"),
    [(True, REVIVED_AFTER, True), (True, REVIVED_AFTER / 2, False), (False, REVIVED_AFTER, False)],
    ids=["for an external reason", "too early", "for the work itself"],
)
def test_what_a_full_disk_ended_is_attempted_again_later(
    row: Reconstruction, *, passing: bool, ago: timedelta, revived: bool
) -> None:
    failed(row, passing=passing, ago=ago)
    assert requeue_abandoned(rows=Reconstruction.objects.all(), queue_empty=True) == [row.pk] * revived
    assert encode_reconstruction(pk=row.pk) == ("done" if revived else "not free")


def test_while_the_disk_stays_full_there_is_one_attempt_each_time(row: Reconstruction) -> None:
    failed(row, passing=True, ago=REVIVED_AFTER)
    assert requeue_abandoned(rows=Reconstruction.objects.all(), queue_empty=True) == [row.pk]
    assert encode_while(OSError(errno.ENOSPC, "No space left on device"), row.pk) == "failed"
    assert requeue_abandoned(rows=Reconstruction.objects.all(), queue_empty=True) == []
    row.refresh_from_db()
    assert row.passing and "No space left" in row.error


def test_a_codec_that_the_machine_had_no_room_for_is_tried_again(row: Reconstruction) -> None:
    error = CodecError("hevc-intra could not encode")
    error.__cause__ = BlockingIOError(11, "no more processes")
    assert encode_while(error, row.pk) == "released"
    let_time_pass(row)
    assert encode_reconstruction(pk=row.pk) == "done"


@pytest.mark.parametrize("error", [CodecError("too small"), ValueError("no picture"), refusal(403)])
def test_what_lies_in_the_work_itself_fails_at_once(row: Reconstruction, error: Exception) -> None:
    assert encode_while(error, row.pk) == "failed"
    row.refresh_from_db()
    assert (row.state, row.passing, row.retry_at) == ("failed", False, None)


def test_a_snapshot_is_released_too() -> None:
    snapshot = request_snapshot(study=make_judged_study(people=7))
    with patch("annotation.services.snapshots.export", side_effect=ConnectionResetError("gone")):
        assert build_snapshot(pk=snapshot.pk) == "released"
    Snapshot.objects.update(retry_at=timezone.now())
    assert build_snapshot(pk=snapshot.pk) == "done"
