"""Outside panels: who their links say has come, where people go back to, and who is done by both accounts."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.db.models import Count, Q

from annotation.core.protocol import Protocol
from annotation.errors import Refused
from annotation.models import Enrolment, Study

PANEL_NAMES = {"prolific": "Prolific", "mturk": "Mechanical Turk", "other": "the panel that invited you"}
# The parameter that names the person first, then what else is kept with the enrolment.
PARAMETERS = {
    "prolific": ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID"),
    "mturk": ("workerId", "assignmentId", "hitId"),
    "other": ("participant",),
}
MTURK_PREVIEW = "ASSIGNMENT_ID_NOT_AVAILABLE"
WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, slots=True)
class PanelEntry:
    """What a panel's link says: who comes, and what else. A preview is nobody yet."""

    panel: str
    external_id: str
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_preview(self) -> bool:
        """Whether a worker only looks at the task before accepting it."""
        return not self.external_id

    def as_parameters(self) -> dict[str, str]:
        """The parameters that the entry was read from."""
        return {PARAMETERS[self.panel][0]: self.external_id, **self.details}


def entry_of(panel: str, parameters: Mapping[str, Sequence[str]]) -> PanelEntry | None:
    """Who comes, by the parameters of the link; None where it names nobody. Refuses malformed ids."""
    if panel not in PARAMETERS:
        return None
    who, *more = PARAMETERS[panel]
    if panel == "mturk" and list(parameters.get("assignmentId", ())) == [MTURK_PREVIEW]:
        return PanelEntry(panel, "")
    if who not in parameters:
        return None
    said = {name: _one(name, parameters[name]) for name in (who, *more) if name in parameters}
    return PanelEntry(panel, said.pop(who), said)


def _one(name: str, values: Sequence[str]) -> str:
    if len(values) != 1 or not WELL_FORMED.fullmatch(values[0]):
        raise Refused(
            f"The link does not say who you are: its {name} is no id of a panel. Go back to the panel and open the "
            "study from there, or tell the person who set it up."
        )
    return values[0]


def way_back(address: str, code: str, panel: str) -> str:
    """The address that a person goes back to, with the code in its query; "" where the study has none."""
    if not address or not code or code in address:
        return address
    parts = urlsplit(address)
    query = [*parse_qsl(parts.query, keep_blank_values=True), ("cc" if panel == "prolific" else "code", code)]
    return urlunsplit(parts._replace(query=urlencode(query)))


# --- reconciliation ---

# How panels head the columns of their exports; compared without case, spaces and punctuation.
ID_COLUMNS = ("participantid", "prolificpid", "workerid", "participant", "externalid", "id")
STATUS_COLUMNS = ("status", "assignmentstatus")
CODE_COLUMNS = ("completioncode", "enteredcode", "answersurveycode", "answercode", "surveycode", "code")
# Words of panels for somebody who says that they are done, and for somebody who gave up.
DONE_WORDS = {"awaitingreview", "approved", "submitted", "completed", "complete", "done"}
GONE_WORDS = {"returned", "timedout", "rejected", "screenedout", "abandoned"}
MOST_ROWS = 20_000


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
    status, code = (said["status"], said["code"]) if said else ("not in the file", "")
    state, ours = _state_of(held)
    advice = _advice(rules, _claims_done(status, said), code, state)
    return Row(who, status or "in the file", code, ours, held["judgments"] if held else 0, advice, not advice)


def _claims_done(status: str, said: Mapping[str, str] | None) -> bool | None:
    """What the panel says: done, gone (None), or not there or still at it (False)."""
    word = re.sub(r"[^a-z]", "", status.lower())
    if word in GONE_WORDS:
        return None
    return said is not None and (word in DONE_WORDS or not word)


def _state_of(held: Mapping[str, Any] | None) -> tuple[str, str]:
    """How an enrolment stands, as a word and for people."""
    if held is None:
        return "unknown", "never came here"
    if held["screened_out_by"]:
        return "screened out", f"screened out by {held['screened_out_by'].replace('_', ' ')}"
    if held["finished_at"]:
        left_out = f", left out by {held['excluded_by']}" if held["excluded_by"] else ""
        return "finished", f"finished{left_out}"
    return "unfinished", "began and did not finish"


def _advice(rules: Protocol, done: bool | None, code: str, state: str) -> str:
    """What to do, "" where both sides agree."""
    if done is None or (not done and state in ("unfinished", "unknown")):
        return "They left the panel but finished here: consider paying them." if state == "finished" else ""
    if not done:
        return {
            "finished": "Finished here, and the panel does not say so: ask them to enter the completion code.",
        }.get(state, "")
    if state == "finished":
        wrong = code and rules.completion_code and code != rules.completion_code
        return "Finished here, and entered another code: pay them, and check the code." if wrong else ""
    if state == "screened out":
        paid = code and code == rules.screen_out_code
        return (
            ""
            if paid
            else "Screened out here: pay what you pay for that, or ask them to return the submission."
        )
    if state == "unfinished":
        return "Says to be done, and is not: ask them to open the link again and go on."
    return "Says to be done, and never came here under this id: ask before you pay or reject."
