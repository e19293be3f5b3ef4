"""Which conditions are compared, and whether the comparisons join."""

from itertools import combinations

import pytest

from annotation.core.conditions import ORIGINAL, Condition
from annotation.core.pairing import (
    ListedPair,
    Pairing,
    PairingError,
    groups,
    listed_from_json,
    listed_to_json,
    pair_level,
    parse_list,
    unknown_names,
)

A1, A2, A3 = (Condition("a", level) for level in (1.0, 2.0, 3.0))
B1, B2, B3 = (Condition("b", level) for level in (1.0, 2.0, 3.0))
GRID = [A1, A2, A3, B1, B2, B3]


def test_within_a_level_every_two_methods_meet() -> None:
    assert Pairing().pairs(GRID) == [(A1, B1), (A2, B2), (A3, B3)]


def test_across_levels_a_method_meets_its_next_level_only() -> None:
    result = Pairing(within=False, across="method").pairs(GRID)
    assert result == [(A1, A2), (A2, A3), (B1, B2), (B2, B3)]


def test_across_levels_methods_meet_each_other_too() -> None:
    result = set(Pairing(within=False, across="all").pairs(GRID))
    assert result == {(A1, A2), (A2, A3), (B1, B2), (B2, B3), (A1, B2), (A2, B3), (A2, B1), (A3, B2)}


def test_methods_with_levels_of_their_own_still_have_neighbours() -> None:
    qp = [Condition("mine", 22.0), Condition("mine", 37.0)]
    assert set(Pairing(across="method").pairs([*qp, A1])) == {(qp[0], qp[1])}
    assert (A1, qp[0]) in Pairing(across="all").pairs([*qp, A1])


def test_with_the_original_every_condition_meets_it_once() -> None:
    result = Pairing(within=False, with_original=True).pairs([*GRID, ORIGINAL])
    assert sorted(result) == sorted((one, ORIGINAL) for one in GRID)
    assert all(pair_level(one, other) == one.level for one, other in result)


@pytest.mark.parametrize("across", ["off", "method", "all"])
@pytest.mark.parametrize("with_original", [False, True])
def test_no_pair_comes_twice_and_none_with_itself(across: str, with_original: bool) -> None:
    result = Pairing(across=across, with_original=with_original).pairs(GRID)
    assert len({frozenset(pair) for pair in result}) == len(result)
    assert all(len(set(pair)) == 2 for pair in result)


def test_levels_join_by_neighbours_or_by_the_original_and_not_otherwise() -> None:
    assert [len(group) for group in groups(GRID, Pairing().pairs(GRID))] == [2, 2, 2]
    assert len(groups(GRID, Pairing(across="method").pairs(GRID))) == 1
    assert len(groups([*GRID, ORIGINAL], Pairing(with_original=True).pairs(GRID))) == 1
    assert [len(group) for group in groups(GRID, [])] == [1] * 6


def test_the_level_of_a_pair() -> None:
    assert (pair_level(A1, B1), pair_level(A1, A2), pair_level(ORIGINAL, A2)) == (1.0, None, 2.0)


def test_a_list_names_pairs_of_all_photographs_or_of_one() -> None:
    listed = parse_list("# mine\n\na@1, b@2\nsunset.png, a@1, original\na@1, b@2\n")
    assert listed == (ListedPair(A1, B2), ListedPair(A1, ORIGINAL, "sunset.png"))
    pairing = Pairing(within=False, listed=listed)
    assert pairing.pairs(GRID) == pairing.pairs(GRID, "other.png") == [(A1, B2)]
    assert pairing.pairs(GRID, "sunset.png") == [(A1, B2), (A1, ORIGINAL)]
    assert pairing.shows_original


def test_every_bad_line_of_a_list_is_named() -> None:
    with pytest.raises(PairingError) as caught:
        parse_list("a@1, b@x\na@1\na@1, a@1\na@2, b@2")
    assert [fault.split(":")[0] for fault in caught.value.faults] == ["Line 1", "Line 2", "Line 3"]


def test_what_a_list_names_has_to_be_there() -> None:
    listed = parse_list("a@1, c@1\nsunset.png, a@1, b@1\na@1, original")
    absent, photograph = unknown_names(listed, GRID, ["dawn.png"])
    assert "names c@1" in absent and "'sunset.png'" in photograph
    assert unknown_names(listed, [*GRID, Condition("c", 1.0)], ["sunset.png"]) == []


def test_a_list_is_kept_as_its_lines() -> None:
    listed = parse_list("a@1, b@2\nsunset.png, a@1, original")
    assert listed_from_json(listed_to_json(listed)) == listed


def test_all_pairs_of_a_grid_are_never_more_than_there_are() -> None:
    every = len(list(combinations([*GRID, ORIGINAL], 2)))
    assert len(Pairing(across="all", with_original=True).pairs(GRID)) < every
