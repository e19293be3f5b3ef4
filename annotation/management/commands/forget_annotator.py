"""Forgets a person: `python manage.py forget_annotator 1f2e3d4c --erase`."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from annotation.errors import Refused
from annotation.management.migrated import CommandOnMigrated
from annotation.models import Annotator
from annotation.services.privacy import find_annotator, forget, held_on


class Command(CommandOnMigrated):
    """Takes away what leads to a person, with or without their answers."""

    help = (
        "Forget an annotator: delete everything that identifies the person, and optionally their judgments."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("annotator", help="an id, the number at the foot of their pages, or a panel's id")
        judgments = parser.add_mutually_exclusive_group(required=True)
        judgments.add_argument("--keep-judgments", action="store_true", help="keep the answers anonymously")
        judgments.add_argument(
            "--erase", action="store_true", help="erase the answers too; their pairs are judged again"
        )
        parser.add_argument(
            "--export", type=Path, metavar="FILE.json", help="first write all stored data to this file"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            annotator = find_annotator(options["annotator"])
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        if options["export"]:
            write_held(annotator, options["export"])
            self.stdout.write(f"{options['export']} has all data that was stored.")
        result = forget(annotator=annotator, erase=options["erase"])
        done = "erased" if result.erased else "kept anonymously"
        self.stdout.write(f"{result.annotator} is forgotten; {result.judgments} judgments {done}.")
        if result.snapshots:
            self.stdout.write(
                f"{result.snapshots} snapshots were taken after their first answer and stay as they are: "
                "results were made from them."
            )


def write_held(annotator: Annotator, file: Path) -> None:
    """Writes everything that is held on the annotator as JSON. Refuses to write over a file."""
    try:
        with file.open("x", encoding="utf-8") as out:
            json.dump(held_on(annotator), out, cls=DjangoJSONEncoder, indent=1, ensure_ascii=False)
    except FileExistsError as error:
        raise CommandError(f"{file} exists. Give the name of a new file. Nothing was deleted.") from error
    except OSError as error:
        raise CommandError(f"{file} could not be written: {error}. Nothing was deleted.") from error
