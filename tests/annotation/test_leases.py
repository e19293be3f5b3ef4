"""Work that is held: its lease is renewed while it goes on, and whoever lost it hears so."""

import threading
import time
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.utils import timezone

from annotation import leases
from annotation.models import Reconstruction
from annotation.models.work import LEASE
from tests.kit.factories import make_reconstruction
from tests.kit.services import wait_for


@pytest.fixture
def row(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Reconstruction:
    """Work that waits; a heartbeat comes every 20 ms."""
    monkeypatch.setattr(leases, "LEASE", timedelta(seconds=0.1))
    return make_reconstruction(state=Reconstruction.State.QUEUED)


def test_the_lease_is_renewed_until_the_work_ends(row: Reconstruction) -> None:
    rows = Reconstruction.objects
    lease = rows.claim(row.pk)
    assert lease is not None

    def expiry() -> object:
        return rows.values_list("lease_expires_at").get(pk=row.pk)

    claimed = expiry()
    with leases.heartbeat(rows.all(), row.pk, lease) as lost:
        wait_for(lambda: expiry() != claimed, "a heartbeat")
        renewed = expiry()
        wait_for(lambda: expiry() != renewed, "the next heartbeat")
    ended = expiry()
    time.sleep(0.1)
    assert expiry() == ended
    assert not lost.is_set()


def test_whoever_lost_the_lease_hears_so(row: Reconstruction) -> None:
    lease = Reconstruction.objects.claim(row.pk)
    assert lease is not None
    with leases.heartbeat(Reconstruction.objects.all(), row.pk, lease) as lost:
        Reconstruction.objects.filter(pk=row.pk).update(lease=uuid4())
        assert lost.wait(timeout=20)


@pytest.mark.django_db
def test_whoever_lost_the_lease_writes_nothing() -> None:
    row = make_reconstruction(state=Reconstruction.State.QUEUED)
    rows = Reconstruction.objects.all()
    lease, other = rows.claim(row.pk), uuid4()
    assert lease is not None
    assert not any(
        [
            rows.renew(row.pk, other),
            rows.finish(row.pk, other),
            rows.fail(row.pk, other, "broken"),
            rows.release(row.pk, other, "away"),
            rows.postpone(row.pk, other, 1.0),
        ]
    )
    row.refresh_from_db()
    assert (row.state, row.lease, row.attempts, row.error) == (Reconstruction.State.RUNNING, lease, 1, "")
    assert rows.fail(row.pk, lease, "broken")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("leases_ago", "queue_empty", "is_lost"), [(1.4, True, False), (1.6, True, True), (100.0, False, False)]
)
def test_a_message_is_lost_when_it_is_not_in_the_queue_after_a_lease_and_a_half(
    leases_ago: float, *, queue_empty: bool, is_lost: bool
) -> None:
    queued_at = timezone.now() - leases_ago * LEASE
    make_reconstruction(state=Reconstruction.State.QUEUED, queued_at=queued_at)
    assert Reconstruction.objects.all().abandoned(queue_empty=queue_empty).exists() is is_lost


@pytest.mark.django_db
@pytest.mark.parametrize(("attempts", "given_up"), [(4, 0), (5, 1)])
def test_what_ended_its_worker_five_times_is_given_up(attempts: int, given_up: int) -> None:
    ran_out = timezone.now() - timedelta(seconds=1)
    row = make_reconstruction(
        state=Reconstruction.State.RUNNING, lease=uuid4(), lease_expires_at=ran_out, attempts=attempts
    )
    assert Reconstruction.objects.all().give_up() == given_up
    row.refresh_from_db()
    assert (row.state == Reconstruction.State.FAILED) is bool(given_up)


def test_a_lease_outlasts_missed_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    class Ended(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout or 0.0)
            return True

    monkeypatch.setattr(leases, "threading", SimpleNamespace(Event=Ended, Thread=threading.Thread))
    with leases.heartbeat(Reconstruction.objects.all(), 1, uuid4()):
        pass
    (pause,) = waited
    assert 0 < pause <= leases.LEASE.total_seconds() / 4
