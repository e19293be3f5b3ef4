"""What our commands share: status 2 for what cannot be done as given, and a word where the database was not migrated.

What fails though it was given rightly (`WorkFailed`) ends with status 1, and a fault of the program with a traceback.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, SystemCheckError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

# What the caller can put right: another exit status than that of a failure.
MISUSE = 2


class WorkFailed(CommandError):
    """The work was begun and failed, for nothing that the caller gave: status 1."""


class CommandOnMigrated(BaseCommand):
    """A command that needs the database's tables. Every CommandError of it is a misuse, except WorkFailed."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except (SystemCheckError, WorkFailed):
            raise
        except CommandError as error:
            error.returncode = MISUSE
            raise
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
