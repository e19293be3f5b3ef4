"""Does one training run in this process: `python manage.py run_training 3`. Workers call it."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation.management.migrated import CommandOnMigrated
from metric.models import TrainingRun
from metric.services.training import run_training


class Command(CommandOnMigrated):
    """Claims the run and does it; a run that somebody else holds is left alone."""

    help = "Execute one queued training run (workers call this). Example: manage.py run_training 3"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", type=int, help="the run's number")

    def handle(self, *args: Any, **options: Any) -> None:
        if not TrainingRun.objects.filter(pk=options["run"]).exists():
            raise CommandError(f"There is no training run {options['run']}.")
        self.stdout.write(run_training(pk=options["run"]))
