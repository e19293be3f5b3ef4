"""The tables of a snapshot as Parquet and as JSON Lines, with its sources and manifest."""

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import IO, Any

from annotation.core.formats.answers import COLUMNS as ANSWER_COLUMNS
from annotation.core.formats.published.reading import KINDS, ROWS_AT_ONCE, TABLES, SnapshotFiles, rows_of
from imaging.files import to_json

Files = Iterator[tuple[str, Iterable[bytes]]]
Row = dict[str, Any]
SOURCE_COLUMNS = ("sha256", "photograph", "split", "name", "licence", "attribution")
_PIECE = 1 << 20


def parquet(files: SnapshotFiles, manifest: Mapping[str, Any]) -> Files:
    """triplets, judgments, answers and sources as Parquet files, beside the snapshot's manifest."""
    yield from _tables(files, manifest, "parquet", parquet_pieces)


def json_lines(files: SnapshotFiles, manifest: Mapping[str, Any]) -> Files:
    """The same as JSON Lines; the timing of an answer is an object, not a text."""
    yield from _tables(files, manifest, "jsonl", _json_pieces)


def _tables(
    files: SnapshotFiles,
    manifest: Mapping[str, Any],
    ending: str,
    write: Callable[[Iterable[Row], Sequence[str]], Iterator[bytes]],
) -> Files:
    yield "snapshot.json", (to_json(manifest),)
    yield f"sources.{ending}", write(sources_of(manifest), SOURCE_COLUMNS)
    for table, (name, columns) in TABLES.items():
        if name in files.names():
            yield f"{table}.{ending}", write(rows_of(files, table), columns)


def sources_of(manifest: Mapping[str, Any]) -> Iterator[Row]:
    """The photographs, each with its attribution."""
    for source in manifest["sources"]:
        yield {column: source.get(column, "") for column in SOURCE_COLUMNS}


def parquet_pieces(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[bytes]:
    """The bytes of a Parquet file, some rows at a time; it is written to disk first, whatever its size."""
    with tempfile.TemporaryFile() as file:
        write_parquet(file, rows, columns)
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece


def write_parquet(file: IO[bytes], rows: Iterable[Row], columns: Sequence[str]) -> None:
    """Writes the rows, in groups that fit into memory."""
    import pyarrow
    from pyarrow import parquet as arrow_parquet

    kinds = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64(), bool: pyarrow.bool_()}
    schema = pyarrow.schema([(column, kinds[KINDS.get(column, str)]) for column in columns])
    with arrow_parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        rest = iter(rows)
        while batch := list(islice(rest, ROWS_AT_ONCE)):
            writer.write_table(pyarrow.Table.from_pylist(batch, schema=schema))


def _json_pieces(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[bytes]:
    for row in rows:
        if columns == ANSWER_COLUMNS and row["timing"]:
            row |= {"timing": json.loads(row["timing"])}
        yield f"{json.dumps(row, ensure_ascii=False, allow_nan=False)}\n".encode()
