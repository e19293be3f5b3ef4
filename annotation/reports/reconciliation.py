"""Reconciliation: who is done by the panel's records and by ours, compared person by person."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from annotation.core.protocol import Protocol
from annotation.errors import Refused
from annotation.models import Enrolment, Study
from psychometrics.tables import Table, TableError, parse_table

# How panels head the columns of their exports; compared without case, spaces and punctuation.
ID_COLUMNS = ("participantid", "prolificpid", "workerid", "participant", "externalid", "id")
STATUS_COLUMNS = ("status", "assignmentstatus")
CODE_COLUMNS = ("completioncode", "enteredcode", "answersurveycode", "answercode", "surveycode", "code")
# Words of panels for somebody who says that they are done, and for somebody who gave up.
DONE_WORDS = {"awaitingreview", "approved", "submitted", "completed", "complete", "done"}
WITHDRAWN = {"returned", "timedout", "rejected", "screenedout", "abandoned"}
# Of those who are gone, whose place at the panel is free again by their own doing, or for want of time.
RETURNED_WORDS = {"returned", "timedout", "abandoned"}
MOST_ROWS = 20_000
LONGEST_ID = 200
# A number in powers of ten was an id until a spreadsheet opened the file. Spreadsheets write the sign of the power; a
# hexadecimal id such as 5e1234567890123456789012 has none.
ROUNDED = re.compile(r"[+-]?\d[.,]?\d*E\+\d+", re.IGNORECASE)
# Blanks and marks that cannot be seen, around an id; and ="A1", by which panels keep spreadsheets from rounding.
_AROUND = "\u00a0\u200b\u200c\u200d\u2060\ufeff "
_IN_FORMULA = re.compile(r'="(.*)"')
# What panels and spreadsheets write where there is no id, or where the person took it back.
NO_IDS = {"", "na", "nan", "null", "none", "undefined", "consentrevoked", "dataexpired"}

# By what the panel says and what we hold; where both agree there is nothing to do.
ADVICE = {
    ("open", "finished"): "Finished here, not at the panel: ask them to enter the completion code.",
    ("gone", "finished"): "Left the panel, but finished here: consider paying them.",
    (
        "done",
        "screened out",
    ): "Screened out here: pay your screen-out amount, or ask them to return the submission.",
    (
        "done",
        "returned",
    ): "Done at the panel, returned here: undo the return on the panel’s card, or ask them.",
    (
        "done",
        "unfinished",
    ): "Done at the panel, unfinished here: ask them to open the link again and continue.",
    (
        "done",
        "unknown",
    ): "Done at the panel, but this id is unknown here: ask before you pay or reject.",
}


@dataclass(frozen=True, slots=True)
class Submission:
    """One row of a panel's export. Without such a column `status` is None and `code` ""."""

    external_id: str
    status: str | None = None
    code: str = ""

    @property
    def claim(self) -> str:
        """What the panel says of the person: "done", "gone", or "open" while they are still at it.

        Done where the export has no states, for it lists those who are; open where the cell of the state is empty.
        """
        if self.status is None:
            return "done"
        word = _letters(self.status)
        if word in WITHDRAWN:
            return "gone"
        return "done" if word in DONE_WORDS else "open"


