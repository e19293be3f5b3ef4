"""Splits: by photograph, for ever, with no way to leak."""

import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.core.splits import SPLITS, LeakError, assign_split, check_disjoint

hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)


def test_the_shares_are_60_20_20() -> None:
    counts = Counter(assign_split(hashlib.sha256(str(i).encode()).hexdigest()) for i in range(20_000))
    assert [round(counts[split] / 20_000, 2) for split in SPLITS] == [0.6, 0.2, 0.2]


def test_known_photographs_never_move() -> None:
    """A changed salt or share fails here: it would void every test result ever reported."""
    letters = "abcdefghijkl"
    splits = {letter: assign_split(hashlib.sha256(letter.encode()).hexdigest()) for letter in letters}
    assert {split: "".join(key for key in letters if splits[key] == split) for split in SPLITS} == {
        "train": "dhk",
        "val": "abfl",
        "test": "cegij",
    }


@pytest.mark.parametrize("name", ["", "abc", "A" * 64, "g" * 64, "0" * 65, "0" * 64 + "\n"])
def test_what_is_no_hash_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="64 lower-case hex digits"):
        assign_split(name)


@given(st.lists(hashes, max_size=30))
def test_rows_split_by_hash_are_disjoint(photographs: list[str]) -> None:
    check_disjoint((photograph, assign_split(photograph)) for photograph in photographs)


@given(hashes, st.sampled_from(SPLITS))
def test_a_photograph_in_another_split_is_a_leak(photograph: str, split: str) -> None:
    if split == assign_split(photograph):
        return
    with pytest.raises(LeakError, match=photograph):
        check_disjoint([(photograph, assign_split(photograph)), (photograph, split)])
