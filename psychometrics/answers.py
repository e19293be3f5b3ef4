"""People's choices read from a CSV file: who preferred which condition of which source. No pixels, no database.

A condition is a method at a level (`METHOD@LEVEL`), a method alone, or `original`. The format follows from the header:

- plain: `source,a,b,choice[,annotator,ms,level,check,known]`, choice `a`, `b` or `tie`, the closer one, or `skip`;
  `level` is that of both; `check` is `trap`, with the right answer in `known`, or `identical`;
- pwcmp: `observer,session,scene,condition_A,condition_B,is_A_selected`;
- AIC-3: the responses of JPEG-AI-SDR25 and similar sets, left and right against the original in the middle;
- CIQA: `ref_id,jpg1,jpg2,q1,q2,jpg2_pref`, the share of 32 people who preferred the second JPEG;
- mucped23: `methodA,methodB,originalName,answerValue`, which names the worse one.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from psychometrics.answer_formats import FORMATS, IDENTICAL, TRAP, Reading, Row
from psychometrics.comparisons import Comparisons, Floats, Ints, number_labels
from psychometrics.conditions import THE_ORIGINAL, AnswersError, ComparedMethod, note_on_names
from psychometrics.tables import Table, TableError, read_table

# Unreadable lines that a message names besides the first.
MOST_LINES = 10
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What acts on a terminal or turns text around: in a name it is a mistake, or meant to deceive."""


@dataclass(frozen=True)
class Answers:
    """m answers by column: `first`, `second` (m,) number `conditions`, `outcome` is 0, 1 or 2 for a tie.

    `annotator` is None where nobody was named, `ms` where no time was. `notes` say what was skipped and what was
    assumed.
    """

    format: str
    conditions: tuple[ComparedMethod, ...]
    first: Ints
    second: Ints
    outcome: Ints
    sources: tuple[str, ...]
    source: Ints
    annotators: tuple[str, ...] = ()
    annotator: Ints | None = None
    ms: Floats | None = None
    notes: tuple[str, ...] = ()

    @property
    def comparisons(self) -> Comparisons:
        """The same as rows of counts."""
        columns = (self.first, self.second, self.outcome, self.annotator, self.source)
        return Comparisons.of_choices(self.conditions, *columns)


@dataclass(frozen=True)
class AnswerRows:
    """Every row of a file with its line: answers to pairs, to checks, and those that were skipped."""

    name: str
    format: str
    rows: tuple[tuple[int, Row], ...]
    notes: tuple[str, ...] = ()


def read_answers(path: Path) -> Answers:
    """Read a CSV of answers in any known format. Raises AnswersError, naming the line, for what can't be read.

    Checks and skipped answers do not enter the ranking: they are counted in a note.
    """
    return ranking_answers(read_answer_rows(path))


def ranking_answers(read: AnswerRows) -> Answers:
    """The answers to pairs by column. Raises AnswersError where there are none."""
    ranking = [row for _, row in read.rows if row.ranks]
    if not ranking:
        raise AnswersError(f"{read.name} holds only checks and skipped answers, which rank nothing.")
    return _columns(read.format, ranking, (*read.notes, *_excluded(read)))


def read_answer_rows(path: Path) -> AnswerRows:
    """Read all rows of a CSV of answers in any known format. Raises AnswersError, naming the line."""
    try:
        table = read_table(path)
        if name := format_of(set(table.head)):
            format = FORMATS[name]
            return _collected(name, table, format.read(table.records(format.required, format.optional)))
    except TableError as error:
        raise AnswersError(str(error)) from error
    known = "; ".join(f"{name}: {', '.join(format.required)}" for name, format in FORMATS.items())
    raise AnswersError(
        f"{path} is not in a known format: its header has the columns "
        f"{', '.join(filter(None, table.head))}. Known formats: {known}."
    )


def format_of(columns: set[str]) -> str | None:
    """The first format whose required columns are all there; None for a head of no known format."""
    return next((name for name, format in FORMATS.items() if set(format.required) <= columns), None)


