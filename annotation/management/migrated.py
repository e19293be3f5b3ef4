"""Commands that read the database say so where it was not migrated, instead of naming a table that is not there."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

# What the caller can put right: another exit status than that of a failure.
MISUSE = 2


class CommandOnMigrated(BaseCommand):
    """A command that needs the database's tables."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except DatabaseError as error:
            missing = unapplied()
            if not missing:
                raise
            raise CommandError(
                f"The database was not migrated: {missing} migration{'s are' if missing > 1 else ' is'} missing. Run: "
                "python manage.py migrate",
                returncode=MISUSE,
            ) from error


def unapplied() -> int:
    """How many migrations the database lacks."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
