"""What cannot be concluded from a ranking, and what to add: too few answers, people or photographs, only ties, ..."""

from __future__ import annotations

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


def cautions(ranking: Ranking) -> list[str]:
    """What cannot be concluded from these answers, and what to add; empty where nothing stands in the way."""
    sentences = []
    if ranking.judgments < FEWEST_ANSWERS:
        sentences.append(
            f"There are too few answers for a ranking: collect at least {FEWEST_ANSWERS}, preferably several hundred."
        )
    if ranking.annotators is None:
        sentences.append(
            "Annotators were not recorded, so the intervals do not cover variation between people: add "
            "the column annotator."
        )
    elif ranking.annotators == 1:
        sentences.append(
            "Only one annotator answered: the intervals do not cover variation between people. Add annotators."
        )
    elif ranking.annotators < FEWEST_GROUPS:
        sentences.append(
            f"Only {ranking.annotators} annotators answered: intervals over so few are wide and rough. Add annotators."
        )
    if ranking.sources is None:
        sentences.append(
            "Photographs were not recorded, so the intervals do not cover variation between photographs: "
            "add the column source."
        )
    elif ranking.sources == 1:
        sentences.append(
            "Only one photograph was shown: the intervals do not cover variation between "
            "photographs. Add photographs."
        )
    elif ranking.sources < FEWEST_GROUPS:
        sentences.append(
            f"Only {ranking.sources} photographs were shown: intervals over so few are wide and rough. Add photographs."
        )
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


def _dominated(ranking: Ranking) -> list[str]:
    """That one person, or one photograph, has most of the answers, where there are enough of them otherwise."""
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
    return float(ranking.scale.counts[:, :2].sum()) == 0
