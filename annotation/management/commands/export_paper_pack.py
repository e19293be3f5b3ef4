"""Writes a study's paper pack: `python manage.py export_paper_pack demo --out demo-paper-pack.zip`."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation.management.examples import CommandWithExamples
from annotation.models import Study
from annotation.reports.breakdown import breakdown
from annotation.reports.breakdown_exhibits import breakdown_exhibits
from annotation.reports.exhibits import result_exhibits
from annotation.reports.methods import methods_exhibit
from annotation.reports.paper_pack import paper_pack_of
from annotation.reports.results import compute_results, votes_by_population
from annotation.services.study_files import export_study
from imaging.files import atomic_file


class Command(CommandWithExamples):
    """Computes the results anew; the file is there whole or not at all."""

    help = "Write figures, tables, data, study file and a paragraph of methods of a study as one zip file."

    examples = (
        "export_paper_pack demo --out demo.zip",
        "export_paper_pack demo --out demo-simulated.zip --simulated",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", help="the study's slug, as in its URL")
        parser.add_argument("--out", type=Path, required=True, metavar="FILE.zip", help="the file to write")
        parser.add_argument(
            "--simulated",
            action="store_true",
            help="export simulated judgments; the default is people's judgments only",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            study = Study.objects.get(slug=options["study"])
        except Study.DoesNotExist as error:
            raise CommandError(f"There is no study named {options['study']!r}.") from error
        population = "simulated" if options["simulated"] else "people"
        if not votes_by_population(study)[population]:
            what = "simulated annotators" if options["simulated"] else "people"
            raise CommandError(f"“{study}” has no judgments by {what} yet, so there is nothing to publish.")
        results = compute_results(study, population)
        parts = breakdown_exhibits(breakdown(study, population))
        exhibits = [*result_exhibits(results), *parts, methods_exhibit(study)]
        pack = paper_pack_of(study, results, exhibits, study_file=export_study(study, panel_codes=False))
        try:
            with atomic_file(options["out"]) as draft, draft.open("wb") as file:
                file.writelines(pack.pieces())
        except OSError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The paper pack of {study.slug} is in {options['out']}.")
