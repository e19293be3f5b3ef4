"""The page of one annotator in one study: sessions, answers, figures, what would change without them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from annotation.charts import inline
from annotation.core.annotator_quality import FEWEST_ANSWERS, Figures
from annotation.core.annotator_signs import SIGNS, Sign, shown_signs
from annotation.core.questionnaire import AFTER, load_questions
from annotation.core.roles import Reach
from annotation.core.timing import Timing, derive_timing
from annotation.models import Assignment, Enrolment, Flag, Judgment, Reconstruction, Session, Study
from annotation.reports import annotator as report
from annotation.reports.people import CHECKS, study_people
from annotation.reports.stages import stage_in_words, with_stage
from annotation.services.claims import session_end
from annotation.services.completion import Completion, study_completion
from annotation.services.questionnaires import answered, questions_due
from annotation.views.access import may, staff_of, staff_required, study_or_404
from annotation.views.paging import Page
from annotation.views.people import leave_one_out_of_page
from annotation.views.study import study_page
from imaging.plots.answers import answers_in_order
from psychometrics.estimates import Estimate

ANSWERS_A_PAGE = 25
# In the order of the page: field of Figures, label, what stands for the expected, where a reference is drawn.
FIGURES = (
    ("sentinels", "Sentinels right", 0.9),
    ("golden", "Golden pairs right", None),
    ("repeats", "Repeats answered alike", None),
    ("left", "Chose left", 0.5),
    ("identical_left", "Left of identical", 0.5),
    ("same_side", "Same side as before", 0.5),
    ("ties", "Can’t tell", None),
    ("fast", "Under 600 ms", None),
    ("slow", "Over the longest view", None),
    ("impossible", "Impossible times", None),
    ("likelihood", "Likelihood under the others’ scale", 0.5),
    ("reliability", "Reliability", None),
)


@dataclass(frozen=True)
class FigureRow:
    """A figure of the page, with what a careful annotator's is, and the sign that it shows, if any."""

    label: str
    figure: Estimate
    expected: str
    reference: float | None
    sign: Sign | None


@dataclass(frozen=True)
class Answered:
    """One answer of the list, with what the page says beside its pictures."""

    judgment: Judgment
    assignment: Assignment
    seconds: float | None
    views: str
    marks: tuple[str, ...]
    outside: bool

    @property
    def left(self) -> Reconstruction:
        """What stood on the left."""
        triplet = self.judgment.triplet
        return triplet.first if self.assignment.first_on_left else triplet.second

    @property
    def right(self) -> Reconstruction:
        """What stood on the right."""
        triplet = self.judgment.triplet
        return triplet.second if self.assignment.first_on_left else triplet.first

    @property
    def chosen_left(self) -> bool:
        """Whether the left picture was chosen."""
        return self.judgment.answer == Judgment.Side.LEFT

    @property
    def chosen_right(self) -> bool:
        """Whether the right one was."""
        return self.judgment.answer == Judgment.Side.RIGHT


@staff_required
@require_safe
def annotator(request: HttpRequest, slug: str, annotator: UUID) -> HttpResponse:
    """Everything that is known of how somebody judged in this study."""
    study = study_or_404(request, slug, Reach.DATA)
    rows = with_stage(study.enrolments.select_related("annotator", "study"), study)
    enrolment = get_object_or_404(rows, annotator=annotator)
    return study_page(request, study, "study-annotator", **page_of(request, study, enrolment))


