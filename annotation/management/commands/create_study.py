"""Makes a study from a study file: `python manage.py create_study study.toml --open`."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.urls import reverse

from annotation import tasks
from annotation.errors import FaultyPictures, Refused
from annotation.management.bars import Bars
from annotation.management.examples import CommandWithExamples
from annotation.management.researchers import researcher
from annotation.reports.readiness import readiness_findings
from annotation.services.panels import panel_link
from annotation.services.studies import open_study
from annotation.services.study_files import create_from_file


class Command(CommandWithExamples):
    """The draft that the file describes, with what its results will lack, or nothing and everything that is wrong."""

    help = "Create a study from a study file (TOML). Paths in it are relative to the file's folder."

    examples = ("create_study study.toml", "create_study study.toml --open --owner ada")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a study file, as written by export_study")
        parser.add_argument("--open", action="store_true", help="open the study at once and start encoding")
        parser.add_argument("--owner", help="user name of the researcher who will own the study")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            text = path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror or error}.") from error
        try:
            with Bars() as bars, transaction.atomic():
                owner = researcher(options["owner"])
                study = create_from_file(text=text, folder=path.resolve().parent, owner=owner, progress=bars)
                findings = readiness_findings(study)
                planned = open_study(study=study) if options["open"] else []
        except FaultyPictures as refusal:
            raise CommandError(
                "Nothing was created.\n" + "\n".join(f"- {one}" for one in refusal.faults)
            ) from refusal
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        if options["open"]:
            tasks.send_to_workers(study, planned)
        else:
            tasks.send_to_measure(study)
        for finding in findings:
            self.stderr.write(finding.words)
        study.refresh_from_db()
        self.stdout.write(f"{study.slug}: {study.state}, {study.get_absolute_url()}")
        if options["open"]:
            link = panel_link(reverse("judge", args=[study.key]), study.rules.panel)
            self.stdout.write(f"People judge at {link}")
