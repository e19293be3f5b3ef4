"""What somebody cancelled ends although its worker died, and is never attempted again."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from annotation.models import Snapshot, Study
from annotation.models.work import REVIVED_AFTER
from annotation.services.reaping import requeue_abandoned
from metric.models import CodecTraining, MetricVersion, TableStep, TrainingRun
from metric.services.codec_requests import cancel_codec_training
from metric.services.requests import cancel_training, request_training
from metric.services.table_requests import close_given_up_steps
from tests.kit.factories import make_judged_study
from tests.metric.services.conftest import QUICK

pytestmark = pytest.mark.django_db

Row = TrainingRun | CodecTraining | TableStep


@pytest.fixture
def run() -> TrainingRun:
    study: Study = make_judged_study(people=1)
    snapshot = Snapshot.objects.create(
        study=study, number=1, simulated=False, state="done", until=timezone.now()
    )
    return request_training(snapshot=snapshot, config=QUICK)


@pytest.fixture(params=["run", "codec", "table"])
def row(request: pytest.FixtureRequest, run: TrainingRun) -> Row:
    """One row of each kind that can be cancelled."""
    if request.param == "run":
        return run
    TrainingRun.objects.update(state="done")
    version = MetricVersion.objects.create(
        run=run,
        number=1,
        net="alex",
        kind="lin",
        simulated=False,
        sha256="0" * 64,
        manifest={},
        evaluation={"pending": ["ssim"], "rows": []},
    )
    if request.param == "codec":
        return CodecTraining.objects.create(metric_version=version, codec="checkerboard")
    return TableStep.objects.create(version=version)


def put(row: Row, **fields: Any) -> None:
    type(row).objects.filter(pk=row.pk).update(**fields)


def cancel(row: Row) -> None:
    if isinstance(row, CodecTraining):
        cancel_codec_training(training=row)
    else:
        cancel_training(run=row if isinstance(row, TrainingRun) else row.version.run)
    row.refresh_from_db()


def reap(row: Row) -> list[int]:
    sent = requeue_abandoned(rows=type(row).objects.all(), queue_empty=True)
    row.refresh_from_db()
    return sent


HELD, DEAD = timedelta(minutes=1), timedelta(seconds=-1)


def held(row: Row, lease: timedelta) -> None:
    put(row, state="running", lease=uuid4(), lease_expires_at=timezone.now() + lease, attempts=1)


def test_it_ends_at_once_where_the_worker_is_dead_already(row: Row) -> None:
    held(row, DEAD)
    cancel(row)
    assert (row.outcome, row.error, row.lease) == ("cancelled", "Cancelled.", None)
    assert row.finished_at


def test_it_ends_without_another_worker_when_its_own_dies(row: Row) -> None:
    held(row, HELD)
    cancel(row)
    assert (row.state, row.outcome, reap(row)) == ("running", "running", [])
    put(row, lease_expires_at=timezone.now() + DEAD)
    assert type(row).objects.all().claim(row.pk) is None
    assert reap(row) == [] and (row.outcome, row.error) == ("cancelled", "Cancelled.")


def test_one_that_met_a_fault_outside_after_the_cancelling_is_not_attempted_again(row: Row) -> None:
    held(row, HELD)
    cancel(row)
    assert row.lease and type(row).objects.all().release(
        row.pk, row.lease, "OSError: No space left on device"
    )
    assert reap(row) == [] and row.outcome == "cancelled"


@pytest.mark.parametrize("cancelled", [True, False])
def test_one_that_waits_for_room_on_the_disk_can_be_cancelled(row: Row, *, cancelled: bool) -> None:
    put(row, state="failed", passing=True, finished_at=timezone.now() - REVIVED_AFTER)
    if cancelled:
        cancel(row)
    assert reap(row) == [row.pk] * (not cancelled)
    assert row.outcome == ("cancelled" if cancelled else "queued")


def test_what_failed_by_itself_stays_failed(row: Row) -> None:
    put(row, state="failed", error="The pictures are too small.", finished_at=timezone.now())
    cancel(row)
    assert (row.outcome, row.error) == ("failed", "The pictures are too small.")


def test_the_table_of_a_cancelled_step_says_so_when_its_worker_died(run: TrainingRun) -> None:
    TrainingRun.objects.update(state="done")
    pending = {"key": "ssim", "available": False, "pending": True, "reason": ""}
    version = MetricVersion.objects.create(
        run=run, number=1, simulated=False, manifest={}, evaluation={"pending": ["ssim"], "rows": [pending]}
    )
    step = TableStep.objects.create(version=version)
    held(step, HELD)
    cancel(step)
    put(step, lease_expires_at=timezone.now() + DEAD)
    reap(step)
    close_given_up_steps()
    version.refresh_from_db()
    assert version.evaluation["rows"][0]["reason"] == "its second step was cancelled"
