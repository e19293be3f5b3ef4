"""Which conditions of a study are compared with each other, and whether the comparisons join.

Pure: conditions in, pairs of conditions out. What the pairs of one photograph are follows from the study's rules
and conditions alone, never from which reconstructions happen to be ready.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple, Self

from annotation.core.conditions import ORIGINAL, Condition, ConditionError

ACROSS = ("off", "method", "all")
LONGEST_LIST = 10_000

ConditionPair = tuple[Condition, Condition]


class PairingError(ValueError):
    """A list of pairs that cannot be used; `faults` has a sentence for each entry that is wrong."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = tuple(faults)


class ListedPair(NamedTuple):
    """A pair that the researcher named: of one photograph, or of every one where `photograph` is ""."""

    one: Condition
    other: Condition
    photograph: str = ""

    @classmethod
    def parse(cls, line: str) -> Self:
        """The pair in "A, B" or "PHOTOGRAPH, A, B". Raises ConditionError."""
        words = [word.strip() for word in re.split(r"[,;\t]", line)]
        if len(words) not in (2, 3) or not all(words):
            raise ConditionError(
                f"{line!r} is not a pair: write two conditions separated by a comma, such as avif@0.37, "
                f"webp@0.37. To name a pair of one photograph only, write its name first."
            )
        one, other = Condition.parse(words[-2]), Condition.parse(words[-1])
        if one == other:
            raise ConditionError(f"{line!r} names one condition twice: a pair needs two different ones.")
        return cls(one, other, words[0] if len(words) == 3 else "")

    def __str__(self) -> str:
        names = ([self.photograph] if self.photograph else []) + [str(self.one), str(self.other)]
        return ", ".join(names)


@dataclass(frozen=True, slots=True)
class Pairing:
    """The rules that make a study's pairs, and the pairs that were listed one by one."""

    within: bool = True
    across: str = "off"
    with_original: bool = False
    listed: tuple[ListedPair, ...] = ()

    def pairs(self, conditions: Iterable[Condition], photograph: str | None = None) -> list[ConditionPair]:
        """The pairs of these conditions, each once, sorted; the listed ones of `photograph` among them.

        Without a photograph only what every photograph has: pairs listed for a single one are not in.
        """
        present = sorted({one for one in conditions if not one.is_original})
        pairs: set[ConditionPair] = set()
        if self.within:
            pairs |= {pair for pair in combinations(present, 2) if pair[0].level == pair[1].level}
        if self.across != "off":
            pairs |= _neighbours(present, between=self.across == "all")
        if self.with_original:
            pairs |= {_ordered(one, ORIGINAL) for one in present}
        known = {*present, ORIGINAL}
        pairs |= {
            _ordered(pair.one, pair.other)
            for pair in self.listed
            if pair.photograph in ("", photograph) and {pair.one, pair.other} <= known
        }
        return sorted(pairs)

    @property
    def shows_original(self) -> bool:
        """Whether the original is ever one of the two sides."""
        return self.with_original or any(ORIGINAL in (pair.one, pair.other) for pair in self.listed)


def parse_list(text: str) -> tuple[ListedPair, ...]:
    """One pair a line, empty lines and lines that begin with # apart. Raises PairingError with every fault."""
    pairs: dict[str, ListedPair] = {}
    faults = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            pair = ListedPair.parse(line)
        except ConditionError as error:
            faults.append(f"Line {number}: {error}")
            continue
        pairs[str(pair)] = pair
    if len(pairs) > LONGEST_LIST:
        faults.append(f"The list has {len(pairs)} pairs; at most {LONGEST_LIST} are taken.")
    if faults:
        raise PairingError(faults)
    return tuple(pairs.values())


def unknown_names(
    listed: Iterable[ListedPair], conditions: Iterable[Condition], photographs: Iterable[str]
) -> list[str]:
    """A sentence for each listed pair that names a condition or a photograph that is not there."""
    known, names = {*conditions, ORIGINAL}, set(photographs)
    faults = []
    for pair in listed:
        absent = [str(one) for one in (pair.one, pair.other) if one not in known]
        if absent:
            faults.append(f"The pair “{pair}” names {' and '.join(absent)}, which the study does not show.")
        if pair.photograph and pair.photograph not in names:
            faults.append(
                f"The pair “{pair}” names the photograph {pair.photograph!r}, which the study does not have."
            )
    return faults


def groups(conditions: Iterable[Condition], pairs: Iterable[ConditionPair]) -> list[list[Condition]]:
    """The conditions in groups that comparisons join, the largest first; each in one group only."""
    parents: dict[Condition, Condition] = {one: one for one in conditions}

    def root(one: Condition) -> Condition:
        while parents[one] != one:
            one = parents[one]
        return one

    for one, other in pairs:
        parents.setdefault(one, one)
        parents.setdefault(other, other)
        parents[root(one)] = root(other)
    joined: dict[Condition, list[Condition]] = defaultdict(list)
    for one in sorted(parents):
        joined[root(one)].append(one)
    return sorted(joined.values(), key=lambda group: (-len(group), group))


def in_words(conditions: Sequence[Condition], pairing: Pairing) -> str:
    """Whether the comparisons join all conditions, and what that means for what can be said."""
    pairs = pairing.pairs(conditions)
    if not pairs:
        return "These conditions make no pair. Add a method at the same level as another one, or choose other pairs."
    grouped = groups(conditions, pairs)
    alone = [str(group[0]) for group in grouped if len(group) == 1]
    if len(grouped) == 1:
        return "The comparisons connect all conditions: all are on one scale."
    if alone:
        return (
            f"No pair shows {', '.join(alone)}. A condition that is never compared gets no place on the "
            f"scale: choose pairs across levels or with the original, or give it a level that other methods have."
        )
    return (
        f"The comparisons fall into {len(grouped)} groups, each with a scale of its own: conditions can "
        f"be compared within a group but not between groups. Pairs across levels, or with the original, connect them."
    )


def pair_level(one: Condition, other: Condition) -> float | None:
    """The level of both; beside the original, the other's; None across levels."""
    if one.is_original or other.is_original:
        return other.level if one.is_original else one.level
    return one.level if one.level == other.level else None


def _ordered(one: Condition, other: Condition) -> ConditionPair:
    return (one, other) if one < other else (other, one)


def _neighbours(conditions: Sequence[Condition], *, between: bool) -> set[ConditionPair]:
    """Each condition with the next higher level of its own method, or of every method."""
    by_method: dict[str, list[Condition]] = defaultdict(list)
    for one in conditions:
        by_method[one.method].append(one)
    neighbours = set()
    for one in conditions:
        for method in by_method if between else [one.method]:
            above = [other for other in by_method[method] if other.level > one.level]
            if above:
                neighbours.add(_ordered(one, min(above, key=lambda other: other.level)))
    return neighbours


def listed_to_json(listed: Iterable[ListedPair]) -> list[str]:
    """Listed pairs as a study keeps them: a line each."""
    return [str(pair) for pair in listed]


def listed_from_json(lines: Iterable[Any]) -> tuple[ListedPair, ...]:
    """What `listed_to_json` wrote. Raises PairingError."""
    return parse_list("\n".join(str(line) for line in lines))
