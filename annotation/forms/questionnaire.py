"""The form in which a researcher writes a study's own questions: a block for each, and an empty one at the end."""

import re
from typing import Any

from django import forms
from django.forms import BaseFormSet, formset_factory
from django.http import QueryDict
from django.utils.text import slugify

from annotation.core.questionnaire import (
    AFTER,
    BEFORE,
    CHOICE,
    LONGEST_QUESTION,
    MOST_QUESTIONS,
    NUMBER,
    TEXT,
    Question,
    load_questions,
)

WHEN = [(BEFORE, "Before the first pair"), (AFTER, "After the last pair")]
KINDS = [(CHOICE, "Choice: one of several answers"), (NUMBER, "Number"), (TEXT, "Text")]
# What most studies of picture quality report of their participants.
USUAL = (
    Question(
        "age",
        "How old are you?",
        options=("18–29", "30–39", "40–49", "50–59", "60 or over", "rather not say"),
    ),
    Question(
        "glasses", "Do you wear glasses or contact lenses now?", options=("no", "glasses", "contact lenses")
    ),
    Question(
        "screen", "What are you looking at?", options=("laptop", "monitor on a desk", "television", "other")
    ),
    Question(
        "viewing_distance", "How far are your eyes from the screen, in cm?", kind=NUMBER, least=10, most=500
    ),
    Question("light", "How bright is the room?", options=("dark", "dim", "like an office", "daylight")),
    Question("comments", "Is there anything that we should know?", when=AFTER, kind=TEXT),
)


class QuestionForm(forms.Form):
    """One question."""

    text = forms.CharField(label="Question", max_length=LONGEST_QUESTION)
    when = forms.ChoiceField(label="When", choices=WHEN, initial=BEFORE)
    kind = forms.ChoiceField(label="Kind", choices=KINDS, initial=CHOICE)
    options = forms.CharField(
        label="Answers to choose from",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="For a choice: one per line, at least two.",
    )
    least = forms.FloatField(label="Smallest number", required=False)
    most = forms.FloatField(label="Largest number", required=False)
    required = forms.BooleanField(label="An answer is required", required=False)
    name = forms.CharField(
        label="Name in exports",
        required=False,
        max_length=40,
        help_text="Lower-case letters, digits and _. Empty: derived from the question.",
    )

    def question(self) -> dict[str, Any]:
        """What was typed as a study stores it; whether it can be asked is for the service to say."""
        typed = self.cleaned_data
        row: dict[str, Any] = {"name": typed["name"] or name_of(typed["text"]), "required": typed["required"]}
        row |= {field: typed[field] for field in ("text", "when", "kind")}
        if typed["kind"] == CHOICE:
            row["options"] = [line.strip() for line in typed["options"].splitlines() if line.strip()]
        if typed["kind"] == NUMBER:
            row |= {limit: typed[limit] for limit in ("least", "most") if typed[limit] is not None}
        return row


QuestionFormSet = formset_factory(
    QuestionForm,
    extra=1,
    can_delete=True,
    can_order=True,
    max_num=MOST_QUESTIONS,
    absolute_max=2 * MOST_QUESTIONS,
)


def name_of(text: str) -> str:
    """A name for exports made of a question's words: its first three long ones."""
    words = [word for word in slugify(text).split("-") if len(word) > 2][:3]
    name = re.sub(r"[^a-z0-9_]", "", "_".join(words))[:40]
    return name if name[:1].isalpha() else f"question_{name}".strip("_")[:40]


def question_formset(
    stored: list[dict[str, Any]], sent: QueryDict | None = None
) -> "BaseFormSet[QuestionForm]":
    """The form with the study's questions, or with what was sent."""
    initial = [_typed(question) for question in load_questions(stored)]
    return QuestionFormSet(sent, initial=initial, prefix="q")


def with_usual(stored: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The questions with those that most studies put and this one does not, yet."""
    names = {row["name"] for row in stored}
    return stored + [one.to_json() for one in USUAL if one.name not in names]


def questions_in(formset: "BaseFormSet[QuestionForm]") -> list[dict[str, Any]]:
    """The questions that a valid form holds, in their order, without those to be removed."""
    kept = [form for form in formset.ordered_forms if form not in formset.deleted_forms]
    return [form.question() for form in kept]


def _typed(question: Question) -> dict[str, Any]:
    row = question.to_json()
    return row | {"options": "\n".join(question.options)}
