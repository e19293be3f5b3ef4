"""Why a row of a table is empty, in words for everybody who reads the table.

What a machine adds for its administrator (exceptions, addresses, folders) belongs into the log and not into a table
that is published.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

PENDING = "it is computed in a second step, which has not ended"
URL = re.compile(r"https?://\S+?(?=[\s,;)]|$)")
EXCEPTION = re.compile(r"\s*\([^()]*(?:Error|Exception|Errno|Timeout)\b[^()]*(?:\([^()]*\)[^()]*)*\)")
RAISED = re.compile(r"\b\w+(?:Error|Exception)\b(?::\s*)?")
PATH = re.compile(r"(?<![\w/])(?:~|/(?=[\w.-]+/))[\w.~/+@-]*/([\w.+@-]+)")


def plain(reason: str) -> str:
    """The reason without exceptions and addresses, and with files by their names alone."""
    words = EXCEPTION.sub("", reason)
    words = URL.sub("its host", words)
    words = RAISED.sub("", words)
    words = PATH.sub(r"\1", words)
    return " ".join(words.split()).strip(" :;") or "it failed"


def without_pending(evaluation: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """The evaluation whose pending rows will not be computed, with the reason."""
    pending = evaluation.get("pending", ())
    rows = [row | {"reason": reason} if row["key"] in pending else row for row in evaluation["rows"]]
    return dict(evaluation) | {"rows": rows, "pending": []}
