"""The plain rows that a snapshot is written from: whoever holds the database makes them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from annotation.core.formats.answers import AnswerRow
from imaging.folders import FolderError

CHOICES = ("p0", "p1", "tie")
SIDES = ("left", "right")


class ExportError(FolderError):
    """This study cannot be exported in this way; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One source: `sha256` of its own pixels, `photograph` the sha256 of the photograph it was cut from."""

    sha256: str
    photograph: str
    name: str
    licence: str
    attribution: str


@dataclass(frozen=True, slots=True)
class TripletRow:
    """One triplet. `key` is the caller's name for it; the three images are keys for `open_image`.

    `source` is the source's sha256; `kind` comes from `pair_kind`; bpp are bits per pixel of the whole file, None
    where they are not known. `p0_codec` at `p0_level` is the condition of p0; `target_bpp` is the level of both, None
    across levels.
    """

    key: str
    source: str
    p0_sha256: str
    p1_sha256: str
    p0_codec: str
    p1_codec: str
    p0_level: float
    p1_level: float
    p0_bpp: float | None
    p1_bpp: float | None
    target_bpp: float | None
    kind: str
    ref_image: str
    p0_image: str
    p1_image: str


@dataclass(frozen=True, slots=True)
class JudgmentRow:
    """One judgment that counts as a vote. `triplet` is a TripletRow's key; times are ms since the page's time origin.

    `choice` is one of CHOICES, `side_of_p0` one of SIDES, `received_at` the server's aware timestamp, `px_per_mm` the
    device pixels of a millimetre of the screen, None where it was not measured, `zoom` the mean factor by which the
    pictures were enlarged, None where no events were recorded.
    """

    judgment: str
    triplet: str
    annotator: str
    choice: str
    side_of_p0: str
    simulated: bool
    onset_ms: float
    answered_ms: float
    received_at: datetime
    px_per_mm: float | None = None
    zoom: float | None = None


@dataclass(frozen=True, slots=True)
class SnapshotRows:
    """All that a snapshot holds. `judgments` are the votes; `answers` all answers, votes among them.

    Both may be generators: each is read once, one row at a time.
    """

    sources: Iterable[SourceRow]
    triplets: Iterable[TripletRow]
    judgments: Iterable[JudgmentRow]
    answers: Iterable[AnswerRow] = ()


def pair_kind(first: str, second: str) -> str:
    """Name the kind of a pair from its codecs' kinds, whichever comes first: "classical-learned"."""
    return "-".join(sorted((first, second)))
