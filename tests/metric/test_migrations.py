"""What upgrades do to rows: runs get their study, beat gets its row; and the way back is open."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django_celery_beat.models import PeriodicTask

from tests.kit.factories import make_study

FIRST = [("metric", "0001_training_runs_and_versions")]
BEFORE, AFTER = [("metric", "0003_rules_for_retraining")], [("metric", "0005_one_running_run_for_each_study")]


@pytest.fixture(autouse=True)
def _brought_back_to_the_latest(transactional_db: None) -> Iterator[None]:
    """Other tests find every table as the migrations leave it."""
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


@pytest.mark.django_db(transaction=True)
def test_a_run_gets_the_study_of_its_snapshot() -> None:
    studies = [make_study() for _ in range(2)]
    executor = MigrationExecutor(connection)
    try:
        old = executor.migrate(BEFORE).apps
        until = datetime(2026, 1, 1, tzinfo=UTC)
        for study in studies:
            snapshot = old.get_model("annotation", "Snapshot").objects.create(
                study_id=study.pk, number=1, simulated=False, until=until
            )
            old.get_model("metric", "TrainingRun").objects.create(snapshot=snapshot)
    finally:
        executor = MigrationExecutor(connection)
        new = executor.migrate(AFTER).apps
    runs = new.get_model("metric", "TrainingRun").objects.order_by("pk")
    assert [run.study_id for run in runs] == [study.pk for study in studies]


@pytest.mark.django_db(transaction=True)
def test_how_often_beat_asks_is_a_row_that_the_admin_can_change() -> None:
    MigrationExecutor(connection).migrate(FIRST)
    assert not PeriodicTask.objects.filter(task="metric.tasks.retrain").exists()
    MigrationExecutor(connection).migrate(AFTER)
    task = PeriodicTask.objects.get(task="metric.tasks.retrain")
    assert (task.crontab.minute, task.crontab.hour, task.enabled) == ("*/10", "*", True)
