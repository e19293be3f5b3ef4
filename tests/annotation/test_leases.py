"""Work that is held: its lease is renewed while it goes on, and whoever lost it hears so."""

import time
from datetime import timedelta
from uuid import uuid4

import pytest

from annotation import leases
from annotation.models import Reconstruction
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
