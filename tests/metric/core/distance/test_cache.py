"""The cache gives back what was put in, or nothing."""

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from metric.core.distance import cache as cache_module
from metric.core.distance.cache import VectorCache, content_key
from tests.metric.core.caches import open_cache


def test_a_vector_comes_back_bit_for_bit(tmp_path: Path) -> None:
    cache = open_cache(tmp_path)
    vector = np.array([0.1, np.float32(1e-30), 3e8], dtype=np.float32)
    cache.put({content_key("a", "b"): vector})
    for reader in (cache, open_cache(tmp_path)):
        stored = reader.get(content_key("a", "b"))
        assert stored is not None
        assert stored.tobytes() == vector.tobytes()
    assert cache.get(content_key("ab")) is None


@pytest.mark.parametrize("damage", ["substr(vector, 1, 10)", "substr(vector, 1, 8)", "x''", "zeroblob(12)"])
def test_a_damaged_entry_counts_as_missing_and_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    cache, key = open_cache(tmp_path), content_key("x")
    cache.put({key: np.ones(3, np.float32)})
    with closing(sqlite3.connect(cache.path)) as connection, connection:
        connection.execute(f"UPDATE vectors SET vector = {damage}")
    with caplog.at_level(logging.WARNING):
        assert cache.get(key) is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    cache.put({key: np.ones(3, np.float32)})
    assert cache.get(key) is not None


def test_a_damaged_file_is_put_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache, key = open_cache(tmp_path), content_key("x")
    cache.put({key: np.ones(3, np.float32)})
    cache.close()
    cache.path.write_bytes(b"this is no database" * 1000)
    assert cache.get(key) is None
    assert "is damaged" in caplog.text
    cache.put({key: np.ones(3, np.float32)})
    assert cache.get(key) is not None
    assert (tmp_path / "vectors.damaged").exists()


def test_a_lock_held_too_long_throws_nothing_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "WAIT_SECONDS", 0.01)
    cache = open_cache(tmp_path)
    cache.put({content_key("x"): np.ones(3, np.float32)})
    with closing(sqlite3.connect(cache.path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            cache.put({content_key("y"): np.ones(3, np.float32)})
    assert cache.get(content_key("x")) is not None


def test_writers_share_the_file(tmp_path: Path) -> None:
    vector, key = np.arange(2000, dtype=np.float32), content_key("same")
    seen: list[bool] = []

    def work(number: int) -> None:
        with closing(VectorCache(tmp_path)) as cache:
            for turn in range(20):
                cache.put({key: vector, content_key(str(number), str(turn)): vector})
                stored = cache.get(key)
                seen.append(stored is not None and bool((stored == vector).all()))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 80
    assert all(seen)
    with closing(sqlite3.connect(tmp_path / "vectors.sqlite3")) as connection:
        assert connection.execute("SELECT COUNT(*) FROM vectors").fetchone() == (81,)


def test_many_may_begin_the_file_at_once(tmp_path: Path) -> None:
    vector = np.ones(8, dtype=np.float32)
    for turn in range(20):
        started, begun = threading.Barrier(4), []

        def work(number: int, turn: int = turn, started: threading.Barrier = started) -> None:
            with closing(VectorCache(tmp_path / str(turn))) as cache:
                started.wait()
                cache.put({content_key(str(number)): vector})
                begun.append(number)  # noqa: B023 - read in the same turn

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(begun) == [0, 1, 2, 3]


def test_a_killed_writer_leaves_a_sound_file(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib, numpy as np; from metric.core.distance.cache import VectorCache\n"
        "cache = VectorCache(pathlib.Path(sys.argv[1])); number = 0\n"
        "while True: cache.put({str(number): np.full(500, number, np.float32)}); number += 1"
    )
    writer = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)])
    deadline = time.monotonic() + 60
    cache = open_cache(tmp_path)
    while cache.get("20") is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    stored = open_cache(tmp_path).get("20")
    assert stored is not None
    assert np.array_equal(stored, np.full(500, 20, np.float32))
    cache.put({"after": np.ones(1, np.float32)})


