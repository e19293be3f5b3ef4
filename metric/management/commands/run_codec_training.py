"""Does one codec training in this process: `python manage.py run_codec_training 3`. Workers call it."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation.management.migrated import CommandOnMigrated
from metric.models import CodecTraining
from metric.services.codec_training import run_codec_training


class Command(CommandOnMigrated):
    """Claims the training and does it; one that somebody else holds is left alone."""

    help = "Execute one queued codec training (workers call this). Example: manage.py run_codec_training 3"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("training", type=int, help="the training's number")

    def handle(self, *args: Any, **options: Any) -> None:
        if not CodecTraining.objects.filter(pk=options["training"]).exists():
            raise CommandError(f"There is no codec training {options['training']}.")
        self.stdout.write(run_codec_training(pk=options["training"]))
