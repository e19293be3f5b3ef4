"""Writes a study's judgments as a folder: `python manage.py export_snapshot demo --out snapshot`."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from annotation.core.formats.published.forms import BAPPS, FORMS, write_published
from annotation.management.examples import CommandWithExamples
from annotation.models import Study
from annotation.reports.export import Progress, export
from imaging.folders import FolderError, require_vacant


class Command(CommandWithExamples):
    """Source-disjoint train / val / test with a manifest; nothing is left behind when it is refused."""

    help = "Write a study's judgments as a 2AFC dataset with source-disjoint train, val and test."

    examples = (
        "export_snapshot demo --out ./demo-snapshot",
        "export_snapshot demo --out ./simulated --simulated",
        "export_snapshot demo --out ./demo-dataset --format huggingface",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", help="the study's slug, as in its URL")
        parser.add_argument("--out", type=Path, required=True, help="a folder that does not exist yet")
        parser.add_argument("--format", choices=FORMS, default=BAPPS, help="the format")
        parser.add_argument(
            "--simulated",
            action="store_true",
            help="export simulated judgments; the default is people's judgments only",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            known = ", ".join(Study.objects.values_list("slug", flat=True)[:10]) or "none yet"
            raise CommandError(f"There is no study {options['study']!r}. Existing studies: {known}.")
        with tqdm(desc="triplets", disable=None, unit="") as bar:

            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            try:
                manifest = self._write(study, options, progress)
            except FolderError as error:
                raise CommandError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
            except OSError as error:
                raise CommandError(
                    f"{options['out']} could not be written: {error}. No partial output was left behind."
                ) from error
        self.stdout.write(describe(manifest, options["out"]))

    def _write(self, study: Study, options: dict[str, Any], progress: Progress) -> dict[str, Any]:
        out, form, simulated = options["out"], options["format"], options["simulated"]
        if form == BAPPS:
            return export(study=study, out=out, simulated=simulated, progress=progress)
        require_vacant(out)
        with TemporaryDirectory() as scratch:
            snapshot = Path(scratch, "snapshot")
            manifest = export(study=study, out=snapshot, simulated=simulated, progress=progress)
            write_published(snapshot, out, form)
        return manifest


def describe(manifest: dict[str, Any], out: Path) -> str:
    """What was written, in a few lines."""
    counts = manifest["counts"]
    lines = [
        f"{counts['judgments']} judgments{' (SIMULATED)' if manifest['simulated'] else ''} "
        f"of {counts['triplets']} triplets from {counts['photographs']} photographs"
    ]
    for split, held in manifest["splits"].items():
        lines.append(
            f"  {split:5}  {len(held['photographs']):3} photographs  {held['triplets']:6} triplets"
            f"  {held['judgments']:7} judgments"
        )
    return "\n".join([*lines, f"{out}", f"sha256 {manifest['sha256']}"])
