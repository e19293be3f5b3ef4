"""Training runs: one at a time, taken over after a kill, cancelled, and failing with a reason."""

from datetime import timedelta
from unittest.mock import patch
from uuid import uuid4

import pytest
import torch
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation.errors import Refused, SnapshotRefused
from annotation.models import Snapshot, Study
from annotation.models.work import MOST_ATTEMPTS, REVIVED_AFTER
from annotation.services.reaping import requeue_abandoned
from annotation.services.snapshots import request_snapshot
from metric.core import load
from metric.core.training.members import TeamError
from metric.models import MetricVersion, TrainingRun
from metric.services.requests import cancel_training, request_training
from metric.services.training import Report, run_training
from metric.services.versions import version_folder
from tests.metric.services.conftest import QUICK

pytestmark = pytest.mark.django_db


@pytest.fixture
def judged(judged_once: Study) -> Study:
    return judged_once


def test_a_run_makes_a_version_that_loads(run: TrainingRun, version: MetricVersion) -> None:
    run.refresh_from_db()
    assert (run.state, version.number, version.simulated) == ("done", 1, False)
    assert "training run" in run.log and "fit" in run.log
    metric = load(version_folder(version=version))
    image = torch.zeros(1, 3, 80, 96)
    assert float(metric(image, image)) == 0.0


def test_a_version_lives_in_storage_and_comes_back_to_a_bare_machine(version: MetricVersion) -> None:
    folder = version_folder(version=version)
    assert folder == settings.VAR_DIR / "metric" / "versions" / "1"
    (folder / "manifest.json").unlink()
    assert (version_folder(version=version) / "manifest.json").exists()


def test_a_run_waits_while_another_is_going_on(snapshot: Snapshot, run: TrainingRun) -> None:
    other = request_training(snapshot=snapshot, config=QUICK)
    assert TrainingRun.objects.all().claim(other.pk)
    assert run_training(pk=run.pk) == "not free"
    run.refresh_from_db()
    assert run.state == "queued"


def test_the_database_itself_allows_one_run_at_a_time(snapshot: Snapshot) -> None:
    runs = [request_training(snapshot=snapshot, config=QUICK) for _ in range(2)]
    TrainingRun.objects.filter(pk=runs[0].pk).update(state="running")
    with pytest.raises(IntegrityError), transaction.atomic():
        TrainingRun.objects.filter(pk=runs[1].pk).update(state="running")


def test_a_killed_run_is_taken_over(run: TrainingRun) -> None:
    TrainingRun.objects.filter(pk=run.pk).update(
        state="running", lease=uuid4(), lease_expires_at=timezone.now() - timedelta(seconds=1)
    )
    assert run_training(pk=run.pk) == "done"
    assert MetricVersion.objects.count() == 1


def test_a_dead_run_does_not_stop_the_next_one(snapshot: Snapshot, run: TrainingRun) -> None:
    dead = request_training(snapshot=snapshot, config=QUICK)
    TrainingRun.objects.filter(pk=dead.pk).update(
        state="running", lease=uuid4(), lease_expires_at=timezone.now() - timedelta(seconds=1)
    )
    assert run_training(pk=run.pk) == "done"
    dead.refresh_from_db()
    assert dead.state == "queued"


def test_a_run_builds_the_snapshot_that_nobody_built_yet(judged: Study) -> None:
    run = request_training(snapshot=request_snapshot(study=judged), config=QUICK)
    assert run_training(pk=run.pk) == "done"


def test_a_cancelled_run_never_starts(run: TrainingRun) -> None:
    cancel_training(run=run)
    run.refresh_from_db()
    assert (run.state, run.error) == ("failed", "Cancelled.")
    assert run_training(pk=run.pk) == "not free"


def test_a_run_is_cancelled_at_its_next_step(run: TrainingRun) -> None:
    def cancel_meanwhile(snapshot: Snapshot, report: Report) -> None:
        cancel_training(run=run)
        report.stage("snapshot", 0, 1)

    with patch("metric.services.training._snapshot_folder", side_effect=cancel_meanwhile):
        assert run_training(pk=run.pk) == "failed"
    run.refresh_from_db()
    assert run.error == "Cancelled."
    assert not MetricVersion.objects.exists()


def test_an_unexpected_failure_is_written_to_the_row(run: TrainingRun) -> None:
    with patch("metric.services.training.train", side_effect=MemoryError("no room")):
        assert run_training(pk=run.pk) == "failed"
    run.refresh_from_db()
    assert run.error == "MemoryError: no room"


@pytest.mark.parametrize("config", [{"net": "resnet"}, {"speed": "high"}, {"folds": 1}])
def test_unknown_settings_are_refused_before_anything_is_made(
    snapshot: Snapshot, config: dict[str, object]
) -> None:
    with pytest.raises(Refused, match="do not fit"):
        request_training(snapshot=snapshot, config=config)
    assert not TrainingRun.objects.exists()


def test_a_failed_snapshot_is_refused(snapshot: Snapshot) -> None:
    Snapshot.objects.update(state="failed", error="needs more photographs")
    snapshot.refresh_from_db()
    with pytest.raises(SnapshotRefused, match="needs more photographs"):
        request_training(snapshot=snapshot)


def test_a_store_that_is_away_releases_the_run(run: TrainingRun) -> None:
    with patch("metric.services.training._train", side_effect=ConnectionResetError("gone")):
        assert run_training(pk=run.pk) == "released"
    run.refresh_from_db()
    assert (run.state, run.error) == ("queued", "ConnectionResetError: gone")
    assert run.retry_at and run_training(pk=run.pk) == "not free"
    TrainingRun.objects.update(attempts=MOST_ATTEMPTS - 1, retry_at=None)
    with patch("metric.services.training._train", side_effect=ConnectionResetError("gone")):
        assert run_training(pk=run.pk) == "failed"
    run.refresh_from_db()
    assert run.passing


def test_a_snapshot_that_could_not_be_stored_is_no_fault_of_the_data(run: TrainingRun) -> None:
    Snapshot.objects.update(state="failed", error="ConnectionResetError: gone", passing=True)
    assert run_training(pk=run.pk) == "failed"
    run.refresh_from_db()
    assert run.passing and "could not be made" in run.error


def test_a_row_that_asks_for_processes_has_a_team_and_its_words(snapshot: Snapshot) -> None:
    config = QUICK | {"kind": "comp", "processes": 3}
    run = request_training(snapshot=snapshot, config=config)
    with patch("metric.services.training.train_by_team", side_effect=TeamError("no GPU left")) as team:
        assert run_training(pk=run.pk) == "failed"
    run.refresh_from_db()
    assert run.error == "no GPU left" and "3 processes train together" in run.log
    assert team.call_args.args[2].processes == 3
    assert team.call_args.kwargs["wrap"](["x"])[-1] == "x"


def test_a_full_disk_releases_the_run_whatever_reports_it(run: TrainingRun) -> None:
    with patch("metric.services.training._train", side_effect=TeamError("OSError: No space left on device")):
        assert run_training(pk=run.pk) == "released"
    run.refresh_from_db()
    assert (run.state, run.error) == ("queued", "TeamError: OSError: No space left on device")


def test_only_a_studys_newest_run_is_attempted_again(run: TrainingRun) -> None:
    later = request_training(snapshot=run.snapshot, config=QUICK)
    long_ago = timezone.now() - REVIVED_AFTER
    TrainingRun.objects.update(state="failed", passing=True, finished_at=long_ago)
    assert requeue_abandoned(rows=TrainingRun.objects.all(), queue_empty=True) == [later.pk]
