"""A command on a database without tables says what to run, with the status of a misuse; other errors stay errors."""

from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from annotation.management.migrated import CommandOnMigrated, WorkFailed, unapplied


class Reads(CommandOnMigrated):
    def handle(self, *args: Any, **options: Any) -> None:
        raise OperationalError("no such table: metric_trainingrun")


@pytest.mark.django_db
def test_a_database_that_lacks_migrations_is_named() -> None:
    with (
        patch("annotation.management.migrated.unapplied", return_value=3),
        pytest.raises(
            CommandError, match="3 migrations are missing. Run: python manage.py migrate"
        ) as refused,
    ):
        call_command(Reads())
    assert refused.value.returncode == 2


@pytest.mark.django_db
def test_on_a_migrated_one_the_error_is_what_it_was() -> None:
    assert unapplied() == 0
    with pytest.raises(OperationalError, match="no such table"):
        call_command(Reads())


@pytest.mark.django_db
@pytest.mark.parametrize(
    "command",
    [
        ("run_training", "7"),
        ("run_codec_training", "7"),
        ("train_metric", "demo-1"),
        ("export_snapshot", "demo", "--out", "snapshot"),
        ("export_study", "demo"),
        ("export_paper_pack", "demo", "--out", "pack"),
    ],
    ids=lambda command: command[0],
)
def test_what_is_not_there_is_a_misuse(command: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="There is no") as refused:
        call_command(*command)
    assert refused.value.returncode == 2


class Refuses(CommandOnMigrated):
    error: type[CommandError] = CommandError

    def handle(self, *args: Any, **options: Any) -> None:
        raise self.error("It cannot be done.")


@pytest.mark.parametrize(("error", "status"), [(CommandError, 2), (WorkFailed, 1)])
def test_a_misuse_has_another_status_than_work_that_failed(error: type[CommandError], status: int) -> None:
    command = Refuses()
    command.error = error
    with pytest.raises(CommandError) as refused:
        call_command(command)
    assert refused.value.returncode == status


@pytest.mark.django_db
@pytest.mark.parametrize(
    "command",
    [
        ("import_judgments", "nothing.csv", "--study", "x"),
        ("create_study", "nothing.toml"),
        ("export_annotator", "nobody", "--out", "nobody.json"),
        ("forget_annotator", "nobody", "--erase"),
    ],
    ids=lambda command: command[0],
)
def test_what_cannot_be_read_is_a_misuse(command: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command(*command)
    assert refused.value.returncode == 2
