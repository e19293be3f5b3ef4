"""A folder of small float32 vectors under content keys: what was computed once is never computed again.

One entry is one file, written beside its place and moved there, so that any number of processes may share the
folder. Each carries its own sha256: a damaged one is reported in the log, and counts as missing.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

Vector = NDArray[np.float32]

DEFAULT_BYTES = 2_000_000_000
_DIGEST = hashlib.sha256().digest_size


def content_key(*parts: str) -> str:
    """A key for an entry that depends on all the parts, in this order."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class VectorCache:
    """Vectors on disk, at most `maximum_bytes` of them after `trim`."""

    def __init__(self, folder: Path, maximum_bytes: int = DEFAULT_BYTES) -> None:
        self.folder = folder
        self.maximum_bytes = maximum_bytes

    def get(self, key: str) -> Vector | None:
        """The vector under `key`, or None when there is none or it is damaged."""
        path = self._path(key)
        try:
            stored = path.read_bytes()
        except FileNotFoundError:
            return None
        payload = stored[_DIGEST:]
        if len(payload) % 4 or hashlib.sha256(payload).digest() != stored[:_DIGEST]:
            logger.warning("Cache entry %s is damaged: computing it again", path)
            return None
        return np.frombuffer(payload, dtype="<f4").astype(np.float32)

    def put(self, key: str, vector: Vector) -> None:
        """Store a one-dimensional vector. Writers of the same key may race: they write the same content."""
        path = self._path(key)
        payload = np.ascontiguousarray(vector, dtype="<f4").tobytes()
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(payload).digest() + payload)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def trim(self) -> int:
        """Remove the oldest entries until the cap holds. Returns how many were removed."""
        entries = []
        for path in self.folder.glob("??/*"):
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                entries.append((status.st_mtime_ns, status.st_size, path))
        excess = sum(size for _, size, _ in entries) - self.maximum_bytes
        removed = 0
        for _, size, path in sorted(entries):
            if excess <= 0:
                break
            path.unlink(missing_ok=True)
            excess -= size
            removed += 1
        return removed

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key[2:]
