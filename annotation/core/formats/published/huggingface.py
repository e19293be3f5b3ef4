"""A snapshot as a folder for Hugging Face: `datasets.load_dataset(FOLDER)` reads its pairs with their pictures.

    README.md                       the dataset card
    croissant.json                  the same for programs (MLCommons Croissant 1.0)
    data/SPLIT/metadata.jsonl       a pair a line: ref_file_name, p0_file_name, p1_file_name, votes, conditions
    data/SPLIT/pictures/SHA.png     each picture once
    answers.parquet  judgments.parquet  sources.parquet  snapshot.json

Split are train, validation and test, by photograph. `datasets` makes columns of pictures of ref, p0 and p1.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, Any

from annotation.core.formats.answers import COLUMNS as ANSWER_COLUMNS
from annotation.core.formats.bapps import JUDGMENT_COLUMNS
from annotation.core.formats.published.card import card
from annotation.core.formats.published.croissant import croissant
from annotation.core.formats.published.reading import SnapshotFiles, rows_of
from annotation.core.formats.published.tables import SOURCE_COLUMNS, sources_of, write_parquet
from imaging.files import to_json

SPLITS = {"train": "train", "val": "validation", "test": "test"}
PARTS = ("ref", "p0", "p1")
_PIECE = 1 << 20


@dataclass
class _Spooled:
    """A file that is written before others are, for its hash stands in croissant.json."""

    name: str
    file: IO[bytes]

    @property
    def sha256(self) -> str:
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
        return digest.hexdigest()

    def pieces(self) -> Iterator[bytes]:
        self.file.seek(0)
        while piece := self.file.read(_PIECE):
            yield piece


def hugging_face(files: SnapshotFiles, manifest: Mapping[str, Any]) -> Iterator[tuple[str, Iterable[bytes]]]:
    """The folder's files. Memory grows with the pictures' names, not with pictures or answers."""
    pictures: dict[str, str] = {}
    with ExitStack() as stack:

        def spool(name: str) -> _Spooled:
            return _Spooled(name, stack.enter_context(tempfile.TemporaryFile()))

        pairs = {split: spool(f"data/{name}/metadata.jsonl") for split, name in SPLITS.items()}
        tables = {table: spool(f"{table}.parquet") for table in ("judgments", "answers", "sources")}
        _write_pairs(files, manifest, pairs, pictures)
        write_parquet(tables["judgments"].file, rows_of(files, "judgments"), JUDGMENT_COLUMNS)
        write_parquet(tables["answers"].file, rows_of(files, "answers"), ANSWER_COLUMNS)
        write_parquet(tables["sources"].file, sources_of(manifest), SOURCE_COLUMNS)
        spooled = [*pairs.values(), *tables.values()]
        hashes = {one.name: one.sha256 for one in spooled}
        yield "README.md", (card(manifest).encode(),)
        yield "croissant.json", (to_json(croissant(manifest, hashes)),)
        yield "snapshot.json", (to_json(manifest),)
        for one in spooled:
            yield one.name, one.pieces()
        for name, kept in sorted(pictures.items()):
            yield name, _pieces(files, kept)


def _write_pairs(
    files: SnapshotFiles,
    manifest: Mapping[str, Any],
    spools: Mapping[str, _Spooled],
    pictures: dict[str, str],
) -> None:
    """metadata.jsonl of each split; `pictures` gets the name of each picture, and a file of the snapshot with it."""
    for row in rows_of(files, "triplets"):
        line: dict[str, Any] = {}
        for part in PARTS:
            kept = f"{row['split']}/{part}/{row['index']}.png"
            # A picture is known by what its file holds: the snapshot has it under the name of each of its triplets.
            name = f"pictures/{manifest['files'][kept]}.png"
            pictures.setdefault(f"data/{SPLITS[row['split']]}/{name}", kept)
            line[f"{part}_file_name"] = name
        line |= {column: value for column, value in row.items() if column != "split"}
        line["judge"] = (row["n_p1"] + row["n_tie"] / 2) / row["n"]
        written = json.dumps(line, ensure_ascii=False, allow_nan=False)
        spools[row["split"]].file.write(f"{written}\n".encode())


def _pieces(files: SnapshotFiles, name: str) -> Iterator[bytes]:
    with files.open(name) as file:
        while piece := file.read(_PIECE):
            yield piece
