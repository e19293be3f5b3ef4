"""A study's own questions: which can be asked, and what an answer may be."""

from typing import Any

import pytest

from annotation.core.questionnaire import Fault, Question, QuestionError, answers_to, load_questions, parse

CHOICE = {"name": "glasses", "text": "Glasses?", "options": ["no", "yes"]}
NUMBER = {"name": "distance", "text": "Distance?", "kind": "number", "least": 10, "most": 200}


def test_what_is_stored_reads_back_equal() -> None:
    questions = parse(
        [
            CHOICE | {"required": True},
            NUMBER,
            {"name": "word", "text": "Say", "kind": "text", "when": "after"},
        ]
    )
    assert load_questions([one.to_json() for one in questions]) == questions
    assert [one.name for one in load_questions([one.to_json() for one in questions], "after")] == ["word"]


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        ({"name": "Glasses"}, "lower-case letters"),
        ({"name": ""}, "lower-case letters"),
        ({"text": " "}, "write its text"),
        ({"text": "x" * 301}, "write its text"),
        ({"when": "never"}, "before or after"),
        ({"kind": "date"}, "its kind"),
        ({"options": ["one"]}, "two options"),
        ({"options": ["one", "one"]}, "are equal"),
        ({"options": ["one", ""]}, "each option"),
        ({"options": 5}, "must be a list"),
        ({"kind": "text"}, "only a choice can have options"),
        ({"least": 1.0}, "only a number can have limits"),
        ({"required": "yes"}, "true or false"),
        ({"colour": 1}, "unknown key colour"),
    ],
)
def test_what_cannot_be_asked_is_named(wrong: dict[str, Any], part: str) -> None:
    with pytest.raises(QuestionError, match=part):
        parse([CHOICE | wrong])


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(QuestionError) as caught:
        parse([CHOICE | {"name": "A"}, NUMBER | {"least": 300}, "word"])
    assert [fault[:10] for fault in caught.value.faults] == ["Question 1", "Question 2", "Question 3"]
    with pytest.raises(QuestionError, match="Two questions have the name 'glasses'"):
        parse([CHOICE, CHOICE])
    with pytest.raises(QuestionError, match="at most 30"):
        parse([CHOICE | {"name": f"q{number}"} for number in range(31)])
    with pytest.raises(QuestionError, match="is a list"):
        parse("word")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("60", 60.0), (" 59,5 ", 59.5), ("10", 10.0), ("200", 200.0)],
)
def test_numbers_within_the_limits_are_kept(typed: str, kept: float) -> None:
    assert answers_to(parse([NUMBER]), {"distance": typed}) == ({"distance": kept}, {})


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("9.9", Fault("too_small", 10)),
        ("201", Fault("too_large", 200)),
        ("far", Fault("not_a_number")),
        ("nan", Fault("not_a_number")),
        ("inf", Fault("not_a_number")),
    ],
)
def test_other_numbers_are_not(typed: str, fault: Fault) -> None:
    assert answers_to(parse([NUMBER]), {"distance": typed}) == ({}, {"distance": fault})


def test_only_a_required_question_needs_an_answer() -> None:
    questions = [
        Question("a", "A?", options=("x", "y"), required=True),
        Question("b", "B?", options=("x", "y")),
    ]
    assert answers_to(questions, {}) == ({}, {"a": Fault("missing")})
    assert answers_to(questions, {"a": "x"}) == ({"a": "x"}, {})
    assert answers_to(questions, {"a": "z"}) == ({}, {"a": Fault("not_an_option")})


def test_a_text_has_an_end() -> None:
    (question,) = parse([{"name": "word", "text": "Say", "kind": "text"}])
    assert answers_to([question], {"word": "x" * 2000})[1] == {}
    assert answers_to([question], {"word": "x" * 2001})[1] == {"word": Fault("too_long", 2000)}
