"""Reconciliation: who the panel says is done, and whom we hold as done, told apart person by person."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from annotation.core.protocol import Protocol
from annotation.errors import Refused
from annotation.models import Enrolment, Study

# How panels head the columns of their exports; compared without case, spaces and punctuation.
ID_COLUMNS = ("participantid", "prolificpid", "workerid", "participant", "externalid", "id")
STATUS_COLUMNS = ("status", "assignmentstatus")
CODE_COLUMNS = ("completioncode", "enteredcode", "answersurveycode", "answercode", "surveycode", "code")
# Words of panels for somebody who says that they are done, and for somebody who gave up.
DONE_WORDS = {"awaitingreview", "approved", "submitted", "completed", "complete", "done"}
GONE_WORDS = {"returned", "timedout", "rejected", "screenedout", "abandoned"}
MOST_ROWS = 20_000

# By what the panel says and what we hold; where both agree there is nothing to do.
ADVICE = {
    (
        "open",
        "finished",
    ): "Finished here, and the panel does not say so: ask them to enter the completion code.",
    ("gone", "finished"): "Gone at the panel, and finished here: consider paying them.",
    ("done", "screened out"): "Screened out here: pay what you pay for that, or ask them to return it.",
    ("done", "unfinished"): "Says to be done, and is not: ask them to open the link again and go on.",
    ("done", "unknown"): "Says to be done, and never came here under this id: ask before you pay or reject.",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One person as the panel and we know them. `agrees` is False where somebody should act."""

    external_id: str
    panel_says: str
    panel_code: str
    we_hold: str
    judgments: int
    advice: str
    agrees: bool


def read_export(text: str) -> list[dict[str, str]]:
    """The rows of a panel's CSV as {"id", "status", "code"}; a file of one column may do without a head.

    Refuses what has no column of ids.
    """
    lines = [
        line for line in csv.reader(io.StringIO(text.lstrip("\ufeff"))) if any(cell.strip() for cell in line)
    ]
    if not lines:
        raise Refused("The file is empty. Export the submissions from the panel as CSV and choose that file.")
    if len(lines) > MOST_ROWS:
        raise Refused(f"The file has {len(lines)} lines; at most {MOST_ROWS} can be compared at once.")
    head = [re.sub(r"[^a-z]", "", cell.lower()) for cell in lines[0]]
    at = _column(head, ID_COLUMNS)
    if at is None and len(head) == 1:
        return [{"id": line[0].strip(), "status": "", "code": ""} for line in lines]
    if at is None:
        raise Refused(
            "None of the file's columns is called “Participant id”, “WorkerId” or “participant”. "
            "Rename the column with the ids, or leave only that column."
        )
    status, code = _column(head, STATUS_COLUMNS), _column(head, CODE_COLUMNS)
    return [
        {"id": _cell(line, at), "status": _cell(line, status), "code": _cell(line, code)}
        for line in lines[1:]
        if _cell(line, at)
    ]


def _column(head: Sequence[str], names: Sequence[str]) -> int | None:
    return next((head.index(name) for name in names if name in head), None)


def _cell(line: Sequence[str], column: int | None) -> str:
    return line[column].strip()[:200] if column is not None and column < len(line) else ""


def reconcile(*, study: Study, export: Sequence[Mapping[str, str]]) -> list[Row]:
    """Everybody whom the panel or we know, those first with whom something is to be done."""
    held = _held(study)
    said = {row["id"]: row for row in export}
    rows = [_row(study.rules, who, said.get(who), held.get(who)) for who in {**said, **held}]
    return sorted(rows, key=lambda row: (row.agrees, row.external_id))


def _held(study: Study) -> dict[str, dict[str, Any]]:
    """By panel id: how the enrolment stands, and how many judgments there are."""
    rows = Enrolment.objects.filter(study=study).exclude(annotator__external_id="")
    judgments = Count("annotator__judgments", filter=Q(annotator__judgments__study=study))
    found = rows.annotate(judgments=judgments).values(
        "annotator__external_id", "finished_at", "screened_out_by", "excluded_by", "judgments"
    )
    return {row["annotator__external_id"]: row for row in found}


def _row(rules: Protocol, who: str, said: Mapping[str, str] | None, held: Mapping[str, Any] | None) -> Row:
    state, ours = _state_of(held)
    status, code = (said["status"] or "in the file", said["code"]) if said else ("not in the file", "")
    advice = _advice(rules, _claim(said), state, code)
    return Row(who, status, code, ours, held["judgments"] if held else 0, advice, agrees=not advice)


def _advice(rules: Protocol, claim: str, state: str, code: str) -> str:
    """What to do, "" where both sides agree; a code that was entered has to be the one that was shown."""
    if (claim, state) == ("done", "screened out") and code and code == rules.screen_out_code:
        return ""
    if (claim, state) == ("done", "finished") and code and rules.completion_code not in ("", code):
        return "Finished here, and entered another code: pay them, and check the code that they were shown."
    return ADVICE.get((claim, state), "")


def _claim(said: Mapping[str, str] | None) -> str:
    """What the panel says of somebody: "done", "gone", or "open" where they are still at it or not in the file."""
    if said is None:
        return "open"
    word = re.sub(r"[^a-z]", "", said["status"].lower())
    if word in GONE_WORDS:
        return "gone"
    return "done" if word in DONE_WORDS or not word else "open"


def _state_of(held: Mapping[str, Any] | None) -> tuple[str, str]:
    """How an enrolment stands, as a word and for people."""
    if held is None:
        return "unknown", "never came here"
    if held["screened_out_by"]:
        return "screened out", f"screened out by {held['screened_out_by'].replace('_', ' ')}"
    if held["finished_at"]:
        return "finished", f"finished, left out by {held['excluded_by']}" if held[
            "excluded_by"
        ] else "finished"
    return "unfinished", "began and did not finish"
