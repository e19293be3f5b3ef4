"""Caches of vectors that a test opens; they are closed after it."""

from pathlib import Path

from metric.core.distance.cache import DEFAULT_BYTES, VectorCache

opened: list[VectorCache] = []


def open_cache(folder: Path, maximum_bytes: int = DEFAULT_BYTES) -> VectorCache:
    """A cache in that folder."""
    opened.append(VectorCache(folder, maximum_bytes))
    return opened[-1]
