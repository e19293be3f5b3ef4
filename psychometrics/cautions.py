"""What cannot be concluded from a ranking, and what to add: too few answers, only ties, a poor fit and others."""

from __future__ import annotations

from typing import NamedTuple

from psychometrics.comparisons import listed
from psychometrics.fit_checks import unbeaten
from psychometrics.p_values import p_with_sign
from psychometrics.ranking import Ranking
from psychometrics.shares import percent_in_words, percentage

FEWEST_ANSWERS = 10
# Of people, and of photographs: intervals over fewer were not seen to hold in simulated studies (docs/statistics.md).
FEWEST_GROUPS = 5
# One person's, or one photograph's, share of the answers beyond which a caution is printed.
MOST_OF_ONE = 0.5
# Below this p of the test of fit, one scale is not what the answers show.
NO_FIT = 0.01


class _Kind(NamedTuple):
    """Words for what answers cluster by."""

    names: str
    one: str
    several: str
    between: str
    column: str


_ANNOTATORS = _Kind("annotators", "annotator answered", "annotators answered", "people", "annotator")
_PHOTOGRAPHS = _Kind("photographs", "photograph was shown", "photographs were shown", "photographs", "source")


def cautions(ranking: Ranking) -> list[str]:
    """What cannot be concluded from these answers, and what to add; empty where nothing stands in the way."""
    sentences = []
    if ranking.judgments < FEWEST_ANSWERS:
        sentences.append(
            f"There are too few answers for a ranking: collect at least {FEWEST_ANSWERS}, preferably several hundred."
        )
    sentences += _too_few(ranking.annotators, _ANNOTATORS) + _too_few(ranking.sources, _PHOTOGRAPHS)
    sentences += _dominated(ranking)
    sentences += _separated(ranking)
    if only_ties(ranking):
        sentences.append("Every answer was a tie: no difference was seen. Compare pairs that differ more.")
    if ranking.fit.p is not None and ranking.fit.p < NO_FIT:
        worst = ranking.fit.pairs[0]
        sentences.append(
            f"One scale does not fit these answers ({p_with_sign(ranking.fit.p)}): {worst.first} was preferred to "
            f"{worst.second} in {percent_in_words(worst.observed)}, where the scale predicts "
            f"{percent_in_words(worst.predicted)}."
        )
    return sentences


def _too_few(number: int | None, kind: _Kind) -> list[str]:
    """That the intervals cover variation between annotators, or photographs, roughly or not at all."""
    uncovered = f"the intervals do not cover variation between {kind.between}"
    if number is None:
        return [f"{kind.names.capitalize()} were not recorded, so {uncovered}: add the column {kind.column}."]
    if number == 1:
        return [f"Only one {kind.one}: {uncovered}. Add {kind.names}."]
    if number < FEWEST_GROUPS:
        return [f"Only {number} {kind.several}: intervals over so few are wide and rough. Add {kind.names}."]
    return []


def _dominated(ranking: Ranking) -> list[str]:
    """That one person, or one photograph, has most of the answers, although there are enough of them."""
    sentences = []
    if (ranking.annotators or 0) >= FEWEST_GROUPS and ranking.most_by_one > MOST_OF_ONE:
        sentences.append(
            f"One annotator gave {percentage(ranking.most_by_one)} of the answers, so the others hardly show how much "
            "people differ: intervals are wide and rough. Add answers of other annotators."
        )
    if (ranking.sources or 0) >= FEWEST_GROUPS and ranking.most_about_one > MOST_OF_ONE:
        sentences.append(
            f"{percentage(ranking.most_about_one).capitalize()} of the answers are about one photograph, so the others "
            "hardly show how much photographs differ: intervals are wide and rough. Add answers about them."
        )
    return sentences


def _separated(ranking: Ranking) -> list[str]:
    if len(ranking.separated) < 2:
        return []
    top, others = unbeaten(ranking.names, ranking.scale.counts, ranking.separated)
    return [
        f"{listed(top)} never lost to {listed(others)}, so the size of the difference cannot be estimated: "
        f"a weak prior limits the figures. Add conditions between them."
    ]


def only_ties(ranking: Ranking) -> bool:
    """Whether nobody preferred anything."""
    return ranking.tied == ranking.judgments
