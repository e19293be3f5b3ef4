"""Pure decisions about what is shown: which pairs a study has, their order, and their sides.

Nothing here draws from a global random generator: every choice follows from a seed that the caller can store,
so that an assignment can be explained later.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from annotation.core.conditions import Condition
from annotation.core.pairing import ConditionPair
from psychometrics.draws import place, uniform

# Even. Longer blocks leave more room to balance within the triplet, shorter ones hold the annotator tighter.
SIDE_BLOCK = 8


class Sides(NamedTuple):
    """How often the first reconstruction was shown on the left and on the right so far."""

    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """One reconstruction that may be paired: the caller's key, its source, condition and pixel hash."""

    key: Hashable
    source: Hashable
    condition: Condition
    pixels_sha256: str


@dataclass(frozen=True, slots=True)
class Pair:
    """An unordered pair, smaller pixel hash first. `order` (0 to 2^63 - 1) spreads coverage."""

    first: Hashable
    second: Hashable
    source: Hashable
    order: int


def next_side(annotator: Sides, triplet: Sides, *, seed: str) -> bool:
    """Say whether the first reconstruction of the pair goes left.

    Permuted blocks (as in clinical trials) within the annotator: every SIDE_BLOCK assignments hold as many
    lefts as rights, so after each whole block both counts are equal. Inside a block the side that the
    triplet has had less goes next, and where the triplet is even too, `seed` decides. `annotator` and
    `triplet` count earlier assignments; after irregular histories (an expired lease, an undo) the
    annotator's counts are led back together first. The same arguments always give the same side.
    """
    lefts, rights = _left_in_block(annotator)
    if lefts <= 0 or rights <= 0:
        return lefts > rights
    if triplet.left != triplet.right:
        return triplet.left < triplet.right
    return _drawn(seed, annotator, triplet) * (lefts + rights) < lefts


@dataclass(frozen=True, slots=True)
class Offer:
    """A triplet that may be served next: the caller's key, its source, and the sides it was served on."""

    key: Hashable
    source: Hashable
    sides: Sides


class Chosen(NamedTuple):
    """What to serve, and whether its first reconstruction is on the left."""

    key: Hashable
    first_on_left: bool


def choose(
    offers: Sequence[Offer], annotator: Sides, *, last_source: Hashable | None = None, seed: str
) -> list[Chosen]:
    """Return the offers in the order in which to try them, each with its side.

    A triplet that was served more often on one side owes the other one, and always gets it: the counts of a
    triplet never differ by more than one. So that the annotator's blocks come out even too, offers that owe
    a side which the annotator's block has used up come after those that fit; and an offer of the source that
    was shown last comes after all others. Among equals the order of `offers` stands.
    """
    lefts, rights = _left_in_block(annotator)

    def clash(offer: Offer) -> bool:
        owed = _owed(offer.sides)
        return owed is not None and (lefts if owed else rights) <= 0 < max(lefts, rights)

    ordered = sorted(offers, key=lambda offer: (offer.source == last_source, clash(offer)))
    return [Chosen(offer.key, _side(offer, annotator, seed)) for offer in ordered]


def _owed(triplet: Sides) -> bool | None:
    """Return whether the triplet owes a left (True) or a right (False); None when it is even."""
    return None if triplet.left == triplet.right else triplet.left < triplet.right


def _side(offer: Offer, annotator: Sides, seed: str) -> bool:
    owed = _owed(offer.sides)
    return next_side(annotator, offer.sides, seed=f"{seed}:{offer.key}") if owed is None else owed


def make_pairs(
    reconstructions: Iterable[Candidate],
    pairs_for: Callable[[Hashable], Iterable[ConditionPair]],
    *,
    salt: str = "",
) -> list[Pair]:
    """Return the pairs of conditions that `pairs_for` gives for a source, as far as both sides are there.

    Two reconstructions of equal pixels are no pair: nobody could answer it. The pairs are sorted by `order`, a
    hash of the two pictures with `salt` (the study's id, say), so that the first n pairs are spread over sources,
    levels and methods however the reconstructions came in; and which one is first says nothing about the methods.
    """
    by_source: dict[Hashable, dict[Condition, Candidate]] = defaultdict(dict)
    for candidate in reconstructions:
        by_source[candidate.source][candidate.condition] = candidate
    pairs = [
        _pair(made[one], made[other], salt)
        for source, made in by_source.items()
        for one, other in pairs_for(source)
        if one in made and other in made and made[one].pixels_sha256 != made[other].pixels_sha256
    ]
    return sorted(pairs, key=lambda pair: (pair.order, str(pair.first), str(pair.second)))


def _left_in_block(annotator: Sides) -> tuple[int, int]:
    """Return how many lefts and rights the current block owes; one is <= 0 when it owes only the other."""
    share = (sum(annotator) // SIDE_BLOCK + 1) * SIDE_BLOCK // 2
    return share - annotator.left, share - annotator.right


def _pair(one: Candidate, other: Candidate, salt: str) -> Pair:
    first, second = sorted((one, other), key=lambda candidate: candidate.pixels_sha256)
    levels = sorted({one.condition.level, other.condition.level})
    name = ":".join([salt, first.pixels_sha256, second.pixels_sha256, str(one.source), *map(repr, levels)])
    return Pair(first.key, second.key, one.source, place(name))


def _drawn(seed: str, annotator: Sides, triplet: Sides) -> float:
    """Return a number in [0, 1) that follows from the arguments."""
    return uniform(f"{seed}:{annotator.left},{annotator.right}:{triplet.left},{triplet.right}")
