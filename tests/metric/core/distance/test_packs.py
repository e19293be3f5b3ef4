"""Cache entries as one file: what is damaged is not given out, and the rest is."""

import numpy as np
import pytest

from metric.core.distance.packs import FORMAT, PackError, pack, unpack

ENTRIES = {
    "a" * 64: np.arange(5, dtype=np.float32),
    "b" * 64: np.array([0.5], dtype=np.float32),
    "c" * 64: np.empty(0, dtype=np.float32),
}


def test_what_is_packed_comes_back() -> None:
    entries, damaged = unpack(pack(ENTRIES))
    assert damaged == 0
    assert {key: vector.tolist() for key, vector in entries.items()} == {
        key: vector.tolist() for key, vector in ENTRIES.items()
    }
    assert unpack(pack({})) == ({}, 0)


def test_a_changed_value_costs_its_own_entry() -> None:
    content = bytearray(pack(ENTRIES))
    content[-1] ^= 1  # the last value is that of b
    entries, damaged = unpack(bytes(content))
    assert damaged == 1 and set(entries) == {"a" * 64, "c" * 64}


def test_a_cut_file_keeps_the_entries_before_the_cut() -> None:
    entries, damaged = unpack(pack(ENTRIES)[:-2])
    assert damaged == 1 and "a" * 64 in entries


@pytest.mark.parametrize("content", [b"", b"PK", FORMAT, FORMAT + b"\x93NUMPY", pack(ENTRIES)[:200]])
def test_a_file_without_a_whole_head_is_refused(content: bytes) -> None:
    with pytest.raises(PackError):
        unpack(content)
