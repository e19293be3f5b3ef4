"""What upgrades do to rows: runs get their study, beat gets its row; and the way back is open."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django_celery_beat.models import PeriodicTask

from tests.kit.databases import MigratedSqlite
from tests.kit.factories import make_study

FIRST, AFTER = (
    [("metric", "0001_training_runs_and_versions")],
    [("metric", "0005_one_running_run_for_each_study")],
)


@pytest.fixture(autouse=True)
def _put_back(transactional_db: None, migrated_sqlite: MigratedSqlite) -> Iterator[None]:
    """Other tests find every table as the migrations leave it."""
    yield
    migrated_sqlite.put_back()


def test_a_run_gets_the_study_of_its_snapshot_and_beat_a_row_that_the_admin_can_change() -> None:
    studies = [make_study() for _ in range(2)]
    old = MigrationExecutor(connection).migrate(FIRST).apps
    assert not PeriodicTask.objects.filter(task="metric.tasks.retrain").exists()
    until = datetime(2026, 1, 1, tzinfo=UTC)
    for study in studies:
        snapshot = old.get_model("annotation", "Snapshot").objects.create(
            study_id=study.pk, number=1, simulated=False, until=until
        )
        old.get_model("metric", "TrainingRun").objects.create(snapshot=snapshot)
    new = MigrationExecutor(connection).migrate(AFTER).apps
    runs = new.get_model("metric", "TrainingRun").objects.order_by("pk")
    assert [run.study_id for run in runs] == [study.pk for study in studies]
    task = PeriodicTask.objects.get(task="metric.tasks.retrain")
    assert (task.crontab.minute, task.crontab.hour, task.enabled) == ("*/10", "*", True)
