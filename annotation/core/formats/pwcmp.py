"""The CSV of pwcmp (github.com/mantiuk/pwcmp): observer,session,scene,condition_A,condition_B,is_A_selected.

It names no files, so pictures are looked for beside it as `SCENE/CONDITION.png`, and the original as
`SCENE/reference.png`.
"""

from pathlib import Path

from annotation.core.formats.plain import Answer, Answers, AnswersError, Shown, read_rows
from psychometrics.conditions import note_on_names

COLUMNS = ("observer", "scene", "condition_A", "condition_B", "is_A_selected")
REFERENCE = "reference"
SUFFIX = ".png"
SELECTED = {"1": "a", "0": "b", "0.5": "tie"}


def read_pwcmp(path: Path) -> Answers:
    """Read a pwcmp CSV; is_A_selected is 1, 0, or 0.5 for a tie. Raises AnswersError."""
    answers = []
    for line, row in read_rows(path, COLUMNS):
        where = f"Line {line} of {path}"
        choice = SELECTED.get(row["is_A_selected"])
        if choice is None:
            raise AnswersError(
                f"{where} has is_A_selected {row['is_A_selected']!r}: use 1, 0, or 0.5 for a tie."
            )
        scene = _name(where, "scene", row["scene"])
        first, second = (_name(where, name, row[name]) for name in ("condition_A", "condition_B"))
        if first == second:
            raise AnswersError(f"{where} compares {first} with itself.")
        a, b = (Shown(f"{scene}/{name}{SUFFIX}", codec=name) for name in (first, second))
        answers.append(Answer(f"{scene}/{REFERENCE}{SUFFIX}", a, b, choice, line, annotator=row["observer"]))
    return Answers("pwcmp", answers, note_on_names(answer.annotator for answer in answers))


def _name(where: str, column: str, value: str) -> str:
    if not value or value.startswith(".") or set(value) & set("/\\\0"):
        raise AnswersError(f"{where}: {column} is {value!r}, which cannot be a file name.")
    return value