@dataclass(frozen=True, slots=True)
class Export:
    """A panel's list. `without_id`: rows whose id is missing, rounded, or a word such as CONSENT_REVOKED."""

    submissions: list[Submission]
    without_id: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One submission of a person as the panel and we know them. `agrees` is False where somebody should act."""

    external_id: str
    panel_says: str
    panel_code: str
    we_hold: str
    judgments: int
    advice: str
    agrees: bool


def read_export(content: bytes, name: str) -> Export:
    """The rows of a panel's CSV; a file of one column may do without a head.

    Refuses what cannot be read or has no column of ids, in words that call the file `name`.
    """
    try:
        table = parse_table(content, name)
    except TableError as error:
        raise Refused(
            f"{error} Export the submissions from the panel as CSV and choose that file."
        ) from error
    if len(table.rows) > MOST_ROWS:
        raise Refused(f"The file has {len(table.rows)} rows; at most {MOST_ROWS} can be compared at once.")
    rows = _submissions(table)
    for row in rows:
        if len(row.external_id) > LONGEST_ID:
            raise Refused(
                f"“{name}” has an id of {len(row.external_id)} characters. Is a closing quote missing in the file?"
            )
    usable = [row for row in rows if _is_id(row.external_id)]
    return Export(usable, len(rows) - len(usable))


def _submissions(table: Table) -> list[Submission]:
    head = [_letters(cell) for cell in table.head]
    at = _column(head, ID_COLUMNS)
    if at is None and len(head) == 1:
        return [Submission(_id(cell)) for cell in (table.head[0], *(cells[0] for _, cells in table.rows))]
    if at is None:
        raise Refused(
            "None of the file's columns is called “Participant id”, “WorkerId” or “participant”. "
            "Rename the column with the ids, or leave only that column."
        )
    status, code = _column(head, STATUS_COLUMNS), _column(head, CODE_COLUMNS)
    return [
        Submission(
            _id(cells[at]),
            None if status is None else cells[status].strip(),
            "" if code is None else cells[code],
        )
        for _, cells in table.rows
    ]


def _is_id(text: str) -> bool:
    return _letters(text, digits=True) not in NO_IDS and not ROUNDED.fullmatch(text)


def _id(cell: str) -> str:
    """The id as the panel has it, without what programs put around it."""
    return _IN_FORMULA.sub(r"\1", cell.strip(_AROUND)).strip(_AROUND)


def _letters(text: str, *, digits: bool = False) -> str:
    """The text in lower case without spaces and punctuation, by which heads, states and words are compared."""
    return re.sub(r"[\W_]" if digits else r"[^a-z]", "", text.lower())


def _column(head: Sequence[str], names: Sequence[str]) -> int | None:
    name = next((name for name in names if name in head), None)
    if name is None:
        return None
    if head.count(name) > 1:
        raise Refused(f"Two columns of the file are called “{name}”. Rename or remove one of them.")
    return head.index(name)


def reconcile(*, study: Study, export: Export) -> list[Row]:
    """One row for each submission known to the panel or to us; those that need an action come first."""
    held = _held(study)
    by_person: dict[str, list[Submission]] = defaultdict(list)
    for submission in export.submissions:
        by_person[submission.external_id].append(submission)
    people = {**by_person, **held}
    rows = [row for who in people for row in _rows(study.rules, who, by_person[who], held.get(who))]
    return sorted(rows, key=lambda row: (row.agrees, row.external_id))


def unrecorded_submissions(*, study: Study, export: Export) -> list[str]:
    """Ids of people who came here, have not finished, and gave their place back at the panel with every submission.

    Those who are recorded as returned already, or were screened out, are not among them.
    """
    claims: dict[str, set[str]] = defaultdict(set)
    for one in export.submissions:
        left = _letters(one.status or "") in RETURNED_WORDS
        claims[one.external_id].add("returned" if left else one.claim)
    waiting = study.enrolments.filter(returned_at=None, finished_at=None, screened_out_by="")
    here = set(waiting.values_list("annotator__external_id", flat=True))
    return [who for who, output in claims.items() if output == {"returned"} and who in here]


def _held(study: Study) -> dict[str, dict[str, Any]]:
    """By panel id: how the enrolment stands, and how many judgments there are. Nobody pays a test participant."""
    people = Enrolment.objects.filter(study=study, annotator__simulated=False)
    rows = people.exclude(annotator__external_id="")
    judgments = Count("annotator__judgments", filter=Q(annotator__judgments__study=study))
    enrolments = rows.annotate(judgments=judgments).values(
        "annotator__external_id", "finished_at", "returned_at", "screened_out_by", "excluded_by", "judgments"
    )
    return {row["annotator__external_id"]: dict(row) for row in enrolments}


def _rows(
    rules: Protocol, who: str, submissions: Sequence[Submission], held: Mapping[str, Any] | None
) -> list[Row]:
    """A person's rows, one where the panel does not name them; the advice follows from all of them together."""
    state, ours = _enrolment_state(held)
    advice = _advice(rules, submissions, state)
    judgments = held["judgments"] if held else 0
    if not submissions:
        return [Row(who, "not in the file", "", ours, judgments, advice, agrees=not advice)]
    return [
        Row(who, _words(one.status), one.code, ours, judgments, advice, agrees=not advice)
        for one in submissions
    ]


def _words(status: str | None) -> str:
    return "in the file" if status is None else status or "no status"


def _advice(rules: Protocol, submissions: Sequence[Submission], state: str) -> str:
    """What to do, "" where both sides agree. One submission that is done outweighs others that are not."""
    claims = [one.claim for one in submissions]
    done = [one for one in submissions if one.claim == "done"]
    if len(done) > 1:
        listed = f"Listed {len(done)} times as done in the file"
        if state == "unknown":
            return f"{listed}, but this id is unknown here: ask before you pay or reject."
        return f"{listed}: pay once, and check the submissions at the panel."
    if done:
        return _advice_when_done(rules, done[0].code, state)
    return ADVICE.get(("gone" if claims and "open" not in claims else "open", state), "")


def _advice_when_done(rules: Protocol, code: str, state: str) -> str:
    """A code that was entered has to be the one that was shown."""
    if state == "screened out" and code and code == rules.screen_out_code:
        return ""
    if state == "finished" and code and rules.completion_code not in ("", code):
        return "Finished here, but entered another code: pay them, and check the code that they were shown."
    return ADVICE.get(("done", state), "")


def _enrolment_state(held: Mapping[str, Any] | None) -> tuple[str, str]:
    """How an enrolment stands, as a word and for people."""
    if held is None:
        return "unknown", "unknown here"
    if held["returned_at"]:
        return "returned", "returned"
    if held["screened_out_by"]:
        return "screened out", f"screened out by {held['screened_out_by'].replace('_', ' ')}"
    if held["finished_at"]:
        excluded = held["excluded_by"]
        return "finished", f"finished, excluded by {excluded}" if excluded else "finished"
    return "unfinished", "began and did not finish"
