"""A study's own questions as annotators see them: one page before the first pair, one after the last."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from annotation.core.questionnaire import AFTER, BEFORE, CHOICE, Fault, Question
from annotation.models import Enrolment, Session
from annotation.services.arrival import arrival_steps, make_ready, next_step
from annotation.services.questionnaires import MOMENTS, STEPS, questions_due, record_questionnaire

# More options than this are a list to open, not a row of buttons.
MOST_BUTTONS = 8


@dataclass(frozen=True)
class QuestionField:
    """A question on the page, with what was typed and what is wrong with it."""

    question: Question
    typed: str
    fault: str

    @property
    def id(self) -> str:
        """Of its field."""
        return f"question-{self.question.name}"

    @property
    def as_buttons(self) -> bool:
        """Whether its options stand on the page one by one."""
        return self.question.kind == CHOICE and len(self.question.options) <= MOST_BUTTONS


def fault_in_words(fault: Fault) -> str:
    """What is wrong with an answer, as the annotator reads it."""
    limit = f"{fault.limit:g}" if fault.limit is not None else ""
    words: Mapping[str, str] = {
        "missing": _("Please answer this question: it is required."),
        "not_an_option": _("Please choose one of the answers."),
        "not_a_number": _("Please enter a number, such as 60."),
        "too_small": _("The smallest allowed number is %(limit)s.") % {"limit": limit},
        "too_large": _("The largest allowed number is %(limit)s.") % {"limit": limit},
        "too_long": _("Please use at most %(limit)s characters.") % {"limit": limit},
    }
    return words[fault.code]


def questionnaire_page(
    request: HttpRequest,
    enrolment: Enrolment,
    when: str,
    *,
    faults: Mapping[str, Fault] | None = None,
    action: str = "",
    preview: bool = False,
) -> HttpResponse:
    """The questions of a moment; with `faults`, what is wrong beside what was typed, as a 400.

    They are sent to `action`, or where people's answers go.
    """
    study, step = enrolment.study, STEPS[when]
    steps = arrival_steps(study)
    typed = request.POST if faults else {}
    fields = [
        QuestionField(
            one,
            typed.get(one.name, ""),
            fault_in_words(faults[one.name]) if faults and one.name in faults else "",
        )
        for one in questions_due(enrolment, when)
    ]
    context = {
        "study": study,
        "rules": study.rules,
        "title": _("Some questions") if when == BEFORE else _("Final questions"),
        "step": step,
        "number": steps.index(step) + 1 if step in steps else 0,
        "steps": len(steps),
        "after": when == AFTER,
        "fields": fields,
        "wrong": [one for one in fields if one.fault],
        "action": action or reverse("judge-step", args=[study.key, step]),
        "preview": preview,
        "annotator_number": enrolment.annotator_id.hex[:8] if enrolment.annotator_id else "",
    }
    return render(request, "annotation/arrival/questions.html", context, status=400 if faults else 200)


def take_questions(
    request: HttpRequest, enrolment: Enrolment, session: Session | None, step: str
) -> HttpResponse:
    """Keeps the answers of one page of questions, or shows the page again with what is wrong.

    `session`: the one that waits for its answers; None at the end, when nobody judges any more.
    """
    when = MOMENTS[step]
    if when == BEFORE and (session is None or next_step(enrolment, session) != step):
        return redirect("judge", enrolment.study.key)
    if faults := record_questionnaire(enrolment=enrolment, when=when, given=request.POST):
        return questionnaire_page(request, enrolment, when, faults=faults)
    if session is not None:
        make_ready(enrolment, session)
    return redirect("judge" if when == BEFORE else "judge-end", enrolment.study.key)
