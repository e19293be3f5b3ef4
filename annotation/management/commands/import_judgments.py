"""Imports people's answers from elsewhere: `python manage.py import_judgments answers.csv --study "CID22 JPEGs"`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from annotation.core.formats.bapps_reading import read_bapps
from annotation.core.formats.clic import COLUMNS as CLIC
from annotation.core.formats.clic import read_clic
from annotation.core.formats.mucped import COLUMNS as MUCPED
from annotation.core.formats.mucped import read_mucped
from annotation.core.formats.nights import COLUMNS as NIGHTS
from annotation.core.formats.nights import read_nights
from annotation.core.formats.pieapp import is_pieapp, read_pieapp
from annotation.core.formats.plain import REQUIRED, Answers, AnswersError, read_plain
from annotation.core.formats.pwcmp import COLUMNS as PWCMP
from annotation.core.formats.pwcmp import read_pwcmp
from annotation.errors import Refused
from annotation.management.bars import Bars
from annotation.management.examples import CommandWithExamples
from annotation.management.researchers import researcher
from annotation.models import Membership
from annotation.services.imported_pictures import Show, by_method, from_files
from annotation.services.importing import Imported, import_answers
from annotation.services.members import set_role
from annotation.services.ranking_only import ImportedRanking, import_ranking
from psychometrics.answers import read_answer_rows
from psychometrics.conditions import AnswersError as NamesError
from psychometrics.tables import TableError, read_table

READERS: dict[str, Callable[[Path], Answers]] = {
    "plain": read_plain,
    "bapps": read_bapps,
    "pwcmp": read_pwcmp,
    "clic": read_clic,
    "mucped23": read_mucped,
    "nights": read_nights,
    "pieapp": read_pieapp,
}
HEADS = {"plain": REQUIRED, "pwcmp": PWCMP, "clic": CLIC, "mucped23": MUCPED, "nights": NIGHTS}
# Under this share of answers that chose the picture with the smaller error, the file probably names the worse one.
UPSIDE_DOWN = 0.4


class Command(CommandWithExamples):
    """Answers become a closed study with its origin on it; the same file again, or one with more, adds to it."""

    help = "Import people's answers from a file or folder as a closed study, marked with its origin."

    examples = (
        'import_judgments answers.csv --study "JPEGs at home"',
        'import_judgments mucped23 --originals cid22/validation --study "mucped23"',
        'import_judgments 2afc/val/traditional --format bapps --study "BAPPS traditional"',
        'import_judgments responses.csv --ranking-only --study "JPEG AI, names only"',
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("answers", type=Path, help="a CSV file, or a folder")
        parser.add_argument("--format", choices=["auto", *READERS], default="auto")
        parser.add_argument(
            "--study", required=True, help="the study's name; use the same name to resume or extend an import"
        )
        parser.add_argument(
            "--originals", type=Path, help="for mucped23: the folder of the originals, as NAME.png"
        )
        parser.add_argument(
            "--ranking-only",
            action="store_true",
            help="sources and conditions are names, without pictures: every format of python -m psychometrics",
        )
        parser.add_argument("--owner", help="user name of the researcher who will own the study")
        parser.add_argument("--json", action="store_true", help="print a summary of the import as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["answers"]
        try:
            owner = researcher(options["owner"])
            if options["ranking_only"]:
                self._import_names(path, options, owner)
                return
            answers = read_answers(path, options["format"])
            for note in answers.notes:
                self.stderr.write(note)
            photograph, show = _pictures(path, answers.format, options["originals"])
            with Bars() as bars:
                imported = import_answers(
                    answers=answers,
                    name=options["study"],
                    origin=f"imported from {answers.format}: {path.resolve().name}"[:200],
                    photograph=photograph,
                    show=show,
                    progress=bars,
                )
        except (AnswersError, NamesError, Refused) as error:
            raise CommandError(str(error)) from error
        if owner is not None:
            set_role(study=imported.study, user=owner, role=Membership.Role.OWNER)
        self._print(imported, describe(imported), as_json=options["json"])

    def _import_names(self, path: Path, options: dict[str, Any], owner: User | None) -> None:
        if options["format"] != "auto" or options["originals"]:
            raise AnswersError(
                "--ranking-only needs no pictures and reads the format from the head of the file."
            )
        read = read_answer_rows(path)
        for note in read.notes:
            self.stderr.write(note)
        imported = import_ranking(answers=read, name=options["study"], owner=owner)
        self._print(imported, describe_ranking(imported), as_json=options["json"])

    def _print(self, imported: Imported | ImportedRanking, words: str, *, as_json: bool) -> None:
        content = json.dumps(imported.as_json(), indent=2, ensure_ascii=False) if as_json else words
        self.stdout.write(content)


def read_answers(path: Path, format: str) -> Answers:
    """The answers at `path`, in the named format or in the one that it looks like. Raises AnswersError."""
    if not path.exists():
        raise AnswersError(f"{path} is not there.")
    return READERS[_guess(path) if format == "auto" else format](path)


def _guess(path: Path) -> str:
    if is_pieapp(path):
        return "pieapp"
    if path.is_dir():
        return "mucped23" if (path / "answers.csv").is_file() else "bapps"
    try:
        head = set(read_table(path).head)
    except TableError as error:
        raise AnswersError(str(error)) from error
    for format, columns in HEADS.items():
        if set(columns) <= head:
            return format
    known = "; ".join(f"{format}: {','.join(columns)}" for format, columns in HEADS.items())
    names = ", ".join(sorted(filter(None, head)))
    raise AnswersError(
        f"The head of {path} names {names or 'nothing'}, which is no format known here ({known}). Say --format, or "
        "--ranking-only for names without pictures."
    )


def _pictures(path: Path, format: str, originals: Path | None) -> tuple[Callable[[str], Path], Show]:
    if format == "mucped23":
        if originals is None or not originals.is_dir():
            raise AnswersError("mucped23 publishes no pictures: give --originals FOLDER with NAME.png in it.")
        return lambda name: originals / f"{name}.png", by_method
    folder = path if path.is_dir() else path.parent
    return lambda name: folder / name, from_files(folder)


def describe(imported: Imported) -> str:
    """What was imported, in a few lines."""
    lines = [
        f"{_count(imported.judgments, 'judgment')} of {_count(imported.triplets, 'triplet')} from "
        f"{_count(imported.sources, 'photograph')}, by {_count(imported.annotators, 'annotator')}, in the study "
        f"“{imported.study}” ({imported.study.slug}); new: {imported.new}.",
        *_checks_and_repeats(imported),
        f"Rows read: {imported.rows}; not usable: {imported.excluded.rows}.",
        *(f"  {line}" for line in imported.excluded.lines()),
    ]
    nearer = imported.chosen_nearer
    if nearer is not None:
        lines.append(f"{100 * nearer:.1f} % of the answers chose the picture with the smaller squared error.")
        if nearer < UPSIDE_DOWN:
            lines.append(
                "That is unusually low: does this file name the worse picture instead of the closer one?"
            )
    return "\n".join(lines)


def describe_ranking(imported: ImportedRanking) -> str:
    """What was imported without pictures, in a few lines."""
    people = (
        "by people who are not recorded"
        if imported.annotators is None
        else f"by {_count(imported.annotators, 'annotator')}"
    )
    lines = [
        f"{_count(imported.answers, 'answer')} about {_count(imported.conditions, 'condition')} of "
        f"{_count(imported.sources, 'source')}, {people}, in the study “{imported.study}” "
        f"({imported.study.slug}), which ranks and holds no pictures; new rows: {imported.new}.",
        *_checks_and_repeats(imported),
    ]
    return "\n".join(lines)


def _checks_and_repeats(imported: Imported | ImportedRanking) -> list[str]:
    lines = []
    if imported.traps or imported.identical or imported.skipped:
        lines.append(
            f"Also {imported.traps} to traps, {imported.identical} to identical pairs, {imported.skipped} skipped."
        )
    if imported.repeats:
        lines.append(
            f"{imported.repeats} are further answers of one annotator to a pair: they count, as repeats."
        )
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
