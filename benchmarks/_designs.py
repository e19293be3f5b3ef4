"""The designs that `benchmarks.statistics` simulates: a grid, and those that its options name."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from benchmarks._active_sampling import actively_sampled
from psychometrics.comparisons import Comparisons, aggregated
from psychometrics.simulation import Design, Truth, answer, balanced

STRENGTHS = (1.0, 0.6, 0.4, 0.0, -0.8, -1.2)
VOTES = 5
SIZES = ((10, 10), (20, 20), (40, 40), (40, 10), (10, 40), (300, 12))
SPREADS = ((0.0, 0.0), (0.2, 0.2), (0.4, 0.4), (0.0, 0.4), (0.4, 0.0))
KINDS = ("balanced", "ties", "active")
# Only when they are named: people whose shares of the answers fall geometrically, the first's ten times the last's; and
# photographs each of which shows a random half of the pairs.
FURTHER_KINDS = ("unequal", "incomplete")
ALL_KINDS = KINDS + FURTHER_KINDS


@dataclass(frozen=True)
class Case:
    """One design: how many people judge how many photographs, how much they differ, and how pairs are chosen.

    `strengths`: of the codecs, in JND; `votes`: for each pair of each photograph.
    """

    annotators: int
    sources: int
    of_people: float
    of_sources: float
    kind: str
    strengths: tuple[float, ...] = STRENGTHS
    votes: int = VOTES

    @property
    def truth(self) -> Truth:
        """The made-up world."""
        tie = -0.5 if self.kind == "ties" else None
        return Truth(np.array(self.strengths), self.of_people, self.of_sources, tie)

    def study(self, draw: np.random.Generator) -> Comparisons:
        """One made-up study: votes for every pair of every photograph, or as many where they seem to tell most."""
        codecs = len(self.strengths)
        pairs = codecs * (codecs - 1) // 2
        if self.kind == "active":
            judgments = self.sources * pairs * self.votes
            sizes = {"sources": self.sources, "annotators": self.annotators, "judgments": judgments}
            return aggregated(actively_sampled(self.truth, draw=draw, **sizes))
        sizes = {"sources": self.sources, "annotators": self.annotators, "votes": self.votes}
        design = balanced(codecs, **sizes, draw=draw)
        if self.kind in FURTHER_KINDS:
            design = _unequal(design, draw) if self.kind == "unequal" else _incomplete(design, pairs, draw)
        return aggregated(answer(self.truth, design, draw))


def _unequal(design: Design, draw: np.random.Generator) -> Design:
    """The same pairs, where some people answer ten times as much as others."""
    people = int(design.annotator.max()) + 1
    share = np.geomspace(10.0, 1.0, people)
    return replace(design, annotator=draw.choice(people, size=design.annotator.size, p=share / share.sum()))


def _incomplete(design: Design, pairs: int, draw: np.random.Generator) -> Design:
    """A random half of each photograph's pairs, and at least one."""
    order = draw.random((int(design.source.max()) + 1, pairs)).argsort(axis=1)
    kept = order[design.source, design.pair] < max(1, pairs // 2)
    return Design(design.pair[kept], design.annotator[kept], design.source[kept])


def grid() -> Iterator[Case]:
    """All designs of the published table."""
    for kind in KINDS:
        for annotators, sources in SIZES:
            for of_people, of_sources in SPREADS:
                yield Case(annotators, sources, of_people, of_sources, kind)


def cases_of(options: argparse.Namespace) -> list[Case]:
    """The designs that the options name, the grid's own values where an option is missing."""
    strengths = tuple(options.strengths or STRENGTHS)
    return [
        Case(annotators, sources, of_people, of_sources, kind, strengths, options.votes)
        for kind, (annotators, sources), (of_people, of_sources) in product(
            options.pairs or KINDS, options.sizes or SIZES, options.spreads or SPREADS
        )
    ]


def size_of(text: str) -> tuple[int, int]:
    """Numbers of people and photographs, two or more of each. Raises ValueError."""
    annotators, sources = map(int, text.lower().split("x"))
    if min(annotators, sources) < 2:
        raise ValueError(text)
    return annotators, sources


def spread_of(text: str) -> tuple[float, float]:
    """Spreads of people and of photographs. Raises ValueError."""
    of_people, of_sources = map(float, text.split(","))
    if min(of_people, of_sources) < 0:
        raise ValueError(text)
    return of_people, of_sources
