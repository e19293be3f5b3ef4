"""Writes a study's rules and stimuli as a study file: `python manage.py export_study demo > demo.toml`."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation.management.examples import CommandWithExamples
from annotation.models import Study
from annotation.services.study_files import export_study
from imaging.files import write_atomic


class Command(CommandWithExamples):
    """Every rule of the study; photographs and pictures by hash."""

    help = "Write a study as a study file (TOML), from which create_study can create the same study again."

    examples = ("export_study demo", "export_study demo --out demo.toml")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", help="the study's slug, as in its URL")
        parser.add_argument("--out", type=Path, help="the file to write; without it, the file is printed")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            study = Study.objects.get(slug=options["study"])
        except Study.DoesNotExist as error:
            raise CommandError(f"There is no study named {options['study']!r}.") from error
        text = export_study(study, panel_codes=True)
        if options["out"] is None:
            self.stdout.write(text, ending="")
            return
        try:
            write_atomic(options["out"], text.encode())
        except OSError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{study.slug} is in {options['out']}.")