def test_trim_removes_the_oldest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = open_cache(tmp_path, maximum_bytes=3 * 40)
    keys = [content_key(str(number)) for number in range(5)]
    for age, key in enumerate(keys):
        monkeypatch.setattr(time, "time", lambda age=age: float(age))
        cache.put({key: np.full(10, age, np.float32)})
    assert cache.trim() == 2
    assert [cache.get(key) is not None for key in keys] == [False, False, True, True, True]
    assert cache.trim() == 0


def test_many_are_read_at_once_through_a_memory_map(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = open_cache(tmp_path)
    vectors = {content_key(str(n)): np.full(3, n, dtype=np.float32) for n in range(1200)}
    cache.put(vectors)
    damaged = content_key("7")
    with closing(sqlite3.connect(cache.path)) as connection, connection:
        connection.execute("UPDATE vectors SET vector = zeroblob(12) WHERE key = ?", (damaged,))
    result = cache.get_many([*vectors, *vectors, "nobody's"])
    assert set(result) == set(vectors) - {damaged}
    assert result[content_key("1199")].tolist() == [1199, 1199, 1199]
    assert len(caplog.records) == 1
    (size,) = cache._open().execute("PRAGMA mmap_size").fetchone()
    assert size > 0


def test_a_flipped_bit_anywhere_gives_no_other_vector(tmp_path: Path) -> None:
    cache = open_cache(tmp_path / "sound")
    vectors = {content_key(str(n)): np.arange(3, dtype=np.float32) + n for n in range(60)}
    cache.put(vectors)
    cache.close()
    content = cache.path.read_bytes()
    rng = np.random.default_rng(1)
    for place in (18, 47, *rng.integers(0, len(content), 25)):
        damaged = open_cache(tmp_path / str(place))
        damaged.path.parent.mkdir()
        damaged.path.write_bytes(
            content[:place] + bytes([content[place] ^ 1 << int(place) % 8]) + content[place + 1 :]
        )
        with closing(damaged):
            for key, vector in damaged.get_many(list(vectors)).items():
                assert np.array_equal(vector, vectors[key]), place


def test_an_index_that_leads_to_another_row_gives_nothing(tmp_path: Path) -> None:
    cache = open_cache(tmp_path)
    a, b = content_key("a"), content_key("b")
    cache.put({a: np.zeros(3, np.float32), b: np.ones(3, np.float32)})
    cache.close()
    content = cache.path.read_bytes()
    place = content.rindex(b.encode()) + len(b)
    assert content[place] == 2, "the index follows the key with the number of its row"
    cache.path.write_bytes(content[:place] + b"\x01" + content[place + 1 :])
    assert set(cache.get_many([a, b])) == {a}


def test_a_file_replaced_by_another_process_is_left_alone(tmp_path: Path) -> None:
    first, second, key = open_cache(tmp_path), open_cache(tmp_path), content_key("x")
    first.put({key: np.ones(3, np.float32)})
    second.put({key: np.ones(3, np.float32)})
    for cache in (first, second):
        cache._put_aside()
        cache.put({content_key(str(id(cache))): np.ones(3, np.float32)})
    assert first.get(content_key(str(id(first)))) is not None
    assert len(open_cache(tmp_path).get_many([content_key(str(id(c))) for c in (first, second)])) == 2


def test_a_file_cut_short_is_noticed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = open_cache(tmp_path)
    vectors = {content_key(str(n)): np.full(500, n, dtype=np.float32) for n in range(200)}
    cache.put(vectors)
    cache.close()
    with cache.path.open("r+b") as file:
        file.truncate(cache.path.stat().st_size // 2)
    for key, vector in cache.get_many(list(vectors)).items():
        assert np.array_equal(vector, vectors[key])
    assert "damaged" in caplog.text
    cache.put(vectors)
    assert len(cache.get_many(list(vectors))) == 200
