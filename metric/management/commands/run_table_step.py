"""Fills in one version's table in this process: `python manage.py run_table_step 3`. Workers call it."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation.management.migrated import CommandOnMigrated
from metric.models import TableStep
from metric.services.table_steps import run_table_step


class Command(CommandOnMigrated):
    """Claims the step and does it; one that somebody else holds, or that gives way to a training, is left alone."""

    help = "Fill in the slow rows of one version's table (workers call this). Example: manage.py run_table_step 3"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("step", type=int, help="the step's number")

    def handle(self, *args: Any, **options: Any) -> None:
        if not TableStep.objects.filter(pk=options["step"]).exists():
            raise CommandError(f"There is no second step {options['step']}.")
        self.stdout.write(run_table_step(pk=options["step"]))
