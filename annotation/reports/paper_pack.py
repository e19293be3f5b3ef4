"""The paper pack: what a paper about a study needs, as one zip file.

    README.txt     what is in it, from which answers
    paper.tex      a document that takes in everything below; compiles with any standard LaTeX
    methods.tex    a paragraph of methods from the study's rules and counts; methods.txt without LaTeX
    figures/       each figure as PDF and SVG
    tables/        the numbers of each figure and all other tables as LaTeX and CSV
    data/          answers.csv, every answer with its timing; votes.csv, for `python -m psychometrics rank`;
                   questionnaire.csv, how many gave which answer, where the study has questions of its own
    study.toml     the study file, without a panel's codes

Annotators and answers have pseudonyms of this pack alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from itertools import islice
from typing import Any

from django.utils import timezone

from annotation.core.formats import latex
from annotation.core.formats.answers import AnswerRow, answer_lines
from annotation.core.formats.zip import stream as zipped
from annotation.models import Study
from annotation.reports import questionnaire_summary
from annotation.reports.comparisons import compared_method
from annotation.reports.exhibit_files import file_of
from annotation.reports.exhibits import WHOSE, Exhibit
from annotation.reports.export import Naming, answer_rows, names_in_export
from annotation.reports.methods_text import methods_text
from annotation.reports.results import StudyResults
from psychometrics.tables import stream

VOTES = ("source", "a", "b", "choice", "annotator", "ms")
LINES_AT_ONCE = 2_000


@dataclass(frozen=True)
class PaperPack:
    """What can fail is done (`files`); the answers, which may be many, are read while the pack is written."""

    study: Study
    simulated: bool
    until: datetime
    files: tuple[tuple[str, bytes], ...]

    @property
    def name(self) -> str:
        """Of the zip file, without its ending, and of the folder in it."""
        return f"{self.study.slug}{'-simulated' if self.simulated else ''}-paper-pack"

    def pieces(self) -> Iterator[bytes]:
        """The zip file."""
        return zipped((f"{self.name}/{name}", content) for name, content in self._contents())

    def _contents(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        for name, content in self.files:
            yield name, (content,)
        name_of = names_in_export(self.study, until=self.until)
        yield "data/answers.csv", _encoded(answer_lines(self._answers(name_of)))
        yield "data/votes.csv", _encoded(stream(VOTES, _votes(self.study, self._answers(name_of))))

    def _answers(self, name_of: Naming) -> Iterator[AnswerRow]:
        return answer_rows(self.study, self.simulated, self.until, name_of)


def paper_pack_of(
    study: Study, results: StudyResults, exhibits: list[Exhibit], *, study_file: str
) -> PaperPack:
    """The pack of these results. `study_file`: the study's own, as it may be published."""
    paragraphs = methods_text(study, results)
    methods = "\n\n".join(map(latex.escape, paragraphs))
    long = [one for one in exhibits if latex.breaks_over_pages(one.table)]
    files = {
        "README.txt": _readme(study, results, exhibits),
        "paper.tex": latex.document(
            study.name,
            ["methods", "figures", *(f"tables/{one.name}" for one in exhibits if one not in long)],
            after=[f"tables/{one.name}" for one in long],
        ),
        "methods.tex": f"\\section*{{Methods}}\n{methods}\n",
        "methods.txt": "\n\n".join(paragraphs) + "\n",
        "figures.tex": "\n".join(
            latex.figure(
                f"figures/{one.name}.pdf", caption=f"{one.title}. {one.caption}", label=f"fig:{one.name}"
            )
            for one in exhibits
            if one.scene is not None
        ),
        "study.toml": study_file,
    }
    simulated = results.population == "simulated"
    if study.questionnaire:
        answered = stream(
            questionnaire_summary.COLUMNS, questionnaire_summary.rows(study, simulated=simulated)
        )
        files["data/questionnaire.csv"] = "".join(answered)
    written = [(name, text.encode()) for name, text in files.items()]
    written += [
        (f"{'figures' if form in ('pdf', 'svg') else 'tables'}/{one.name}.{form}", file_of(one, form))
        for one in exhibits
        for form in (("pdf", "svg") if one.scene is not None else ()) + ("tex", "csv")
    ]
    return PaperPack(study, simulated, timezone.now(), tuple(written))


def _readme(study: Study, results: StudyResults, exhibits: list[Exhibit]) -> str:
    lines = [
        f"{study.name}: {WHOSE[results.population]}",
        f"{results.judgments:,} answers that count, by {results.annotators:,} annotators, about {results.sources:,} "
        f"photographs. Written by Closer {version('closer-perception')}.",
        "",
        "paper.tex        everything below in one document: pdflatex paper.tex, twice",
        "methods.tex      a methods paragraph from the study's rules and counts (methods.txt: plain "
        "text); check it before use",
        "study.toml       the study file: every rule, the stimuli by hash",
        "data/answers.csv every answer as given, including checks and training, with its timing record",
        "data/votes.csv   the answers that count; python -m psychometrics rank votes.csv recomputes the figures",
        *["data/questionnaire.csv number of answers by question and option; free texts are not included"]
        * bool(study.questionnaire),
        "",
        "Annotators, answers and assignments have pseudonyms that are valid in this pack only.",
        "",
        *(f"{one.name}: {one.title}" for one in exhibits),
    ]
    return "\n".join(lines) + "\n"


def _encoded(lines: Iterable[str]) -> Iterator[bytes]:
    rest = iter(lines)
    while batch := list(islice(rest, LINES_AT_ONCE)):
        yield "".join(batch).encode()


def _votes(study: Study, answers: Iterable[AnswerRow]) -> Iterator[tuple[Any, ...]]:
    """The answers that count, with conditions by name."""
    names = dict(study.uses.values_list("source__sha256", "name"))
    for row in answers:
        if row.counted and not row.excluded_by:
            one, other = (_condition(row, side) for side in ("left", "right"))
            choice = {"left": "a", "right": "b"}.get(row.answer, "tie")
            yield names.get(row.source) or row.source[:12], one, other, choice, row.annotator, _ms(row.timing)


def _ms(timing: dict[str, Any]) -> int | str:
    """From the pictures to the answer; "" where that was not recorded."""
    onset, answer = timing.get("onset"), timing.get("answer")
    took = timing.get("ms") if onset is None or answer is None else answer - onset
    return "" if took is None else round(took)


def _condition(row: AnswerRow, side: str) -> str:
    return str(compared_method(getattr(row, f"{side}_codec"), getattr(row, f"{side}_level")))
