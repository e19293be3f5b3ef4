"""Which of the open triplets is served, and with which side: thousands of sessions, simulated."""

import random
from collections import Counter
from dataclasses import dataclass, field
from statistics import mean

import pytest

from annotation.core.allocation import SIDE_BLOCK, Offer, Sides, choose

LOOKED_AT = 16


@dataclass
class Shown:
    """A triplet in the simulation: how often it was served, how often with its first on the left."""

    key: int
    source: int
    served: int = 0
    lefts: int = 0

    @property
    def off(self) -> int:
        return abs(2 * self.lefts - self.served)


@dataclass
class Viewer:
    """An annotator in the simulation."""

    name: int
    sides: Sides = Sides(0, 0)
    seen: set[int] = field(default_factory=set)
    sources: list[int] = field(default_factory=list)
    even_at_block_ends: list[bool] = field(default_factory=list)

    @property
    def off(self) -> int:
        return abs(self.sides.left - self.sides.right)


def serve(viewer: Viewer, triplets: list[Shown], votes: int) -> Shown | None:
    """As a claim does: the first few of the least served, of another source where there is one."""
    open_now = sorted(
        (one for one in triplets if one.key not in viewer.seen and one.served < votes),
        key=lambda one: one.served,
    )
    last = viewer.sources[-1] if viewer.sources else None
    looked_at = [one for one in open_now if one.source != last][:LOOKED_AT] or open_now[:LOOKED_AT]
    offers = [Offer(one.key, one.source, Sides(one.lefts, one.served - one.lefts)) for one in looked_at]
    chosen = choose(offers, viewer.sides, last_source=last, seed=f"{viewer.name}:{len(viewer.seen)}")
    if not chosen:
        return None
    shown = next(one for one in looked_at if one.key == chosen[0].key)
    left = chosen[0].first_on_left
    shown.served, shown.lefts = shown.served + 1, shown.lefts + left
    viewer.sides = Sides(viewer.sides.left + left, viewer.sides.right + (not left))
    viewer.seen.add(shown.key)
    viewer.sources.append(shown.source)
    if len(viewer.seen) % SIDE_BLOCK == 0:
        viewer.even_at_block_ends.append(viewer.off == 0)
    return shown


def take_back(viewer: Viewer, leased: Shown, on_left: bool) -> None:
    """A lease that ran out counts for nobody."""
    leased.served, leased.lefts = leased.served - 1, leased.lefts - on_left
    viewer.sides = Sides(viewer.sides.left - on_left, viewer.sides.right - (not on_left))
    viewer.seen.discard(leased.key)
    viewer.sources.pop()


def simulate(
    *, triplets: int, sources: int, annotators: int, pairs: int, votes: int, lost: float = 0.0
) -> tuple[list[Shown], list[Viewer]]:
    """Everybody sits at once, in an order that chance decides; a share of leases runs out."""
    chance = random.Random(7)
    shown = [Shown(number, number % sources) for number in range(triplets)]
    chance.shuffle(shown)
    viewers = [Viewer(number) for number in range(annotators)]
    turns = [viewer for viewer in viewers for _ in range(pairs)]
    chance.shuffle(turns)
    for viewer in turns:
        before = viewer.sides.left
        leased = serve(viewer, shown, votes)
        if leased and chance.random() < lost:
            take_back(viewer, leased, viewer.sides.left > before)
    return shown, viewers


@pytest.fixture(scope="module")
def whole() -> tuple[list[Shown], list[Viewer]]:
    """100 annotators judge 100 pairs each."""
    return simulate(triplets=200, sources=20, annotators=100, pairs=100, votes=60)


def test_no_triplet_is_ever_served_on_one_side_more_than_once_oftener(
    whole: tuple[list[Shown], list[Viewer]],
) -> None:
    assert max(one.off for one in whole[0]) <= 1


def test_every_annotator_ends_balanced(whole: tuple[list[Shown], list[Viewer]]) -> None:
    assert max(viewer.off for viewer in whole[1]) <= SIDE_BLOCK // 2
    ends = [even for viewer in whole[1] for even in viewer.even_at_block_ends]
    assert mean(ends) > 0.95


def test_coverage_is_even_and_nobody_starves(whole: tuple[list[Shown], list[Viewer]]) -> None:
    served = [one.served for one in whole[0]]
    assert sum(served) == 100 * 100
    assert max(served) - min(served) <= 2


def test_the_source_changes_from_pair_to_pair(whole: tuple[list[Shown], list[Viewer]]) -> None:
    for viewer in whole[1]:
        assert not any(one == other for one, other in zip(viewer.sources, viewer.sources[1:], strict=False))


def test_no_pair_comes_twice(whole: tuple[list[Shown], list[Viewer]]) -> None:
    assert all(len(viewer.seen) == 100 for viewer in whole[1])


def test_a_study_is_judged_to_its_end_as_often_as_asked_and_no_oftener() -> None:
    shown, viewers = simulate(triplets=60, sources=6, annotators=40, pairs=60, votes=5)
    assert Counter(one.served for one in shown) == {5: 60}
    assert max(one.off for one in shown) == 1
    assert sum(len(viewer.seen) for viewer in viewers) == 5 * 60


def test_leases_that_run_out_leave_no_lasting_imbalance() -> None:
    shown, viewers = simulate(triplets=80, sources=8, annotators=30, pairs=80, votes=20, lost=0.2)
    assert max(one.off for one in shown) <= 3
    assert max(viewer.off for viewer in viewers) <= SIDE_BLOCK


def test_an_offer_of_another_source_comes_before_one_that_only_fits() -> None:
    used_up = Sides(4, 0)
    offers = [Offer("same", 1, Sides(1, 0)), Offer("other, but owed a left", 2, Sides(0, 1))]
    order = choose(offers, used_up, last_source=1, seed="")
    assert [(one.key, one.first_on_left) for one in order] == [
        ("other, but owed a left", True),
        ("same", False),
    ]


def test_among_the_least_served_one_that_fits_the_block_comes_first() -> None:
    used_up = Sides(4, 1)
    offers = [Offer("owed a left", 1, Sides(0, 1)), Offer("owed a right", 2, Sides(1, 0))]
    assert [one.key for one in choose(offers, used_up, seed="")] == ["owed a right", "owed a left"]


def test_nothing_to_choose_from() -> None:
    assert choose([], Sides(0, 0), seed="") == []


def test_only_a_side_that_the_block_has_used_up_comes_later() -> None:
    offers = [Offer("owes left", 1, Sides(0, 1)), Offer("owes right", 2, Sides(1, 0))]
    assert [one.key for one in choose(offers, Sides(3, 1), seed="any")] == ["owes left", "owes right"]
    assert [one.key for one in choose(offers, Sides(4, 2), seed="any")] == ["owes right", "owes left"]


def test_the_seed_and_the_triplet_decide_where_all_is_even() -> None:
    offers = [Offer(key, key, Sides(0, 0)) for key in range(16)]
    drawn = [tuple(one.first_on_left for one in choose(offers, Sides(0, 0), seed=str(n))) for n in range(20)]
    assert len(set(drawn)) == 20
    assert all(0 < sum(lefts) < 16 for lefts in drawn)
