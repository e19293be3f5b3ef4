"""The cache gives back what was put in, or nothing."""

import logging
import threading
from pathlib import Path

import numpy as np
import pytest

from metric.core.cache import VectorCache, content_key


def test_a_vector_comes_back_bit_for_bit(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path)
    vector = np.array([0.1, np.float32(1e-30), 3e8], dtype=np.float32)
    cache.put(content_key("a", "b"), vector)
    stored = cache.get(content_key("a", "b"))
    assert stored is not None
    assert stored.tobytes() == vector.tobytes()
    assert cache.get(content_key("ab")) is None


@pytest.mark.parametrize("keep", [0, 10, 33, 43])
def test_a_truncated_entry_counts_as_missing_and_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, keep: int
) -> None:
    cache, key = VectorCache(tmp_path), content_key("x")
    cache.put(key, np.ones(3, np.float32))
    (path,) = tmp_path.glob("??/*")
    path.write_bytes(path.read_bytes()[:keep])
    with caplog.at_level(logging.WARNING):
        assert cache.get(key) is None
    assert "damaged" in caplog.text


def test_writers_of_one_key_do_not_meet(tmp_path: Path) -> None:
    vector, key = np.arange(2000, dtype=np.float32), content_key("same")
    seen: list[bool] = []

    def work() -> None:
        cache = VectorCache(tmp_path)
        for _ in range(20):
            cache.put(key, vector)
            stored = cache.get(key)
            seen.append(stored is not None and bool((stored == vector).all()))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 80
    assert all(seen)
    assert len(list(tmp_path.glob("??/*"))) == 1


def test_trim_removes_the_oldest(tmp_path: Path) -> None:
    import os

    cache = VectorCache(tmp_path, maximum_bytes=3 * (32 + 40))
    keys = [content_key(str(number)) for number in range(5)]
    for age, key in enumerate(keys):
        cache.put(key, np.full(10, age, np.float32))
        os.utime(tmp_path / key[:2] / key[2:], (age, age))
    assert cache.trim() == 2
    assert [cache.get(key) is not None for key in keys] == [False, False, True, True, True]
    assert cache.trim() == 0
