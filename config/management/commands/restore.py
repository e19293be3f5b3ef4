"""Brings a backup back: `python manage.py restore FOLDER`."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.backup.database import BackupError
from config.backup.failures import in_sentences
from config.backup.whole import restore_backup

UNCHANGED = "Nothing was restored. Run the command again."


class Command(BaseCommand):
    """Into an empty installation by default."""

    help = (
        "Restore database, files and keys from a folder written by `backup` into the database, storage "
        "and folder named by the environment. Stop Closer first. A backup of an earlier version is migrated."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="a folder written by `backup`")
        parser.add_argument("--replace", action="store_true", help="replace existing accounts and studies")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with in_sentences(UNCHANGED):
                restore_backup(options["folder"].resolve(), self.stdout.write, replace=options["replace"])
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Restored. Start Closer, then check /readyz.")
