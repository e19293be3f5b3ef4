"""Answers written to a CSV file, for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psychometrics.answer_formats import Row
from psychometrics.comparisons import FIRST, SECOND, TIE
from psychometrics.tables import TableWriter, Writer

CHOICES = {FIRST: "a", SECOND: "b", TIE: "tie", None: "skip"}
SELECTED = {FIRST: "1", SECOND: "0", TIE: "0.5"}


def write_plain(file: Writer, rows: Sequence[Row]) -> None:
    """`source,a,b,choice` and, where any row has them, annotator and ms, check and known: every row, checks and skipped
    pairs too.
    """
    named, timed = any(row.annotator for row in rows), any(row.ms is not None for row in rows)
    checked = any(row.check for row in rows)
    further = ["annotator"] * named + ["ms"] * timed + ["check", "known"] * checked
    table = TableWriter(file, ["source", "a", "b", "choice", *further])
    for row in rows:
        cells: list[Any] = [row.source, str(row.first), str(row.second), CHOICES[row.outcome]]
        cells += [row.annotator] * named
        cells += ["" if row.ms is None else f"{row.ms:.12g}"] * timed
        cells += [row.check, "" if row.known is None else CHOICES[row.known]] if checked else []
        table.row(cells)


def write_pwcmp(file: Writer, rows: Sequence[Row]) -> None:
    """The CSV of pwcmp (github.com/mantiuk/pwcmp), which has no place for checks and skipped pairs."""
    table = TableWriter(file, ["observer", "session", "scene", "condition_A", "condition_B", "is_A_selected"])
    for row in rows:
        if row.ranks and row.outcome is not None:
            table.row([row.annotator, 1, row.source, str(row.first), str(row.second), SELECTED[row.outcome]])


WRITERS = {"plain": write_plain, "pwcmp": write_pwcmp}
