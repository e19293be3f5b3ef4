"""A study's own questions to an annotator: which are still open, and the answers, each stored once."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotation.core.questionnaire import (
    AFTER,
    BEFORE,
    Fault,
    Question,
    QuestionError,
    answers_to,
    load_questions,
    parse,
)
from annotation.errors import BadQuestionnaire
from annotation.models import Enrolment

# The steps at which the questions stand, by when they are put.
STEPS = {BEFORE: "questions", AFTER: "questions_after"}
MOMENTS = {step: when for when, step in STEPS.items()}


def checked_questionnaire(given: Any) -> list[dict[str, Any]]:
    """The questions as a study stores them. Raises BadQuestionnaire with everything that is wrong."""
    try:
        return [question.to_json() for question in parse(given)]
    except QuestionError as error:
        raise BadQuestionnaire(error.faults) from error


def questions_due(enrolment: Enrolment, when: str) -> list[Question]:
    """The questions of that moment that the annotator has still to see; none once their page was sent."""
    return [] if when in enrolment.questionnaire else load_questions(enrolment.study.questionnaire, when)


@transaction.atomic
def record_questionnaire(*, enrolment: Enrolment, when: str, given: Mapping[str, str]) -> dict[str, Fault]:
    """Keeps the answers to the questions of a moment, the first that are whole; returns what is wrong, by question.

    Nothing is kept while anything is wrong.
    """
    row = Enrolment.objects.select_for_update(of=("self",)).select_related("study").get(pk=enrolment.pk)
    due = questions_due(row, when)
    answers, faults = answers_to(due, given)
    if due and not faults:
        row.questionnaire[when] = {"at": timezone.now().isoformat(timespec="seconds"), "answers": answers}
        row.save(update_fields=["questionnaire"])
    enrolment.questionnaire = row.questionnaire
    return faults


def answered(enrolment: Enrolment, questions: Iterable[Question]) -> list[tuple[Question, Any]]:
    """Each question with the annotator's answer, None where there is none."""
    kept = enrolment.questionnaire
    return [(one, kept.get(one.when, {}).get("answers", {}).get(one.name)) for one in questions]
