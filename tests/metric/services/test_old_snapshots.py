"""Files of old scheduled snapshots are removed; of those that anybody still needs they stay."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from annotation.errors import SnapshotRefused
from annotation.models import Snapshot, Study
from annotation.services.snapshots import remove_archive
from metric.models import TableStep
from metric.services import old_snapshots
from metric.services.old_snapshots import remove_old_snapshots
from metric.services.requests import request_training
from tests.kit.factories import make_study
from tests.metric.versions import make_run, make_snapshot, make_version

pytestmark = pytest.mark.django_db

LATER = timedelta(days=91)


@pytest.fixture
def study() -> Study:
    return make_study()


def scheduled(study: Study, **fields: object) -> Snapshot:
    """A snapshot as a schedule makes it, with an archive."""
    snapshot = make_snapshot(study, **{"scheduled": True, **fields})
    snapshot.archive.save("snapshot.zip", ContentFile(b"PK"))
    return snapshot


def after_removal(snapshot: Snapshot) -> bool:
    """Whether the archive is still there once the rule was applied in 91 days."""
    stored, storage = snapshot.archive.name, snapshot.archive.storage
    remove_old_snapshots(timezone.now() + LATER)
    snapshot.refresh_from_db()
    there = storage.exists(stored)
    assert there == bool(snapshot.archive) == (snapshot.removed_at is None)
    return there


def test_an_old_one_with_a_later_one_goes_and_its_row_stays(study: Study) -> None:
    old, new = scheduled(study, sha256="a" * 64), scheduled(study)
    assert not after_removal(old)
    assert after_removal(new)
    assert (old.sha256, old.counts["judgments"], old.state) == ("a" * 64, 1200, "done")
    assert remove_old_snapshots(timezone.now() + LATER) == 0


def test_a_young_one_stays(study: Study) -> None:
    scheduled(study), scheduled(study)
    assert remove_old_snapshots(timezone.now() + timedelta(days=89)) == 0


def test_the_setting_keeps_all(study: Study, settings: Settings) -> None:
    scheduled(study), scheduled(study)
    settings.SNAPSHOT_DAYS = 0
    assert remove_old_snapshots(timezone.now() + LATER) == 0


@pytest.mark.parametrize("other", [{"simulated": True}, {"state": "failed"}, {"state": "running"}])
def test_a_later_one_of_others_or_without_an_end_does_not_replace_it(
    study: Study, other: dict[str, object]
) -> None:
    old = scheduled(study)
    make_snapshot(study, **other)
    assert after_removal(old)


def test_one_that_a_person_made_stays(study: Study) -> None:
    mara = User.objects.create_user("mara")
    old = scheduled(study, scheduled=False, created_by=mara)
    scheduled(study)
    mara.delete()  # their account goes, what they requested does not
    assert after_removal(old)


def test_where_the_storage_fails_the_next_day_removes_it(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = scheduled(study)
    scheduled(study)

    def away(*_: object) -> None:
        raise OSError("away")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="away"):
        patch.setattr(FileSystemStorage, "delete", away)
        remove_old_snapshots(timezone.now() + LATER)
    assert not after_removal(old)


def test_a_run_that_is_requested_meanwhile_keeps_it(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = scheduled(study), scheduled(study)
    scheduled(study)

    def remove_and_request(*, snapshot: Snapshot) -> None:
        make_run(first if snapshot == second else second, state="queued")
        remove_archive(snapshot=snapshot)

    monkeypatch.setattr(old_snapshots, "remove_archive", remove_and_request)
    assert remove_old_snapshots(timezone.now() + LATER) == 1


@pytest.mark.parametrize(("state", "stays"), [("queued", True), ("running", True), ("done", False)])
def test_one_that_a_run_needs_stays(study: Study, state: str, stays: bool) -> None:
    old = scheduled(study)
    scheduled(study)
    make_run(old, state=state)
    assert after_removal(old) == stays


@pytest.mark.parametrize(("state", "stays"), [("queued", True), ("done", False)])
def test_one_that_a_table_needs_stays(study: Study, state: str, stays: bool) -> None:
    old = scheduled(study)
    scheduled(study)
    TableStep.objects.create(version=make_version(make_run(old, state="done")), state=state)
    assert after_removal(old) == stays


@pytest.mark.parametrize("promoted", [True, False])
def test_one_behind_a_promoted_version_stays(study: Study, promoted: bool) -> None:
    old = scheduled(study)
    scheduled(study)
    version = make_version(make_run(old, state="done"))
    if promoted:  # once is enough: it may be promoted again
        version.promoted_at = timezone.now()
        version.save()
    assert after_removal(old) == promoted


def test_readers_are_told_what_to_do(study: Study, admin_client: Client) -> None:
    old = scheduled(study)
    scheduled(study)
    after_removal(old)
    with pytest.raises(SnapshotRefused, match="Use the latest snapshot"):
        request_training(snapshot=old)
    answer = admin_client.get(f"/api/v1/snapshots/{old.pk}/archive/")
    assert (answer.status_code, answer.json()["code"]) == (409, "snapshot_refused")
    page = admin_client.get(f"/studies/{study.slug}/snapshots/").content.decode()
    assert "Files removed" in page
    assert page.count("Train the metric") == 1
