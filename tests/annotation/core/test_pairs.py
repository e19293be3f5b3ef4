"""Which pairs a study has, and in which order they come."""

import random
from itertools import product
from typing import Any

from annotation.core.allocation import Candidate, Pair, make_pairs
from annotation.core.conditions import ORIGINAL, Condition
from annotation.core.pairing import Pairing
from tests.annotation.core.snapshots import sha

CODECS = ("jpeg", "webp", "avif", "jpegxl", "jpeg2000")
TARGETS = (0.23, 0.37, 0.67, 1.0)


def make_candidates(sources: int = 3) -> list[Candidate]:
    return [
        Candidate(
            f"{source}/{codec}/{target}", source, Condition(codec, target), sha(f"{source} {codec} {target}")
        )
        for source, codec, target in product(range(sources), CODECS, TARGETS)
    ]


def pairs_of(candidates: list[Candidate], *, salt: str = "", **rules: Any) -> list[Pair]:
    """The pairs of every source by one set of rules."""
    pairs = Pairing(**rules).pairs({candidate.condition for candidate in candidates})
    return make_pairs(candidates, lambda source: pairs, salt=salt)


def test_all_pairs_within_one_source_and_target_and_no_others() -> None:
    candidates = make_candidates()
    pairs = pairs_of(candidates)
    by_key = {candidate.key: candidate for candidate in candidates}
    assert len({frozenset((pair.first, pair.second)) for pair in pairs}) == len(pairs) == 3 * 4 * 10
    for pair in pairs:
        first, second = by_key[pair.first], by_key[pair.second]
        assert (first.source, first.condition.level) == (second.source, second.condition.level)
        assert pair.source == first.source


def test_equal_pixels_are_never_paired() -> None:
    same = [Candidate(codec, 1, Condition(codec, 0.37), sha("one picture")) for codec in CODECS]
    other = Candidate("other", 1, Condition("other", 0.37), sha("another picture"))
    assert pairs_of(same) == []
    assert len(pairs_of([*same, other])) == len(same)


def test_the_order_of_the_input_changes_nothing() -> None:
    candidates = make_candidates()
    shuffled = random.Random(3).sample(candidates, len(candidates))
    assert pairs_of(candidates) == pairs_of(shuffled)


def test_the_smaller_pixel_hash_is_first() -> None:
    pixels = {candidate.key: candidate.pixels_sha256 for candidate in make_candidates()}
    assert all(pixels[pair.first] < pixels[pair.second] for pair in pairs_of(make_candidates()))


def test_the_first_pairs_are_spread_over_sources_and_rates() -> None:
    pairs = pairs_of(make_candidates(sources=20))
    early = pairs[: len(pairs) // 10]
    assert len({pair.source for pair in early}) >= 18
    assert {str(pair.first).split("/")[2] for pair in early} == {str(target) for target in TARGETS}


def test_pairs_follow_from_the_rules_and_not_from_what_is_ready() -> None:
    candidates = [one for one in make_candidates(1) if one.condition.method == "webp"]
    pairs = Pairing(across="method").pairs(one.condition for one in candidates)
    ready = [one for one in candidates if one.condition.level != 0.37]
    result = make_pairs(ready, lambda source: pairs)
    # 0.23 and 0.67 are not made neighbours by the absence of 0.37.
    assert [{pair.first, pair.second} for pair in result] == [{"0/webp/0.67", "0/webp/1.0"}]


def test_each_source_has_the_pairs_that_are_listed_for_it() -> None:
    candidates = make_candidates()
    one = Pairing().pairs({candidate.condition for candidate in candidates})[:1]
    result = make_pairs(candidates, lambda source: one if source == 1 else [])
    assert [pair.source for pair in result] == [1]


def test_the_original_is_first_no_more_often_than_chance_has_it() -> None:
    candidates = make_candidates(30) + [
        Candidate(f"{n}/o", n, ORIGINAL, sha(f"original {n}")) for n in range(30)
    ]
    pairs = [
        pair
        for pair in pairs_of(candidates, with_original=True)
        if "/o" in (str(pair.first)[-2:], str(pair.second)[-2:])
    ]
    assert len(pairs) == 30 * 20
    first = sum(str(pair.first).endswith("/o") for pair in pairs)
    assert 200 < first < 400


def test_two_studies_have_two_orders_that_fit_a_signed_64_bit_column() -> None:
    one, other = pairs_of(make_candidates(), salt="study 1"), pairs_of(make_candidates(), salt="study 2")
    assert {(pair.first, pair.second) for pair in one} == {(pair.first, pair.second) for pair in other}
    assert [pair.first for pair in one] != [pair.first for pair in other]
    assert all(0 <= pair.order < 2**63 for pair in one)
