"""All results of one study's answers: a scale for each level, one over all levels, and their influences."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from psychometrics.comparisons import (
    Comparisons,
    Floats,
    ScaleError,
    by_pair,
    connected_groups,
    number_labels,
)
from psychometrics.conditions import THE_ORIGINAL, ComparedMethod
from psychometrics.differences import Difference
from psychometrics.ranking import Ranking, rank
from psychometrics.scaling import Ties


@dataclass(frozen=True)
class Section:
    """The ranking of one level, or over levels. `ranking` is None where there is no single scale, and `why` says why.

    `level`: None over all levels. `names` are those that were compared.
    """

    level: float | None
    comparisons: Comparisons
    ranking: Ranking | None
    why: str = ""

    def without_rows(self) -> Section:
        """The same without the answers themselves, to be kept."""
        nothing = np.zeros(0, dtype=np.int64)
        return replace(
            self, comparisons=Comparisons(self.comparisons.names, nothing, nothing, np.zeros((0, 3)))
        )


@dataclass(frozen=True)
class Crossing:
    """Two methods whose order reverses: `ahead` at one level and `behind` at another, both significantly."""

    ahead_at: float
    behind_at: float
    ahead: Difference
    behind: Difference


@dataclass(frozen=True)
class Results:
    """The results of a study.

    `levels`: methods against methods within each level; `overall`: the same answers over all levels, an average of
    them; `joined`: all conditions on one scale, where comparisons join levels (None where they do not); `crossings`:
    where the average hides that an order reverses.
    """

    levels: tuple[Section, ...]
    overall: Section
    joined: Section | None
    crossings: tuple[Crossing, ...]

    def without_rows(self) -> Results:
        """The same without the answers themselves, to be kept."""
        joined = self.joined and self.joined.without_rows()
        levels = tuple(section.without_rows() for section in self.levels)
        return replace(self, levels=levels, overall=self.overall.without_rows(), joined=joined)

    @property
    def deciding(self) -> tuple[Section, ...]:
        """The sections that a stop rule uses: each level; the joined scale where nothing is compared within a level.

        On a joined scale the far ends of the ladder are the least certain, and their difference is of little interest.
        """
        if self.levels:
            return self.levels
        return (self.joined or self.overall,)

    @property
    def main(self) -> Section:
        """The section to look at first: the joined scale, or the one over all levels."""
        return self.joined or self.overall


def rank_conditions(comparisons: Comparisons, *, ties: Ties = "davidson", seed: int = 0) -> Results:
    """Rank the conditions of a study, whose names are Conditions, within levels, over them and across them.

    Only the main section keeps its rows.
    """
    rows = comparisons
    level = level_of_rows(rows)
    methods, number = number_labels([_method(name) for name in rows.names])
    sections = [
        _section(float(at), rows.where(level == at).renamed(methods, number), ties, seed).without_rows()
        for at in np.unique(level[~np.isnan(level) & (level != _NO_LEVEL)])
    ]
    overall = _section(None, within_levels(rows), ties, seed)
    joined = _joined(rows, ties, seed) if len({_level(name) for name in rows.names} - {None}) > 1 else None
    if joined is not None:
        overall = overall.without_rows()
    return Results(tuple(sections), overall, joined, tuple(_crossings(sections)))


# Of rows whose conditions have no level at all.
_NO_LEVEL = -np.inf


def level_of_rows(comparisons: Comparisons) -> Floats:
    """The level (m,) within which each row compares: NaN across two levels, -inf where neither side has one.

    The original stands at every level.
    """
    size = len(comparisons.names)
    # Of each two names once: there are far fewer of them than rows.
    of_pairs = _level_of_pairs(comparisons.names).ravel()
    return np.asarray(of_pairs[comparisons.first * size + comparisons.second], dtype=np.float64)


def _level_of_pairs(names: Sequence[Hashable]) -> Floats:
    """The same for each ordered pair of names (k, k)."""
    own = np.array([np.nan if (at := _level(name)) is None else at for name in names])
    original = np.array([_method(name) == THE_ORIGINAL.method for name in names], dtype=bool)
    bare = np.isnan(own) & ~original
    first, second = np.broadcast_arrays(own[:, None], own)
    level = np.where(first == second, first, np.nan)
    level = np.where(original[:, None], second, level)
    level = np.where(original, first, level)
    neither = np.isnan(first) & np.isnan(second)
    mixed = (bare[:, None] | bare) & ~neither
    return np.asarray(np.where(neither, _NO_LEVEL, np.where(mixed, np.nan, level)), dtype=np.float64)


def within_levels(comparisons: Comparisons) -> Comparisons:
    """The rows that compare two methods at one level, by method; those across levels are dropped."""
    methods, number = number_labels([_method(name) for name in comparisons.names])
    return comparisons.where(~np.isnan(level_of_rows(comparisons))).renamed(methods, number)


def by_source(
    comparisons: Comparisons, names: Sequence[str], *, ties: Ties = "davidson", seed: int = 0
) -> dict[str, Section]:
    """The main ranking of each source alone; its intervals are over annotators."""
    if comparisons.source is None:
        raise ValueError("ranking by source requires recorded sources")
    sections = {}
    for n in np.unique(comparisons.source):
        sections[names[int(n)]] = rank_conditions(
            comparisons.where(comparisons.source == n), ties=ties, seed=seed
        ).main
    return sections


def _joined(rows: Comparisons, ties: Ties, seed: int) -> Section | None:
    seen = rows.only_seen()
    return _section(None, seen, ties, seed) if len(connected_groups(by_pair(seen))) == 1 else None


def _section(level: float | None, rows: Comparisons, ties: Ties, seed: int) -> Section:
    seen = rows.only_seen()
    reference = next((name for name in seen.names if _method(name) == THE_ORIGINAL.method), None)
    try:
        return Section(level, seen, rank(seen, reference=reference, ties=ties, seed=seed))
    except ScaleError as error:
        return Section(level, seen, None, str(error))


def _crossings(sections: Sequence[Section]) -> list[Crossing]:
    """The widest turn of each pair of methods."""
    seen: dict[tuple[Hashable, Hashable], list[tuple[float, Difference]]] = {}
    for section in sections:
        if section.ranking is not None and section.level is not None:
            for one in section.ranking.differences:
                turned = one if str(one.first) < str(one.second) else one.turned()
                if turned.distinguishable:
                    seen.setdefault((turned.first, turned.second), []).append((section.level, turned))
    crossings = []
    for ordered in seen.values():
        behind, ahead = (pick(ordered, key=lambda each: each[1].estimate) for pick in (min, max))
        if behind[1].estimate < 0 < ahead[1].estimate:
            crossings.append(Crossing(ahead[0], behind[0], ahead[1], behind[1]))
    return crossings


def _method(name: Hashable) -> str:
    return name.method if isinstance(name, ComparedMethod) else str(name)


def _level(name: Hashable) -> float | None:
    return name.level if isinstance(name, ComparedMethod) else None
