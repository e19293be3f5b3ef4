"""Write a study's judgments as a BAPPS folder, the 2AFC layout that the `lpips` package's loader reads.

    {train,val,test}/{ref,p0,p1}/000000.png    {train,val,test}/judge/000000.npy
    triplets.csv    judgments.csv    answers.csv.gz    manifest.json

`judge` is the share of votes that prefer p1, a tie counting half. docs/formats.md describes every column.
Memory grows with the triplets but not with the judgments, which pass through one at a time.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from annotation.core.formats.answers import NAME as ANSWERS
from annotation.core.formats.answers import write_answers
from annotation.core.formats.manifest import SCHEMA
from annotation.core.formats.rows import ExportError, SnapshotRows, SourceRow, TripletRow
from annotation.core.formats.votes import Tally, check_votes, spool_judgments
from annotation.core.formats.zip import link_or_copy
from annotation.core.splits import SPLITS, assign_split
from imaging.files import file_sha256
from imaging.folders import atomic_folder
from imaging.manifest import write_manifest
from psychometrics.tables import TableWriter

_TRIPLET_NAMES = ("split", "index", "source", "photograph", "p0_sha256", "p1_sha256")
_TRIPLET_RATES = ("p0_codec", "p1_codec", "p0_level", "p1_level", "p0_bpp", "p1_bpp", "target_bpp", "kind")
TRIPLET_COLUMNS = (*_TRIPLET_NAMES, *_TRIPLET_RATES, "n", "n_p0", "n_p1", "n_tie")
_JUDGMENT_NAMES = ("judgment", "triplet_split", "triplet_index", "annotator", "choice", "side_of_p0")
JUDGMENT_COLUMNS = (
    *_JUDGMENT_NAMES,
    "simulated",
    "onset_ms",
    "answered_ms",
    "received_at",
    "px_per_mm",
    "zoom",
)
EXTRA_KEYS = {"study", "filters", "versions"}
FEWEST_PHOTOGRAPHS = 3
_PNG = b"\x89PNG\r\n\x1a\n"
# Triplets are written source by source, so a handful of images serves nearly every second look.
_IMAGES_KEPT = 16


@dataclass(frozen=True, slots=True)
class _Placed:
    """A judged triplet with its place in the folder."""

    row: TripletRow
    photograph: str
    split: str
    index: str
    votes: tuple[int, int, int]

    @property
    def judge(self) -> float:
        return (self.votes[1] + self.votes[2] / 2) / sum(self.votes)


def write_bapps(
    out: Path,
    rows: SnapshotRows,
    manifest_extra: Mapping[str, Any],
    *,
    open_image: Callable[[str], bytes],
    min_judgments: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Write the snapshot folder `out` and return its manifest; `out` appears whole or not at all.

    `manifest_extra` gives at least "study", "filters" and "versions" (plain JSON); `open_image` returns the
    PNG bytes of an image key; `progress(done, triplets)` is called after each triplet's images. Equal rows
    in equal order of judgments give equal bytes; the order of sources and triplets does not matter.
    Triplets without a judgment are excluded and counted. Raises ExportError, with what to do, when the
    judgments are too few or mix people with simulated annotators, or a split would be empty.
    """
    _check_extra(manifest_extra)
    sources = {source.sha256: source for source in rows.sources}
    triplets = _sorted_triplets(rows.triplets, sources)
    with atomic_folder(out) as draft:
        spool = draft / "judgments.spool"
        tally = spool_judgments(rows.judgments, triplets, spool)
        check_votes(tally, min_judgments)
        placed = _place(triplets, sources, tally)
        _check_splits(placed)
        _write_judgments(draft / "judgments.csv", spool, placed)
        spool.unlink()
        kept = [triplet for triplet in placed if triplet is not None]
        files = _write_images(draft, kept, open_image, progress)
        _write_triplets(draft / "triplets.csv", kept)
        answers = write_answers(draft / ANSWERS, rows.answers)
        for name in ("triplets.csv", "judgments.csv", ANSWERS):
            files[name] = file_sha256(draft / name)
        content = _describe(kept, sources, tally, len(triplets)) | dict(manifest_extra)
        content["counts"]["answers"] = answers
        return write_manifest(draft, SCHEMA, content, files)


def _check_extra(extra: Mapping[str, Any]) -> None:
    missing = EXTRA_KEYS - set(extra)
    taken = set(extra) & {"schema", "sha256", "simulated", "counts", "splits", "sources", "files"}
    if missing or taken:
        raise ValueError(f"manifest_extra lacks {sorted(missing)} and may not set {sorted(taken)}")


def _sorted_triplets(rows: Iterable[TripletRow], sources: Mapping[str, SourceRow]) -> list[TripletRow]:
    triplets = list(rows)
    for row in triplets:
        if row.source not in sources:
            raise ExportError(
                f"triplet {row.key} belongs to source {row.source}, which is not among the sources"
            )
        if row.p0_sha256 == row.p1_sha256:
            raise ExportError(
                f"triplet {row.key} shows the same pixels twice: exclude such checks from the export"
            )
    if len({row.key for row in triplets}) != len(triplets):
        raise ExportError("two triplets have the same key: give each triplet once")

    def place(row: TripletRow) -> tuple[str, str, float, str, str, str]:
        photograph = sources[row.source].photograph
        return photograph, row.source, row.target_bpp or 0.0, row.p0_sha256, row.p1_sha256, row.key

    return sorted(triplets, key=place)


