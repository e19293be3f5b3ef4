"""answers.csv.gz of a snapshot: every answer as it was given, those that count as votes and those that do not.

`triplets.csv` and `judgments.csv` hold the votes alone; this file holds what they were chosen from, checks and
training included, with the raw timing, so that another rule can be applied later. Rows pass through one at a time.
"""

import gzip
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psychometrics.tables import TableWriter, stream

NAME = "answers.csv.gz"
_SHOWN = ("source", "left_sha256", "right_sha256", "left_codec", "right_codec")
_LEVELS = ("left_level", "right_level", "target_bpp", "known")
_GIVEN = ("annotator", "simulated", "kind", "answer", "counted", "stands", "supersedes", "excluded_by")
COLUMNS = (
    "judgment",
    "assignment",
    "repeats",
    *_GIVEN,
    *_SHOWN,
    *_LEVELS,
    "layout",
    "language",
    "received_at",
    "timing",
)


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One answer. `answer` is "left", "right" or "tie"; `known` the side that is known to be closer, or "".

    `kind` is "pair", "warm_up", "sentinel", "identical", "repeat", "golden" or "training"; `repeats` the
    assignment that it repeats; `supersedes` the judgment that this one replaced; `excluded_by` the rule that
    excludes the annotator. It is a vote where `counted` is true and `excluded_by` empty. `language` is that of
    the session's pages, "" where it was not recorded; `timing` is the record of the browser.
    """

    judgment: str
    assignment: str
    repeats: str
    annotator: str
    simulated: bool
    kind: str
    answer: str
    counted: bool
    stands: bool
    supersedes: str
    excluded_by: str
    source: str
    left_sha256: str
    right_sha256: str
    left_codec: str
    right_codec: str
    left_level: float
    right_level: float
    target_bpp: float | None
    known: str
    layout: str
    language: str
    received_at: datetime
    timing: dict[str, Any]


def write_answers(path: Path, answers: Iterable[AnswerRow]) -> int:
    """Write the file and return how many rows it has; equal rows in equal order give equal bytes."""
    number = 0
    with path.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
        text = io.TextIOWrapper(packed, encoding="utf-8", newline="")
        writer = TableWriter(text, COLUMNS)
        for number, answer in enumerate(answers, start=1):  # noqa: B007
            writer.row([_field(getattr(answer, column)) for column in COLUMNS])
        text.flush()
        text.detach()
    return number


def answer_lines(answers: Iterable[AnswerRow]) -> Iterable[str]:
    """The same rows as the lines of a plain CSV file, for what is streamed."""
    return stream(COLUMNS, ([_field(getattr(answer, column)) for column in COLUMNS] for answer in answers))


def _field(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds")
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else str(value)
