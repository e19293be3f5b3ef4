"""Count a stream of judgments and buffer it on disk, so that a million of them are never in memory."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

import numpy as np

from annotation.core.formats.rows import CHOICES, SIDES, ExportError, JudgmentRow, TripletRow


@dataclass(slots=True)
class Tally:
    """Totals collected while the judgments stream by; `votes[i]` counts p0, p1, tie of the i-th triplet."""

    votes: np.ndarray[tuple[int, int], np.dtype[np.int64]]
    annotators: set[str] = field(default_factory=set)
    simulated: bool | None = None

    @property
    def judgments(self) -> int:
        return int(self.votes.sum())


def spool_judgments(judgments: Iterable[JudgmentRow], triplets: list[TripletRow], spool: Path) -> Tally:
    """Count the votes and park the rows on disk: a triplet's index is known only after the last judgment."""
    positions = {row.key: position for position, row in enumerate(triplets)}
    tally = Tally(np.zeros((len(triplets), len(CHOICES)), dtype=np.int64))
    with spool.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        for judgment in judgments:
            position = positions.get(judgment.triplet)
            if position is None:
                raise ExportError(
                    f"judgment {judgment.judgment} is about triplet {judgment.triplet}, which is not exported"
                )
            _count(judgment, position, tally)
            writer.writerow((position, *_fields(judgment)))
    return tally


def _count(judgment: JudgmentRow, position: int, tally: Tally) -> None:
    if judgment.choice not in CHOICES or judgment.side_of_p0 not in SIDES:
        raise ExportError(
            f"judgment {judgment.judgment} has choice {judgment.choice!r} and side_of_p0 "
            f"{judgment.side_of_p0!r}: they must be one of {CHOICES} and one of {SIDES}"
        )
    if tally.simulated is None:
        tally.simulated = judgment.simulated
    if tally.simulated != judgment.simulated:
        raise ExportError(
            "people's judgments and simulated ones are mixed: "
            "export the people's study and the simulated study separately"
        )
    tally.votes[position, CHOICES.index(judgment.choice)] += 1
    tally.annotators.add(judgment.annotator)


def _fields(judgment: JudgmentRow) -> tuple[str, ...]:
    if judgment.received_at.tzinfo is None:
        raise ValueError(f"judgment {judgment.judgment}: received_at needs a time zone")
    return (
        judgment.judgment,
        judgment.annotator,
        judgment.choice,
        judgment.side_of_p0,
        "true" if judgment.simulated else "false",
        repr(float(judgment.onset_ms)),
        repr(float(judgment.answered_ms)),
        judgment.received_at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "" if judgment.px_per_mm is None else repr(float(judgment.px_per_mm)),
        "" if judgment.zoom is None else f"{judgment.zoom:.6g}",
    )


def check_votes(tally: Tally, min_judgments: int) -> None:
    if tally.judgments == 0:
        raise ExportError("there are no judgments to export: collect some first, or loosen the filters")
    if tally.judgments < min_judgments:
        raise ExportError(
            f"there are {tally.judgments} judgments, but at least {min_judgments} are required: collect "
            f"more, loosen the filters, or require fewer"
        )