def _place(
    triplets: list[TripletRow], sources: Mapping[str, SourceRow], tally: Tally
) -> list[_Placed | None]:
    """Give each judged triplet its split and its number there; None for a triplet that nobody judged."""
    used = dict.fromkeys(SPLITS, 0)
    placed: list[_Placed | None] = []
    for row, votes in zip(triplets, tally.votes.tolist(), strict=True):
        if not any(votes):
            placed.append(None)
            continue
        photograph = sources[row.source].photograph
        split = assign_split(photograph)
        placed.append(_Placed(row, photograph, split, f"{used[split]:06d}", (votes[0], votes[1], votes[2])))
        used[split] += 1
    return placed


def _check_splits(placed: list[_Placed | None]) -> None:
    photographs = {triplet.photograph: triplet.split for triplet in placed if triplet is not None}
    held = {split: sum(1 for other in photographs.values() if other == split) for split in SPLITS}
    if len(photographs) >= FEWEST_PHOTOGRAPHS and all(held.values()):
        return
    shares = ", ".join(f"{split} {count}" for split, count in held.items())
    raise ExportError(
        f"needs more photographs: the {len(photographs)} judged ones fall into {shares}, but each split "
        "needs one. A photograph's split follows from its pixels: add some and collect judgments on them"
    )


def _write_judgments(path: Path, spool: Path, placed: list[_Placed | None]) -> None:
    with (
        spool.open(newline="", encoding="utf-8") as parked,
        path.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = TableWriter(file, JUDGMENT_COLUMNS)
        for position, judgment, *rest in csv.reader(parked):
            triplet = placed[int(position)]
            if triplet is not None:
                writer.row((judgment, triplet.split, triplet.index, *rest))


def _write_triplets(path: Path, placed: list[_Placed]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        TableWriter(file, TRIPLET_COLUMNS).rows(
            _triplet_fields(triplet) for split in SPLITS for triplet in placed if triplet.split == split
        )


def _triplet_fields(triplet: _Placed) -> tuple[str | int | float, ...]:
    row = triplet.row
    names = (triplet.split, triplet.index, row.source, triplet.photograph, row.p0_sha256, row.p1_sha256)
    rates = (row.p0_level, row.p1_level, row.p0_bpp, row.p1_bpp, row.target_bpp)
    written = ("" if rate is None else repr(float(rate)) for rate in rates)
    return (*names, row.p0_codec, row.p1_codec, *written, row.kind, sum(triplet.votes), *triplet.votes)


def _write_images(
    draft: Path,
    placed: list[_Placed],
    open_image: Callable[[str], bytes],
    progress: Callable[[int, int], None] | None,
) -> dict[str, str]:

    @lru_cache(maxsize=_IMAGES_KEPT)
    def cached(key: str) -> tuple[bytes, str]:
        content = open_image(key)
        return content, hashlib.sha256(content).hexdigest()

    for split in SPLITS:
        for part in ("ref", "p0", "p1", "judge"):
            (draft / split / part).mkdir(parents=True)
    files: dict[str, str] = {}
    written: dict[str, Path] = {}
    for done, triplet in enumerate(placed, start=1):
        for name, content, sha256 in _contents(triplet, cached):
            files[name] = sha256
            # A picture that several triplets show is kept once, under several names.
            if sha256 in written:
                link_or_copy(written[sha256], draft / name)
            else:
                written[sha256] = draft / name
                written[sha256].write_bytes(content)
        if progress:
            progress(done, len(placed))
    return files


def _contents(
    triplet: _Placed, open_image: Callable[[str], tuple[bytes, str]]
) -> Iterator[tuple[str, bytes, str]]:
    """Name, content and sha256 of each of a triplet's files."""
    row = triplet.row
    for part, key in (("ref", row.ref_image), ("p0", row.p0_image), ("p1", row.p1_image)):
        content, sha256 = open_image(key)
        if not content.startswith(_PNG):
            raise ExportError(
                f"image {key} of triplet {row.key} is not a PNG file: store it again, then export"
            )
        yield f"{triplet.split}/{part}/{triplet.index}.png", content, sha256
    buffer = io.BytesIO()
    np.save(buffer, np.array([triplet.judge], dtype=np.float32), allow_pickle=False)
    judge = buffer.getvalue()
    yield f"{triplet.split}/judge/{triplet.index}.npy", judge, hashlib.sha256(judge).hexdigest()


def _describe(
    placed: list[_Placed], sources: Mapping[str, SourceRow], tally: Tally, offered: int
) -> dict[str, Any]:
    used = sorted({triplet.row.source for triplet in placed})
    return {
        "simulated": bool(tally.simulated),
        "counts": {
            "sources": len(used),
            "photographs": len({triplet.photograph for triplet in placed}),
            "triplets": len(placed),
            "triplets_without_judgments": offered - len(placed),
            "judgments": tally.judgments,
            "annotators": len(tally.annotators),
        },
        "splits": {split: _describe_split([t for t in placed if t.split == split]) for split in SPLITS},
        "sources": [_describe_source(sources[sha256]) for sha256 in used],
    }


def _describe_split(placed: list[_Placed]) -> dict[str, Any]:
    return {
        "photographs": sorted({triplet.photograph for triplet in placed}),
        "triplets": len(placed),
        "judgments": sum(sum(triplet.votes) for triplet in placed),
    }


def _describe_source(source: SourceRow) -> dict[str, str]:
    return {
        "sha256": source.sha256,
        "photograph": source.photograph,
        "split": assign_split(source.photograph),
        "name": source.name,
        "licence": source.licence,
        "attribution": source.attribution,
    }
