"""Answers written to a CSV file, for other programs."""

from __future__ import annotations

from typing import Any

from psychometrics.answers import Answers
from psychometrics.tables import TableWriter, Writer

CHOICES = ("a", "b", "tie")


def write_plain(file: Writer, answers: Answers) -> None:
    """`source,a,b,choice` and, where known, annotator and ms."""
    named, timed = answers.annotator is not None, answers.ms is not None
    head = ["source", "a", "b", "choice", *(["annotator"] if named else []), *(["ms"] if timed else [])]
    table = TableWriter(file, head)
    for n in range(answers.outcome.size):
        cells: list[Any] = [_source(answers, n), *_sides(answers, n), CHOICES[answers.outcome[n]]]
        if answers.annotator is not None:
            cells.append(answers.annotators[answers.annotator[n]])
        if answers.ms is not None:
            cells.append(f"{answers.ms[n]:.12g}")
        table.row(cells)


def write_pwcmp(file: Writer, answers: Answers) -> None:
    """The CSV of pwcmp (github.com/mantiuk/pwcmp)."""
    table = TableWriter(file, ["observer", "session", "scene", "condition_A", "condition_B", "is_A_selected"])
    for n in range(answers.outcome.size):
        annotator = "" if answers.annotator is None else answers.annotators[answers.annotator[n]]
        selected = ("1", "0", "0.5")[answers.outcome[n]]
        table.row([annotator, 1, _source(answers, n), *_sides(answers, n), selected])


WRITERS = {"plain": write_plain, "pwcmp": write_pwcmp}


def _source(answers: Answers, n: int) -> str:
    return answers.sources[int(answers.source[n])]


def _sides(answers: Answers, n: int) -> tuple[str, str]:
    return str(answers.conditions[answers.first[n]]), str(answers.conditions[answers.second[n]])
