"""Checks stand where nobody can foresee them, at exactly their rates."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.core.checks import KINDS, check_position, check_rates, decoy, due
from annotation.core.protocol import Protocol

USUAL = check_rates(Protocol())
PAIR = "pair"


def stream(seed: str, rates: dict[str, float], length: int, first_repeat: int = 7) -> list[str]:
    """Kinds at positions 1 to `length`; there is nothing to repeat before `first_repeat`."""
    served: Counter[str] = Counter()
    kinds = []
    for position in range(1, length + 1):
        owed = due(position, served, rates, seed=seed)
        kind = next((kind for kind in owed if kind != "repeat" or position >= first_repeat), PAIR)
        served[kind] += 1
        kinds.append(kind)
    return kinds


def test_rates_are_shares_of_the_protocols_percents() -> None:
    assert USUAL == {"sentinel": 0.06, "identical": 0.02, "repeat": 0.06, "golden": 0.0}


@given(st.text(max_size=20))
def test_over_a_hundred_pairs_every_rate_is_met_within_a_point(seed: str) -> None:
    counts = Counter(stream(seed, USUAL, 100))
    assert all(abs(counts[kind] - 100 * rate) <= 1 for kind, rate in USUAL.items())


@given(
    st.text(max_size=9),
    st.dictionaries(st.sampled_from(KINDS), st.sampled_from([0.0, 0.01, 0.03, 0.07, 0.125]), min_size=1),
)
def test_whatever_the_rates_over_a_long_stream_they_are_met(seed: str, rates: dict[str, float]) -> None:
    counts = Counter(stream(seed, rates, 400))
    assert all(abs(counts[kind] / 400 - rate) <= 0.01 for kind, rate in rates.items())


def test_every_position_is_as_likely_as_any_other() -> None:
    rates = {"sentinel": 0.05}
    places = Counter(stream(str(seed), rates, 20).index("sentinel") for seed in range(2_000))
    assert set(places) == set(range(20))
    assert min(places.values()) > 55 and max(places.values()) < 150


def test_one_check_does_not_tell_when_the_next_comes() -> None:
    gaps = Counter()
    for seed in range(500):
        places = [check_position("sentinel", number, 0.1, seed=str(seed)) for number in range(10)]
        gaps.update(later - sooner for sooner, later in zip(places, places[1:], strict=False))
    assert len(gaps) > 15 and max(gaps.values()) < 0.2 * gaps.total()


def test_what_could_not_be_served_comes_as_soon_as_it_can() -> None:
    kinds = stream("a seed", {"repeat": 0.25}, 20, first_repeat=13)
    assert "repeat" not in kinds[:12] and kinds[12:15] == ["repeat"] * 3


def test_of_two_kinds_due_at_one_place_both_come() -> None:
    rates = {"sentinel": 0.5, "repeat": 0.25}
    counts = Counter(stream("another seed", rates, 400, first_repeat=1))
    assert counts["sentinel"] == pytest.approx(200, abs=2)
    assert counts["repeat"] == pytest.approx(100, abs=2)


def test_the_same_arguments_give_the_same_answer() -> None:
    assert due(17, {"sentinel": 1}, USUAL, seed="s") == due(17, {"sentinel": 1}, USUAL, seed="s")
    assert stream("s", USUAL, 300) == stream("s", USUAL, 300)
    assert stream("s", USUAL, 300) != stream("t", USUAL, 300)


def test_what_has_waited_longest_comes_first_then_the_order_of_kinds() -> None:
    rates = dict.fromkeys(reversed(KINDS), 0.5)
    for seed in map(str, range(40)):
        places = {kind: check_position(kind, 0, 0.5, seed=seed) for kind in KINDS}
        assert due(2, {}, rates, seed=seed) == sorted(
            KINDS, key=lambda kind: (places[kind], KINDS.index(kind))
        )


def test_kinds_of_one_rate_do_not_fall_on_the_same_places() -> None:
    places = {kind: [check_position(kind, n, 0.1, seed="one") for n in range(20)] for kind in KINDS}
    assert len({tuple(row) for row in places.values()}) == len(KINDS)
    first = [next(p for p in range(1, 12) if kind in due(p, {}, {kind: 0.1}, seed="one")) for kind in KINDS]
    assert first == [row[0] for row in places.values()]


def test_what_is_looked_up_for_nothing_is_of_the_kinds_of_the_study_at_their_rates() -> None:
    counts = Counter(decoy(place, USUAL, seed="a")[0] for place in range(2_000))
    assert set(counts) == {"sentinel", "identical", "repeat"}
    assert all(abs(counts[kind] / 2_000 - USUAL[kind] / 0.14) < 0.04 for kind in counts)
    assert decoy(1, check_rates(Protocol.bare()), seed="a") == []
