"""What people answered to a study's own questions, added up: the table that a paper reports of its participants.

People whose answers to the pairs count, one population at a time. What they wrote in their own words is counted, and
stays with them.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from annotation.core.questionnaire import CHOICE, NUMBER, Question, load_questions
from annotation.models import Study

COLUMNS = ("question", "text", "when", "answer", "people")
NO_ANSWER = "no answer"


@dataclass(frozen=True)
class Summary:
    """One question. `counts`: (answer, people), the options in their order, at last those without an answer.

    `middle`, `lowest`, `highest` of a number; None for other questions, and without an answer.
    """

    question: Question
    counts: tuple[tuple[str, int], ...]
    middle: float | None = None
    lowest: float | None = None
    highest: float | None = None


def summaries(study: Study, *, simulated: bool = False) -> list[Summary]:
    """Each question of the study, over everybody who saw it and whose answers count."""
    people = study.enrolments.filter(annotator__simulated=simulated, excluded_by="")
    kept = list(people.exclude(questionnaire={}).values_list("questionnaire", flat=True))
    return [
        _summary(one, [row[one.when]["answers"].get(one.name) for row in kept if one.when in row])
        for one in load_questions(study.questionnaire)
    ]


def _summary(question: Question, answers: list[str | float | None]) -> Summary:
    given = [answer for answer in answers if answer is not None]
    without = (NO_ANSWER, len(answers) - len(given))
    if question.kind == CHOICE:
        counted = Counter(given)
        return Summary(question, (*((option, counted[option]) for option in question.options), without))
    if question.kind != NUMBER:
        return Summary(question, (("in their own words", len(given)), without))
    numbers = [float(answer) for answer in given]
    ends = (median(numbers), min(numbers), max(numbers)) if numbers else (None, None, None)
    return Summary(question, (("a number", len(given)), without), *ends)


def rows(study: Study, *, simulated: bool = False) -> Iterator[tuple[str, str, str, str, float]]:
    """The same as rows of COLUMNS; of a number also its median, lowest and highest, in the place of people."""
    for one in summaries(study, simulated=simulated):
        question = one.question
        for answer, count in one.counts:
            yield question.name, question.text, question.when, answer, count
        for label, value in (("median", one.middle), ("lowest", one.lowest), ("highest", one.highest)):
            if value is not None:
                yield question.name, question.text, question.when, label, value