def _collected(format: str, table: Table, reading: Reading) -> AnswerRows:
    rows, wrong, first = [], [], ""
    for line, record in reading.records:
        try:
            row = reading.row({name: _one_form(cell) for name, cell in record.items()})
            _check(row)
        except AnswersError as error:
            wrong.append(line)
            first = first or str(error).rstrip(".")
            continue
        rows.append((line, row))
    if wrong:
        raise AnswersError(f"Line {wrong[0]} of {table.name}: {first}.{_further(wrong[1:])}")
    if not rows:
        raise AnswersError(f"{table.name} has a header but no answers below it.")
    notes = (*reading.notes, *note_on_names(row.annotator for _, row in rows))
    return AnswerRows(table.name, format, tuple(rows), notes)


def _further(lines: list[int]) -> str:
    """How many more lines cannot be read, and which; "" where there are none."""
    if not lines:
        return ""
    if len(lines) == 1:
        return f" Line {lines[0]} cannot be read either."
    which = ", ".join(map(str, lines[:MOST_LINES])) + (", …" if len(lines) > MOST_LINES else "")
    return f" {len(lines):,} more lines cannot be read: {which}."


def _excluded(read: AnswerRows) -> list[str]:
    """Rows that do not enter the ranking, counted."""
    traps, identical = (sum(row.check == check for _, row in read.rows) for check in (TRAP, IDENTICAL))
    skipped = sum(not row.check and row.outcome is None for _, row in read.rows)
    notes = []
    if traps or identical:
        notes.append(
            f"{traps:,} answers to traps and {identical:,} to identical pairs are checks and do not enter "
            f"the ranking."
        )
    if skipped:
        notes.append(f"{skipped:,} pairs were skipped, which ranks nothing.")
    return notes


def _check(row: Row) -> None:
    if not row.source:
        raise AnswersError("the source is empty: give the name of the photograph")
    if not row.first.method or not row.second.method:
        raise AnswersError("a condition is empty: give the name of what was compared")
    for name in (row.source, row.first.method, row.second.method, row.annotator):
        if unprintable := UNPRINTABLE.search(name):
            raise AnswersError(
                f"{name!a} contains a control character (U+{ord(unprintable[0]):04X}): remove it"
            )
    if row.first == row.second and row.check != IDENTICAL:
        raise AnswersError(f"it compares {row.first} with itself")
    if row.first != row.second and row.check == IDENTICAL:
        raise AnswersError(f"it is marked as identical, and compares {row.first} with {row.second}")


def _one_form(name: str) -> str:
    """A name in one Unicode form: what looks the same, as names of files from several systems do, is the same."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def _columns(format: str, rows: list[Row], notes: tuple[str, ...]) -> Answers:
    named = {row.first for row in rows} | {row.second for row in rows}
    conditions = tuple(sorted(named, key=_order))
    place = {one: n for n, one in enumerate(conditions)}
    sources, source = number_labels([row.source for row in rows])
    annotators, annotator = number_labels([row.annotator for row in rows])
    recorded = annotators != ("",)
    if recorded and "" in annotators:
        notes = (
            *notes,
            "Some answers have no annotator: they are treated as answers by one additional person.",
        )
    times = [row.ms for row in rows]
    return Answers(
        format=format,
        conditions=conditions,
        first=np.array([place[row.first] for row in rows], dtype=np.int64),
        second=np.array([place[row.second] for row in rows], dtype=np.int64),
        outcome=np.array([row.outcome for row in rows], dtype=np.int64),
        sources=tuple(map(str, sources)),
        source=source,
        annotators=tuple(map(str, annotators)) if recorded else (),
        annotator=annotator if recorded else None,
        ms=None if None in times else np.array(times, dtype=np.float64),
        notes=notes,
    )


def _order(one: ComparedMethod) -> tuple[bool, str, float]:
    """The original first, then by method and level."""
    return one != THE_ORIGINAL, one.method, -1.0 if one.level is None else one.level
