"""Sides are balanced by permuted blocks within the annotator, as well as may be within the triplet."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.core.allocation import SIDE_BLOCK, Sides, next_side

counts = st.builds(Sides, st.integers(0, 500), st.integers(0, 500))


def after(sides: Sides, left: bool) -> Sides:
    return Sides(sides.left + left, sides.right + (not left))


@given(st.text(), st.lists(counts, min_size=1, max_size=60))
def test_an_annotator_is_never_more_than_half_a_block_off_and_even_after_each(
    seed: str, triplets: list[Sides]
) -> None:
    annotator = Sides(0, 0)
    for turn, triplet in enumerate(triplets, start=1):
        annotator = after(annotator, next_side(annotator, triplet, seed=f"{seed}{turn}"))
        assert abs(annotator.left - annotator.right) <= SIDE_BLOCK // 2
        if turn % SIDE_BLOCK == 0:
            assert annotator.left == annotator.right


def sit_through_a_study(annotators: int, triplets: int) -> tuple[dict[int, Sides], dict[int, Sides]]:
    """Serve every triplet once to every annotator, in an order of their own."""
    shown = {triplet: Sides(0, 0) for triplet in range(triplets)}
    held = {annotator: Sides(0, 0) for annotator in range(annotators)}
    for annotator in held:
        for triplet in random.Random(annotator).sample(range(triplets), triplets):
            left = next_side(held[annotator], shown[triplet], seed=f"{annotator} {triplet}")
            held[annotator], shown[triplet] = after(held[annotator], left), after(shown[triplet], left)
    return held, shown


def test_thousands_of_assignments_are_balanced_both_ways() -> None:
    held, shown = sit_through_a_study(annotators=25, triplets=200)
    assert all(abs(sides.left - sides.right) <= 1 for sides in held.values())
    differences = Counter(abs(sides.left - sides.right) for sides in shown.values())
    # 25 tosses of a coin would be 3 or more apart for two triplets in three.
    assert sum(number for gap, number in differences.items() if gap >= 3) < 0.25 * len(shown)
    assert max(differences) <= 7


@pytest.mark.parametrize("annotator", [Sides(9, 0), Sides(40, 31), Sides(0, 9)])
def test_an_irregular_history_is_led_back_to_balance(annotator: Sides) -> None:
    for turn in range(5 * SIDE_BLOCK):
        annotator = after(annotator, next_side(annotator, Sides(turn % 3, 1), seed=str(turn)))
    assert abs(annotator.left - annotator.right) <= SIDE_BLOCK // 2


@given(counts, counts, st.text())
def test_the_same_arguments_give_the_same_side(annotator: Sides, triplet: Sides, seed: str) -> None:
    assert next_side(annotator, triplet, seed=seed) == next_side(annotator, triplet, seed=seed)


def test_a_first_pair_goes_left_for_half_of_the_seeds() -> None:
    lefts = sum(next_side(Sides(0, 0), Sides(0, 0), seed=str(seed)) for seed in range(2_000))
    assert lefts == pytest.approx(1_000, abs=90)


def test_inside_a_block_the_side_owed_more_is_likelier() -> None:
    """After three rights and one left, a block of eight owes three lefts and one right."""
    lefts = sum(next_side(Sides(1, 3), Sides(0, 0), seed=str(seed)) for seed in range(2_000))
    assert lefts / 2_000 == pytest.approx(0.75, abs=0.04)


def test_the_next_side_cannot_be_told_from_the_ones_before() -> None:
    """The best guess, the side owed more, must not be right much more often than it has to be."""
    hits, annotator = 0, Sides(0, 0)
    for turn in range(4_000):
        guess = annotator.left <= annotator.right
        left = next_side(annotator, Sides(0, 0), seed=str(turn))
        hits += left == guess
        annotator = after(annotator, left)
    assert hits / 4_000 < 0.70


def test_the_last_left_of_a_block_still_goes_to_the_triplet_that_lacks_one() -> None:
    assert next_side(Sides(3, 1), Sides(0, 1), seed="any") is True
    assert next_side(Sides(1, 3), Sides(1, 0), seed="any") is False
