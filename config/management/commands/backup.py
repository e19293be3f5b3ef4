"""Writes all that an installation keeps: `python manage.py backup FOLDER`."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.backup.database import BackupError
from config.backup.failures import in_sentences
from config.backup.whole import make_backup

INCOMPLETE = "The backup is not complete. Run the command again."


class Command(BaseCommand):
    """While Closer runs; into the same folder again only what is new is copied."""

    help = (
        "Write database, files and keys into a folder, while Closer runs. A folder that contains an "
        "earlier backup is updated. A backup contains the secret key and everybody's answers: keep it as "
        "safe as the originals."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="a new folder, or one that contains an earlier backup")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with in_sentences(INCOMPLETE):
                make_backup(options["folder"].resolve(), self.stdout.write)
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{options['folder']} is a complete backup.")
