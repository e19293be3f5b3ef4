"""The rows of a sweep as results.csv and results.parquet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from codecs_zoo.sweep.plan import Row
from imaging.files import write_atomic
from psychometrics.tables import to_text

COLUMNS = {
    "photograph": "string", "sha256": "string", "width": "int32", "height": "int32", "codec": "string",
    "version": "string", "target_bpp": "float64", "reason": "string", "operating_point": "string",
    "bpp": "float64", "payload_bpp": "float64", "file_bytes": "int64", "payload_bytes": "int64",
    "reached": "bool_", "encodes": "int32", "encode_ms": "float64", "decode_ms": "float64",
    "tuned_on": "string",
}  # fmt: skip
"""Name to pyarrow type of every column; one float64 column for each quality figure follows them. `tuned_on` names,
between spaces, the figures that the row's codec was tuned on: they say little about it."""


def record(row: Row, figure_names: Sequence[str]) -> dict[str, Any]:
    """The row as one flat line; the operating point as JSON, empty where the row failed."""
    values: dict[str, Any] = {name: getattr(row, name) for name in COLUMNS}
    point = row.operating_point
    values["tuned_on"] = " ".join(row.tuned_on)
    values["operating_point"] = json.dumps(point, sort_keys=True) if point else ""
    return values | {name: row.figures.get(name) for name in figure_names}


def write_csv(path: Path, rows: Sequence[Row], figure_names: Sequence[str]) -> None:
    """UTF-8, one line a row, an empty field for what is not known."""
    head = [*COLUMNS, *figure_names]
    records = (record(row, figure_names) for row in rows)
    text = to_text(head, ([line[name] for name in head] for line in records))
    write_atomic(path, text.encode())


def write_parquet(path: Path, rows: Sequence[Row], figure_names: Sequence[str]) -> None:
    """The same columns with their types, null for what is not known."""
    pyarrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    fields = [(name, getattr(pyarrow, kind)()) for name, kind in COLUMNS.items()]
    schema = pyarrow.schema(fields + [(name, pyarrow.float64()) for name in figure_names])
    table = pyarrow.Table.from_pylist([record(row, figure_names) for row in rows], schema=schema)
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(table, sink)
    write_atomic(path, sink.getvalue().to_pybytes())
