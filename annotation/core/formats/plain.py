"""Answers that were given elsewhere: what every format is read into, and the plain CSV.

The plain CSV has the columns `source,a,b,choice`, and may have
`annotator,ms,a_codec,b_codec,a_bpp,b_bpp,kind,check,known`. `source`, `a` and `b` are paths of images relative to the
file; `choice` is `a`, `b` or `tie`, the CLOSER one, or `skip`; `check` is `trap`, with the right answer `a` or `b` in
`known`, or `identical`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from annotation.core.conditions import ORIGINAL_METHOD
from annotation.core.formats.names import is_inside
from psychometrics.answer_formats import CHECKS, IDENTICAL, MOST_MS, TRAP
from psychometrics.answers import UNPRINTABLE
from psychometrics.conditions import is_missing, note_on_names
from psychometrics.tables import Record, TableError, plain_number, read_records

SKIP = "skip"
CHOICES = ("a", "b", "tie", SKIP)
REQUIRED = ("source", "a", "b", "choice")
OPTIONAL = ("annotator", "ms", "a_codec", "b_codec", "a_bpp", "b_bpp", "kind", "check", "known")
UNKNOWN_KIND = "unknown-unknown"
# Bits of a file a pixel; more is a mistake of units.
MOST_BPP = 999.0


class AnswersError(ValueError):
    """A file of answers cannot be read as the format it should have; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One of the two pictures of an answer. `name`: its path, or the method that made it; `bpp`: bits of the
    file a pixel, None where unknown."""

    name: str
    codec: str = ""
    bpp: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One person's answer to one pair. `choice`: one of CHOICES, the CLOSER one. `line`: in its file.

    `check`: one of psychometrics.answer_formats.CHECKS; `known`: the right answer to a trap, "a" or "b".
    """

    source: str
    a: Shown
    b: Shown
    choice: str
    line: int
    annotator: str = ""
    ms: float | None = None
    kind: str = UNKNOWN_KIND
    check: str = ""
    known: str = ""

    @property
    def is_vote(self) -> bool:
        """Whether it is an answer to a pair: neither a check nor skipped."""
        return not self.check and self.choice != SKIP


@dataclass(frozen=True)
class Answers:
    """All that a file or folder holds. `notes`: what whoever reads it should know, its licence above all."""

    format: str
    answers: list[Answer]
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many were read."""
        return len(self.answers)

    def require_known(self) -> None:
        """Raises AnswersError, naming the line, for a trap without its right answer."""
        for answer in self.answers:
            if answer.check == TRAP and not answer.known:
                raise AnswersError(
                    f"Line {answer.line}: the right answer to this trap is not known. Write a or b in a column known."
                )

    def only_votes(self) -> "Answers":
        """Without checks and skipped answers, which a note counts."""
        votes = [answer for answer in self.answers if answer.is_vote]
        passed = self.rows - len(votes)
        note = f"{passed:,} checks and skipped answers are no votes: they were passed over."
        return Answers(self.format, votes, (*self.notes, note) if passed else self.notes)


def read_plain(path: Path, *, anywhere: bool = False) -> Answers:
    """Read the plain CSV. Raises AnswersError, naming the line, for a column, choice or number that is wrong.

    `anywhere`: pictures may lie outside of the file's folder, for a file of one's own on one's own machine.
    """
    rows = read_rows(path, REQUIRED, OPTIONAL)
    answers = [_answer(path, line, row, anywhere=anywhere) for line, row in rows]
    if not any(answer.is_vote for answer in answers):
        raise AnswersError(f"{path} has no votes: only checks and skipped answers.")
    return Answers("plain", answers, note_on_names(answer.annotator for answer in answers))


def read_rows(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> list[Record]:
    """Rows of a CSV with the number of their line, in any dialect of `psychometrics.tables`.

    Raises AnswersError for a file that cannot be read so, lacks a required column, or has no row.
    """
    try:
        rows = read_records(path, required, optional)
    except TableError as error:
        raise AnswersError(str(error)) from error
    if not rows:
        raise AnswersError(f"{path} has a header but no answers below it.")
    for line, row in rows:
        for name, cell in row.items():
            if unprintable := UNPRINTABLE.search(cell):
                code = f"U+{ord(unprintable[0]):04X}"
                raise AnswersError(
                    f"Line {line} of {path}: {name} contains a control character ({code}): remove it."
                )
    return rows


def _answer(path: Path, line: int, row: Mapping[str, str], *, anywhere: bool = False) -> Answer:
    where = f"Line {line} of {path}"
    choice = row["choice"].lower()
    if choice not in CHOICES:
        raise AnswersError(
            f"{where} has the choice {row['choice']!r}: use a, b (the closer one), tie or skip."
        )
    for name in ("source", "a", "b") if not anywhere else ():
        require_inside(where, name, row[name])
    check, known = _check(where, row)
    if row["a"] == row["b"] and check != IDENTICAL:
        raise AnswersError(f"{where} compares {row['a']} with itself.")
    shown = [
        Shown(row[side], row.get(f"{side}_codec", ""), number(where, f"{side}_bpp", row, most=MOST_BPP))
        for side in ("a", "b")
    ]
    ms = number(where, "ms", row, most=MOST_MS)
    kind = row.get("kind") or UNKNOWN_KIND
    who = row.get("annotator", "")
    return Answer(row["source"], shown[0], shown[1], choice, line, who, ms, kind, check, known)


def _check(where: str, row: Mapping[str, str]) -> tuple[str, str]:
    """The kind of check and, of a trap, its right answer: the column's, else the original on one side, else ""."""
    check, known = (
        "" if is_missing(cell) else cell.lower() for cell in (row.get("check", ""), row.get("known", ""))
    )
    if check not in CHECKS:
        raise AnswersError(
            f"{where} has the check {row['check']!r}: use {TRAP} or {IDENTICAL}, or leave it empty."
        )
    if check != TRAP:
        return check, ""
    originals = [
        side
        for side in ("a", "b")
        if row[side] in (row["source"], ORIGINAL_METHOD) or row.get(f"{side}_codec") == ORIGINAL_METHOD
    ]
    known = known or (originals[0] if len(originals) == 1 else "")
    if known and known not in ("a", "b"):
        raise AnswersError(f"{where} has the known answer {known!r}: use a or b.")
    return check, known


def require_inside(where: str, name: str, value: str) -> None:
    """Raise AnswersError unless the value is a path below the folder of the file."""
    if not is_inside(value):
        raise AnswersError(f"{where}: {name} is {value!r}; it must be a path inside the file's folder.")


def number(where: str, name: str, row: Mapping[str, str], most: float = math.inf) -> float | None:
    """A number from 0 to `most` in the column `name`, None where it has no value. Raises AnswersError."""
    text = row.get(name, "")
    if is_missing(text):
        return None
    try:
        value = plain_number(text)
    except ValueError as error:
        hint = " Write decimals with a point." if "," in text else ""
        raise AnswersError(f"{where}: {name} is {text!r}, not a number.{hint}") from error
    if not (math.isfinite(value) and 0 <= value <= most):
        raise AnswersError(f"{where}: {name} is {text}; it must be a number from 0 to {most:g}.")
    return value
