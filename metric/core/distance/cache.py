"""A store of small float32 vectors under content keys: what was computed once is never computed again.

One SQLite file in the folder, read through a memory map, because a file per vector made its creation the
slowest part of a first training run. Several processes may share it. Each vector carries its own sha256: a
damaged one is reported in the log and counts as missing; when the whole file is damaged, it is put aside, and
an empty one takes its place.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

Vector = NDArray[np.float32]
Result = TypeVar("Result")

DEFAULT_BYTES = 2_000_000_000
WAIT_SECONDS = 60
NAME = "vectors.sqlite3"
# SQLite takes no more than 999 parameters on old builds.
KEYS_TOGETHER = 500
# Pages are read from a memory map, up to this far into the file; another process's writes are seen all the same.
MAPPED_BYTES = 2**31 - 1
# What SQLite says of its surroundings rather than of the file.
NO_DAMAGE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
    }
)


def content_key(*parts: str) -> str:
    """A key for an entry that depends on all the parts, in this order."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class VectorCache:
    """Vectors on disk, at most `maximum_bytes` of them after `trim`. One object serves one thread."""

    def __init__(self, folder: Path, maximum_bytes: int = DEFAULT_BYTES) -> None:
        self.path = folder / NAME
        self.maximum_bytes = maximum_bytes
        self._connection: sqlite3.Connection | None = None
        self._opened = 0

    def get(self, key: str) -> Vector | None:
        """The vector under `key`, or None when there is none or it is damaged."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Sequence[str]) -> dict[str, Vector]:
        """The vectors that are there and sound, by key. A damaged one is reported and counts as missing."""
        stored: dict[str, Vector] = {}
        unique = list(dict.fromkeys(keys))
        for start in range(0, len(unique), KEYS_TOGETHER):
            part = unique[start : start + KEYS_TOGETHER]
            marks = ", ".join("?" * len(part))
            # By rowid, so that the key comes from the row itself: a damaged index may lead to another key's row.
            rowids = f"SELECT rowid FROM vectors WHERE key IN ({marks})"
            rows = self._run(
                lambda c, part=part, rowids=rowids: c.execute(  # type: ignore[misc]
                    f"SELECT key, vector, sha256 FROM vectors WHERE rowid IN ({rowids})", part
                ).fetchall()
            )
            for key, vector, sha256 in rows:
                if key in part and _sound(vector, sha256):
                    stored[key] = np.frombuffer(vector, dtype="<f4").astype(np.float32)
                else:
                    logger.warning("Cache entry %s in %s is damaged: computing it again", key, self.path)
        return stored

    def put(self, vectors: Mapping[str, Vector]) -> None:
        """Store one-dimensional vectors, all or none. Writers of one key may race: they write the same content."""
        now = time.time()
        rows = []
        for key, vector in vectors.items():
            content = np.ascontiguousarray(vector, dtype="<f4").tobytes()
            rows.append((key, content, hashlib.sha256(content).digest(), now))

        def write(connection: sqlite3.Connection) -> None:
            with connection:
                connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", rows)

        self._run(write)

    def newest(self) -> int:
        """The place of the entry that was stored last; 0 for an empty cache. Later entries have higher places."""
        place = self._run(
            lambda connection: connection.execute("SELECT MAX(rowid) FROM vectors").fetchone()[0]
        )
        return int(place or 0)

    def stored_after(self, place: int) -> dict[str, Vector]:
        """The sound entries that were stored after `place`, by any process, in the order of their storing."""
        rows = self._run(
            lambda connection: connection.execute(
                "SELECT key, vector, sha256 FROM vectors WHERE rowid > ? ORDER BY rowid", (place,)
            ).fetchall()
        )
        return {
            key: np.frombuffer(vector, dtype="<f4") for key, vector, sha256 in rows if _sound(vector, sha256)
        }

    def trim(self) -> int:
        """Remove the oldest entries until the cap holds. Returns how many were removed."""

        def remove(connection: sqlite3.Connection) -> int:
            # The running total counts from the newest back; what lies beyond the cap goes.
            ages = "SELECT key, SUM(LENGTH(vector)) OVER (ORDER BY stored DESC, key) AS total FROM vectors"
            with connection:
                deleted = connection.execute(
                    f"DELETE FROM vectors WHERE key IN (SELECT key FROM ({ages}) WHERE total > ?)",
                    (self.maximum_bytes,),
                )
            connection.execute("PRAGMA incremental_vacuum").fetchall()
            return deleted.rowcount

        return self._run(remove)

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return work(self._open())
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            # Read-only is also what SQLite says of a damaged header.
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in NO_DAMAGE or not os.access(self.path, os.W_OK):
                raise  # a full disk or a lock held for a minute: no reason to throw vectors away
            logger.warning("%s is damaged (%s): starting an empty one", self.path, error)
            self._put_aside()
            return work(self._open())

    def _put_aside(self) -> None:
        """Move the damaged file away, unless another process has done it and begun a new one."""
        self.close()
        if not self.path.is_file() or self.path.stat().st_ino != self._opened:
            return
        with suppress(FileNotFoundError):
            os.replace(self.path, self.path.with_suffix(".damaged"))
            for rest in ("-wal", "-shm"):
                Path(f"{self.path}{rest}").unlink(missing_ok=True)

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=WAIT_SECONDS)
            connection.text_factory = lambda text: text.decode("utf-8", "replace")
            self._opened = self.path.stat().st_ino
            try:
                _set_up(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection


def _set_up(connection: sqlite3.Connection) -> None:
    """Settings and the table. Where two begin a file at once, SQLite refuses one of them without waiting."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            # In WAL mode a killed process leaves a sound file without waiting for the disk at each write.
            for pragma in (
                "auto_vacuum = INCREMENTAL",
                "journal_mode = WAL",
                "synchronous = NORMAL",
                f"mmap_size = {MAPPED_BYTES}",
            ):
                connection.execute(f"PRAGMA {pragma}").fetchall()
            connection.execute(
                "CREATE TABLE IF NOT EXISTS vectors"
                " (key TEXT PRIMARY KEY, vector BLOB NOT NULL, sha256 BLOB NOT NULL, stored REAL NOT NULL)"
            )
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _sound(vector: Any, sha256: Any) -> bool:
    # A flipped bit may turn a blob into text or a number, which SQLite hands out as such.
    return isinstance(vector, bytes) and len(vector) % 4 == 0 and hashlib.sha256(vector).digest() == sha256
