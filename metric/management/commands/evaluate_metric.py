"""Holds a version against a file of people's answers: `python manage.py evaluate_metric 3 --judgments answers.csv`."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation.management.bars import Bars
from annotation.management.examples import CommandWithExamples
from annotation.services.imported_rows import nearest_rate
from metric.core.config import BASELINE_KEYS, ROWS, TrainConfig
from metric.core.distance.named import require_known
from metric.core.distance.viewing import Viewing
from metric.core.errors import InputError, Unavailable
from metric.core.evaluation.table import format_table
from metric.misuse import BAD_INPUT
from metric.models import MetricVersion
from metric.reports.answer_evaluation import evaluate_on
from metric.reports.answers import read_judged_pairs
from metric.services.shared_vectors import local_folder
from metric.services.versions import promoted_folder, version_folder


class Command(CommandWithExamples):
    """Reads the answers and their pictures, and prints the table that a training run stores."""

    help = "Print how well a version agrees with a file of people's answers, compared with every baseline."
    # A folder needs no database, so a missing migration is no reason to stop.
    requires_migrations_checks = False

    about = (
        "FILE.csv has the columns source,a,b,choice and may have annotator,ms,a_codec,b_codec,a_bpp,b_bpp,kind;\n"
        "paths are relative to it, and choice is a, b or tie: the CLOSER one."
    )
    examples = (
        "evaluate_metric 3 --judgments answers.csv",
        "evaluate_metric ./metric --judgments answers.csv --json > table.json",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", help="a version's number, or the folder of one")
        parser.add_argument("--judgments", type=Path, required=True, metavar="FILE.csv")
        parser.add_argument("--json", action="store_true", help="print the table as JSON")
        parser.add_argument(
            "--baselines", nargs="*", default=list(BASELINE_KEYS), metavar="NAME",
            help=f"rows beside the version: {', '.join(ROWS)}, a version's folder or a callable as module:function "
            f"({', '.join(BASELINE_KEYS)})",
        )  # fmt: skip
        parser.add_argument(
            "--pixels-per-degree", type=float, metavar="N",
            help="how the pictures were seen, for metrics that model it (cvvdp)",
        )  # fmt: skip
        parser.add_argument("--seed", type=int, default=0, help="seed of the bootstrap")

    def handle(self, *args: Any, **options: Any) -> None:
        folder, promoted = _folders(options["version"])
        try:
            TrainConfig(seed=options["seed"])  # as a training refuses it
            require_known(options["baselines"])
            viewing = _viewing(options["pixels_per_degree"])
            judged = read_judged_pairs(options["judgments"], nearest_rate)
            with Bars() as bars:
                evaluation = evaluate_on(
                    judged=judged,
                    folder=folder,
                    promoted=promoted,
                    baselines=tuple(options["baselines"]),
                    cache=local_folder(),
                    seed=options["seed"],
                    progress=bars,
                    viewing=viewing,
                )
        except (*BAD_INPUT, Unavailable) as error:
            raise CommandError(str(error)) from error
        learned = evaluation["judgments"]["sources_learned_from"]
        if learned:
            self.stderr.write(
                f"This version has learned from {learned} of the {evaluation['n_photographs']} sources: "
                f"on them it scores better than on new ones."
            )
        _tell_of_copies(self.stderr, evaluation["judgments"]["copies_of_learned"])
        for note in judged.notes:
            self.stderr.write(note)
        for reason, count in judged.excluded.most_common(5):
            self.stderr.write(f"{count} of {judged.rows} rows excluded: {reason}")
        if options["json"]:
            self.stdout.write(json.dumps(evaluation, indent=2, ensure_ascii=False, allow_nan=False))
        else:
            self.stdout.write(format_table(evaluation))


def _tell_of_copies(stderr: Any, copies: dict[str, str] | None) -> None:
    if copies is None:
        stderr.write(
            "This version was trained before thumbnails were stored: copies of its training pictures are "
            "not detected."
        )
    for name, learned in (copies or {}).items():
        stderr.write(
            f"Source {name[:12]} shows the same as {learned[:12]}, which the version has learned from."
        )


def _viewing(per_degree: float | None) -> Viewing | None:
    try:
        return None if per_degree is None else Viewing(per_degree, "as given")
    except InputError as error:
        raise CommandError(str(error)) from error


def _folders(version: str) -> tuple[Path, Path | None]:
    """The folder of the version, and of the promoted one where another is in use. A folder asks no database."""
    if not version.isdecimal():
        folder = Path(version)
        if not folder.is_dir():
            raise CommandError(f"{version} is neither the number of a version nor a folder.")
        return folder, None
    row = MetricVersion.objects.filter(number=int(version)).first()
    if row is None:
        known = ", ".join(map(str, MetricVersion.objects.values_list("number", flat=True)[:10])) or "none yet"
        raise CommandError(f"There is no version {version}. Versions: {known}.")
    champion = None if row.promoted else promoted_folder()
    return version_folder(version=row), champion
