"""A small invented study, as rows, for the tests of formats."""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

from annotation.core.formats.rows import JudgmentRow, SnapshotRows, SourceRow, TripletRow
from annotation.core.splits import SPLITS, assign_split

EXTRA = {"study": {"name": "grapes"}, "filters": {}, "versions": {"closer": "0.1.0"}}
RECEIVED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def sha(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def photographs_in(split: str, number: int) -> list[str]:
    """The first `number` invented photographs that fall into `split`."""
    result = (sha(f"photograph {i}") for i in count())
    hits = (photograph for photograph in result if assign_split(photograph) == split)
    return [next(hits) for _ in range(number)]


def make_png(key: str, width: int = 4, height: int = 3) -> bytes:
    """A valid PNG of one colour that follows from `key`."""
    colour = hashlib.sha256(key.encode()).digest()[:3]
    lines = (b"\x00" + colour * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def make_source(photograph: str) -> SourceRow:
    return SourceRow(
        sha(f"crop of {photograph}"), photograph, f"Photograph {photograph[:4]}", "CC0-1.0", "Ada"
    )


def make_triplet(
    source: SourceRow, first: str = "jpeg", second: str = "webp", bpp: float = 0.37
) -> TripletRow:
    key = f"{source.sha256[:8]}-{first}-{second}-{bpp}"
    return TripletRow(
        key=key,
        source=source.sha256,
        p0_sha256=sha(f"{key} 0"),
        p1_sha256=sha(f"{key} 1"),
        p0_codec=first,
        p1_codec=second,
        p0_level=bpp,
        p1_level=bpp,
        p0_bpp=bpp * 1.01,
        p1_bpp=bpp * 0.99,
        target_bpp=bpp,
        kind="classical-classical",
        ref_image=f"ref {source.sha256}",
        p0_image=f"{key} 0",
        p1_image=f"{key} 1",
    )


def make_judgment(triplet: TripletRow, number: int, choice: str, *, simulated: bool = False) -> JudgmentRow:
    return JudgmentRow(
        judgment=f"{triplet.key}#{number}",
        triplet=triplet.key,
        annotator=f"annotator {number}",
        choice=choice,
        side_of_p0="left" if number % 2 else "right",
        simulated=simulated,
        onset_ms=1000.0 + number,
        answered_ms=3500.25 + number,
        received_at=RECEIVED,
    )


def make_rows(votes: str = "p0 p1 p1 tie", *, per_split: int = 2, simulated: bool = False) -> SnapshotRows:
    """Rows of `per_split` photographs in each split, two triplets each, all with the same `votes`."""
    photographs = [photograph for split in SPLITS for photograph in photographs_in(split, per_split)]
    sources = [make_source(photograph) for photograph in photographs]
    triplets = [make_triplet(source, bpp=bpp) for source in sources for bpp in (0.37, 1.0)]
    return SnapshotRows(sources, triplets, _judgments(triplets, votes.split(), simulated))


def _judgments(triplets: list[TripletRow], choices: list[str], simulated: bool) -> Iterator[JudgmentRow]:
    for triplet in triplets:
        for number, choice in enumerate(choices):
            yield make_judgment(triplet, number, choice, simulated=simulated)
