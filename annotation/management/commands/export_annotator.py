"""Writes all that is held on a person: `python manage.py export_annotator 1f2e3d4c --out FILE.json`."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation.errors import Refused
from annotation.management.commands.forget_annotator import write_held
from annotation.management.migrated import CommandOnMigrated
from annotation.services.privacy import find_annotator


class Command(CommandOnMigrated):
    """For whoever asks what is known of them."""

    help = "Write all stored data about an annotator as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("annotator", help="an id, the number at the foot of their pages, or a panel's id")
        parser.add_argument(
            "--out",
            type=Path,
            required=True,
            metavar="FILE.json",
            help="the file to write; it must not exist",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            annotator = find_annotator(options["annotator"])
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        write_held(annotator, options["out"])
        self.stdout.write(f"{options['out']} has all stored data about {annotator}.")
