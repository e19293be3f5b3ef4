"""The annotators of a study as CSV, with every figure and their answers to the study's own questions."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from annotation.core.annotator_quality import Figures
from annotation.core.annotator_signs import shown_signs
from annotation.core.questionnaire import Question, load_questions
from annotation.core.roles import Reach
from annotation.models import Enrolment, Session, Study
from annotation.reports.exclusions import reason_in_words
from annotation.reports.people import enrolled
from annotation.reports.stages import stage_in_words, with_stage
from annotation.services.questionnaires import answered
from annotation.views.access import staff_required, study_or_404
from psychometrics.estimates import Estimate
from psychometrics.tables import stream


@staff_required
@require_safe
def people_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Everybody in the study with all figures and their intervals, one row each."""
    study = study_or_404(request, slug, Reach.DATA)
    response = StreamingHttpResponse(_lines(study), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{study.slug}-people.csv"'
    return response


FACTS = (
    *("arrived_at", "consented_at", "screened_out_by", "screened_out_at", "trained_at", "finished_at"),
    *("excluded_by", "excluded_at", "figures_at"),
)


def _lines(study: Study) -> Iterable[str]:
    estimates = [one.name for one in fields(Figures) if one.name != "expected_run"]
    ends = [one.name for one in fields(Estimate)]
    names = [f"{name}_{end}" for name in estimates for end in ends]
    questions = load_questions(study.questionnaire)
    people = with_language(with_stage(enrolled(study), study)).order_by("pk").iterator(chunk_size=500)
    columns = [f"question_{one.name}" for one in questions]
    head = [
        "annotator",
        "simulated",
        "stage",
        "language",
        "signs",
        *FACTS,
        "reason",
        "expected_run",
        *names,
        *columns,
    ]
    return stream(head, (_cells(row, estimates, ends, questions) for row in people))


def with_language(people: QuerySet[Enrolment]) -> QuerySet[Enrolment]:
    """With `language`, that of the pages of their last session here; empty where it was not recorded."""
    last = Session.objects.filter(study=OuterRef("study"), annotator=OuterRef("annotator")).order_by("-pk")
    return people.annotate(language=Coalesce(Subquery(last.values("language")[:1]), Value("")))


def _cells(
    row: Any, estimates: Sequence[str], ends: Sequence[str], questions: Sequence[Question]
) -> list[Any]:
    figures = Figures.from_json(row.figures)
    values = [getattr(getattr(figures, name), end) for name in estimates for end in ends]
    facts = [getattr(row, name) for name in FACTS]
    signs = "; ".join(sign.label for sign in shown_signs(figures))
    who = [row.annotator_id, row.annotator.simulated, stage_in_words(row), row.language, signs]
    answers = [answer for _, answer in answered(row, questions)]
    return [*who, *facts, reason_in_words(row), figures.expected_run, *values, *answers]
