"""A study's own questions, before the first pair and after the last: which questions and answers are valid.

A question is plain JSON in the study and in its file:

    name      the name of its answer in exports: small letters, digits and _, such as "viewing_distance"
    text      what people read
    when      "before" (the last step of arrival) or "after" (before the thanks and the completion code)
    kind      "choice" (one of `options`), "number" (from `least` to `most`, where given), "text" (a few lines)
    required  whether one can continue without an answer
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from math import isfinite
from typing import Any

BEFORE, AFTER = WHEN = ("before", "after")
CHOICE, NUMBER, TEXT = KINDS = ("choice", "number", "text")
MOST_QUESTIONS = 30
MOST_OPTIONS = 30
LONGEST_QUESTION = 300
LONGEST_OPTION = 100
LONGEST_TEXT = 2000
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

Value = str | float


class QuestionError(ValueError):
    """Invalid questions; `faults` has a message for each fault."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a study."""

    name: str
    text: str
    when: str = BEFORE
    kind: str = CHOICE
    options: tuple[str, ...] = ()
    required: bool = False
    least: float | None = None
    most: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The stored form: only the keys that the question has."""
        stored = asdict(self) | {"options": list(self.options)}
        return {key: value for key, value in stored.items() if value not in ([], None)}


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an answer was not taken: "missing", "not_an_option", "not_a_number", "too_small", "too_large", "too_long".

    `limit`: the bound that was broken.
    """

    code: str
    limit: float | None = None


def load_questions(stored: Iterable[Mapping[str, Any]], when: str = "") -> list[Question]:
    """The questions as `to_json` stored them, those of one moment where `when` says so."""
    rows = [Question(**{**row, "options": tuple(row.get("options", ()))}) for row in stored]
    return [row for row in rows if when in ("", row.when)]


def parse(rows: Any) -> list[Question]:
    """The researcher's questions, validated. Raises QuestionError with everything that is wrong."""
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise QuestionError(["A questionnaire is a list of questions."])
    faults, questions = [], []
    for number, row in enumerate(rows, start=1):
        try:
            questions.append(_question(row))
        except QuestionError as error:
            faults += [f"Question {number}: {fault}" for fault in error.faults]
    if len(rows) > MOST_QUESTIONS:
        faults.append(f"A questionnaire has at most {MOST_QUESTIONS} questions, not {len(rows)}.")
    names = [one.name for one in questions]
    faults += [
        f"Two questions have the name {name!r}." for name in sorted({n for n in names if names.count(n) > 1})
    ]
    if faults:
        raise QuestionError(faults)
    return questions


def _question(row: Any) -> Question:
    known = {one.name for one in fields(Question)}
    if not isinstance(row, Mapping):
        raise QuestionError(["it is not a table of values."])
    if unknown := sorted(set(row) - known):
        raise QuestionError([f"unknown key {', '.join(unknown)}."])
    try:
        options = tuple(row.get("options", ()))
        question = Question(**{"name": "", "text": "", **row, "options": options})
    except TypeError as error:
        raise QuestionError(["its options must be a list."]) from error
    if faults := list(_faults(question)):
        raise QuestionError(faults)
    return question


def _faults(one: Question) -> Iterable[str]:
    if not isinstance(one.name, str) or not NAME.fullmatch(one.name):
        yield "its name must consist of at most 40 lower-case letters, digits and _, beginning with a letter."
    if not isinstance(one.text, str) or not 0 < len(one.text.strip()) <= LONGEST_QUESTION:
        yield f"write its text, in at most {LONGEST_QUESTION} characters."
    if one.when not in WHEN:
        yield f"when must be before or after, not {one.when!r}."
    if one.kind not in KINDS:
        yield f"its kind must be one of {', '.join(KINDS)}, not {one.kind!r}."
    required: object = one.required
    if not isinstance(required, bool):
        yield "required must be true or false."
    yield from _faults_of_options(one)
    yield from _faults_of_limits(one)


def _faults_of_options(one: Question) -> Iterable[str]:
    words = [option for option in one.options if isinstance(option, str) and option.strip()]
    if one.kind == CHOICE and len(words) < 2:
        yield "a choice needs at least two options."
    if one.kind != CHOICE and one.options:
        yield "only a choice can have options."
    if len(words) != len(one.options) or any(len(word) > LONGEST_OPTION for word in words):
        yield f"each option must be a text of at most {LONGEST_OPTION} characters."
    if len(set(words)) < len(words):
        yield "two of its options are equal."
    if len(words) > MOST_OPTIONS:
        yield f"it can have at most {MOST_OPTIONS} options."


def _faults_of_limits(one: Question) -> Iterable[str]:
    limits: list[Any] = [limit for limit in (one.least, one.most) if limit is not None]
    if not all(map(_is_number, limits)):
        yield "its limits must be numbers."
    elif limits and one.kind != NUMBER:
        yield "only a number can have limits."
    elif one.least is not None and one.most is not None and one.least > one.most:
        yield f"its smallest number, {one.least:g}, is over its largest, {one.most:g}."


def _is_number(limit: object) -> bool:
    return isinstance(limit, int | float) and not isinstance(limit, bool)


def answers_to(
    questions: Iterable[Question], form: Mapping[str, str]
) -> tuple[dict[str, Value], dict[str, Fault]]:
    """The answers by the question's name, those without one left off; and what is wrong, by name."""
    answers: dict[str, Value] = {}
    faults: dict[str, Fault] = {}
    for question in questions:
        words = form.get(question.name, "").strip()
        if not words:
            if question.required:
                faults[question.name] = Fault("missing")
            continue
        answer = _answer(question, words)
        if isinstance(answer, Fault):
            faults[question.name] = answer
        else:
            answers[question.name] = answer
    return answers, faults


def _answer(question: Question, words: str) -> Value | Fault:
    if question.kind == CHOICE:
        return words if words in question.options else Fault("not_an_option")
    if question.kind == TEXT:
        return words if len(words) <= LONGEST_TEXT else Fault("too_long", LONGEST_TEXT)
    try:
        # In many languages a comma stands before the decimals.
        number = float(words.replace(",", "."))
    except ValueError:
        return Fault("not_a_number")
    if not isfinite(number):
        return Fault("not_a_number")
    if question.least is not None and number < question.least:
        return Fault("too_small", question.least)
    if question.most is not None and number > question.most:
        return Fault("too_large", question.most)
    return number
