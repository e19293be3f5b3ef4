"""Trains a metric on a snapshot, here and now: `python manage.py train_metric demo-1`."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation.errors import Refused
from annotation.management.bars import Bars
from annotation.management.examples import CommandWithExamples
from annotation.management.migrated import WorkFailed
from annotation.models import Snapshot
from annotation.models.work import Work
from imaging.files import error_text
from metric.core.config import TrainConfig
from metric.core.errors import Unavailable
from metric.core.evaluation.table import format_table
from metric.core.training.options import add_settings, settings_of
from metric.misuse import BAD_INPUT
from metric.models import MetricVersion
from metric.services.requests import request_training
from metric.services.training import run_training, train_folder


class Command(CommandWithExamples):
    """A snapshot of the database makes a numbered version; a snapshot folder with --out makes a folder."""

    help = "Train a metric on a snapshot and print how well it agrees with people."

    examples = (
        "train_metric demo-1                          snapshot 1 of the study “demo”, as a new version",
        "train_metric demo-1 --net vgg --terms psnr   LPIPS and PSNR in one fit",
        "train_metric demo-1 --kind comp --epochs 20  the trunk is fine-tuned too: hours without a GPU",
        "train_metric ./snapshot --out ./metric       an exported folder, without the database",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("snapshot", help="STUDY-NUMBER, a snapshot's id, or a folder")
        parser.add_argument(
            "--out", type=Path, help="output folder for the metric, if the snapshot is a folder"
        )
        add_settings(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        config = settings_of(options)
        folder = Path(options["snapshot"])
        if (folder / "manifest.json").is_file():
            self._train_folder(folder, options["out"], config)
        else:
            self._train_row(options["snapshot"], config)

    def _train_folder(self, folder: Path, out: Path | None, config: dict[str, Any]) -> None:
        if out is None:
            raise CommandError("A snapshot folder needs --out FOLDER for the metric.")
        try:
            with Bars() as bars:
                train_folder(snapshot=folder, out=out, config=TrainConfig(**config), progress=bars)
        except (OSError, *BAD_INPUT, Unavailable) as error:
            raise CommandError(error_text(error)) from error
        self.stdout.write(format_table(json.loads((out / "evaluation.json").read_text())))
        self.stdout.write(f"\nThe metric is in {out}.")

    def _train_row(self, name: str, config: dict[str, Any]) -> None:
        try:
            run = request_training(snapshot=find_snapshot(name), config=config)
        except Refused as error:
            raise CommandError(str(error)) from error
        outcome = run_training(pk=run.pk)
        run.refresh_from_db()
        if outcome == "not free":
            raise WorkFailed(
                f"Another run of this study is in progress. Run {run.pk} is queued; a worker will execute it."
            )
        if run.state != Work.State.DONE:
            raise (CommandError if outcome == "refused" else WorkFailed)(run.error)
        version = MetricVersion.objects.get(run=run)
        self.stdout.write(run.log)
        self.stdout.write(format_table(version.evaluation))


def find_snapshot(name: str) -> Snapshot:
    """The snapshot called STUDY-NUMBER or with that id. Raises CommandError and lists what there is."""
    for snapshot in Snapshot.objects.select_related("study"):
        if name in (str(snapshot), str(snapshot.pk)):
            return snapshot
    known = ", ".join(str(snapshot) for snapshot in Snapshot.objects.select_related("study")[:10])
    raise CommandError(
        f"There is no snapshot {name!r}. "
        + (
            f"Existing snapshots: {known}."
            if known
            else "Make one on a study's page, or give a folder written by manage.py export_snapshot with --out."
        ),
    )