def page_of(request: HttpRequest, study: Study, enrolment: Enrolment) -> dict[str, Any]:
    """What the page shows."""
    (person,) = study_people(study, [enrolment])
    answers = report.enrolment_answers(enrolment)
    environment, classes = report.answer_environment(answers), report.time_classes(answers)
    page = page_by_judgment(request, enrolment)
    return {
        "person": person,
        "stage": stage_in_words(enrolment),
        "completion": _completion(study, enrolment),
        "questions_missing": bool(questions_due(enrolment, AFTER)),
        "signs": shown_signs(person.figures),
        "figures": figure_rows(person.figures),
        "answers": len(answers),
        "fewest_answers": FEWEST_ANSWERS,
        "warm_ups": report.enrolment_warm_ups(enrolment).count(),
        "only_latest": len(answers) == report.MOST_ANSWERS,
        "sides": report.answer_sides(answers),
        "chart": inline(
            answers_in_order(report.marks_of(answers), title=f"Answers of {person.name} in their order")
        ),
        "classes": classes,
        "most_in_class": max((one.count for one in classes), default=0) or 1,
        "sessions": report.sessions_of(enrolment),
        "checks": [(CHECKS.get(name, name), finding) for name, finding in enrolment.checks.items()],
        "environment": environment,
        "environment_rows": [
            ("Language, by sessions", report.enrolment_languages(enrolment)),
            ("Layout", environment.layouts),
            ("Answered by", environment.inputs),
            ("Pixel ratio", environment.pixel_ratios),
            ("Window", environment.windows),
            ("Picture shown at", environment.shown_at),
        ],
        "agreement": report.agreement_with_others(enrolment),
        "questionnaire": answered(enrolment, load_questions(study.questionnaire)),
        "without": leave_one_out_of_page(study, [enrolment])[enrolment.annotator_id],
        "flags": Flag.objects.filter(study=study, assignment__annotator=enrolment.annotator_id).order_by(
            "-pk"
        ),
        "page": page,
        "panel_id": enrolment.annotator.external_id if may(staff_of(request), study, Reach.RUN) else "",
    }


def _completion(study: Study, enrolment: Enrolment) -> Completion | None:
    """How many pairs they have done of those that a code requires; None where nobody is paid by a code."""
    if not (study.rules.completion_code or study.rules.completion_url):
        return None
    latest = Session.objects.filter(study=study, annotator=enrolment.annotator_id).order_by("-pk").first()
    over = session_end(latest) if latest else None
    return study_completion(study, enrolment.annotator_id, nothing_more=bool(over and over.is_final))


def figure_rows(figures: Figures) -> list[FigureRow]:
    """The shares of the page, each with what is expected and the sign that it shows."""
    shown = {sign.figure: sign for sign in reversed(shown_signs(figures))}
    expected = {sign.figure: sign.expected for sign in SIGNS}
    return [
        FigureRow(label, getattr(figures, name), expected.get(name, ""), reference, shown.get(name))
        for name, label, reference in FIGURES
    ]


def page_by_judgment(request: HttpRequest, enrolment: Enrolment) -> Page:
    """A page of their answers, in the order in which they were given; `?after=` is how many come before."""
    rows = report.page_of_answers(enrolment)
    start = _start(request)
    answers = list(rows.order_by("received_at", "pk")[start : start + ANSWERS_A_PAGE + 1])
    more = start + ANSWERS_A_PAGE if len(answers) > ANSWERS_A_PAGE else None
    return Page([_answered(row) for row in answers[:ANSWERS_A_PAGE]], more, start == 0)


def _start(request: HttpRequest) -> int:
    after = request.GET.get("after", "")
    return int(after) if after.isdecimal() and len(after) < 7 else 0


def _answered(row: Judgment) -> Answered:
    timing = None if row.timing.get("imported") else derive_timing(row.timing)
    known = row.triplet.known and row.kind != Assignment.Kind.PAIR
    wrong = bool(known) and row.choice != row.triplet.known
    marks = [row.kind] if row.kind != Assignment.Kind.PAIR else []
    marks += ["warm-up"] * row.assignment.warm_up + ["undone"] * (not row.stands) + ["wrong"] * wrong
    flags = timing.flags if timing else ()
    marks += [flag.replace("_", " ") for flag in flags]
    marks += ["faster than possible"] * row.faster_than_possible
    outside = wrong or row.faster_than_possible or "fast" in flags
    took = timing.response_ms if timing else row.timing.get("ms")
    seconds = None if took is None else took / 1000
    return Answered(row, row.assignment, seconds, _views(timing), tuple(marks), outside)


def _views(timing: Timing | None) -> str:
    """What was looked at, and for how long; "" where that was not recorded."""
    if timing is None:
        return ""
    views = [f"{name} {ms / 1000:.1f} s" for name, ms in timing.dwell_ms.items()]
    views += [f"original held {timing.original_ms / 1000:.1f} s"] * bool(timing.original_ms)
    views += [f"zoomed {timing.zoomed_ms / 1000:.1f} s"] * bool(timing.zoomed_ms)
    return ", ".join(views)
