"""The judgments of a snapshot one by one, for fits that ask who gave them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from metric.core.snapshot.folder import Snapshot, SnapshotError
from psychometrics.comparisons import Floats, Ints
from psychometrics.tables import TableError, read_records

COLUMNS = ("annotator", "triplet_split", "triplet_index", "choice", "side_of_p0")
WORTH = {"p0": 0.0, "p1": 1.0, "tie": 0.5}


@dataclass(frozen=True)
class SingleAnswers:
    """V single answers, each array (V,): the place of the triplet, `p1` 1 for p1, 0 for p0, ½ for a tie, and the number
    of the annotator, from 0. `side`: 0 where p0 was on the left, 1 on the right; None where sides are not kept apart.
    """

    triplet: Ints
    p1: Floats
    annotator: Ints
    side: Ints | None = None

    @property
    def annotators(self) -> int:
        """How many people answered."""
        return int(self.annotator.max(initial=-1)) + 1


def read_split_answers(
    snapshot: Snapshot, split: str, *, by_side: bool = False
) -> tuple[SingleAnswers, tuple[str, ...]]:
    """The answers on a split's triplets, in their order, and the annotators' names.

    `by_side`: keep apart where p0 was shown. Raises SnapshotError for a snapshot that does not say who answered.
    """
    place = {triplet.place: number for number, triplet in enumerate(snapshot.of(split))}
    path = snapshot.folder / "judgments.csv"
    try:
        records = read_records(path, COLUMNS)
    except TableError as error:
        raise SnapshotError(f"{error} If annotators were not recorded, train without reliability.") from error
    # A photograph may have been moved to another split since the file was written.
    rows = [row for _, row in records if _place(row) in place]
    names = tuple(sorted({row["annotator"] for row in rows}))
    number = {name: n for n, name in enumerate(names)}
    answers = SingleAnswers(
        triplet=np.array([place[_place(row)] for row in rows], dtype=np.int64),
        p1=np.array([WORTH[row["choice"]] for row in rows]),
        annotator=np.array([number[row["annotator"]] for row in rows], dtype=np.int64),
        side=np.array([row["side_of_p0"] == "right" for row in rows], dtype=np.int64) if by_side else None,
    )
    return answers, names


def _place(row: Mapping[str, str]) -> str:
    return f"{row['triplet_split']}/{row['triplet_index']}"
