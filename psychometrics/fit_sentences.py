"""Whether one scale describes the answers, in sentences."""

from __future__ import annotations

from psychometrics.cautions import NO_FIT
from psychometrics.p_values import p_with_sign
from psychometrics.ranking import Ranking
from psychometrics.sentences import count
from psychometrics.shares import percent_in_words
from psychometrics.spread import Spread, fewest_answers

# Below this p there is a doubt, below NO_FIT none.
DOUBTFUL_FIT = 0.05
# Below this upper limit in JND an interval would be printed as 0.00 to 0.00, as if nobody differed.
UNSEEN = 0.005
_WHO = {"annotators": "people", "sources": "photographs"}


def fit_in_words(ranking: Ranking) -> list[str]:
    """The test of all pairs, circular triads, and how far people and photographs differ, each where it is known."""
    return [*_of_pairs(ranking), *_of_triads(ranking), *_of_spreads(ranking)]


def _of_pairs(ranking: Ranking) -> list[str]:
    fit = ranking.fit
    if fit.p is None:
        return []
    verdict = (
        "One scale does not fit the wins of all pairs"
        if fit.p < NO_FIT
        else "It is doubtful whether one scale fits the wins of all pairs"
        if fit.p < DOUBTFUL_FIT
        else "The wins of all pairs do not contradict one scale"
    )
    return [
        f"{verdict} (chi-square {fit.statistic:.1f} with {count(fit.df, 'degree', 'degrees')} of freedom, "
        f"{p_with_sign(fit.p)}, design effect {fit.design_effect:.1f})."
    ]


def _of_triads(ranking: Ranking) -> list[str]:
    triads = ranking.triads
    if triads.share is None:
        return []
    return [
        f"Of {count(triads.triads, 'triad', 'triads')} that one person compared in full, {triads.circular:,} "
        f"{'is' if triads.circular == 1 else 'are'} circular ({percent_in_words(triads.share)}); the scale predicts "
        f"{percent_in_words(triads.by_scale)}, random answers 25 %."
    ]


def _of_spreads(ranking: Ranking) -> list[str]:
    needed = fewest_answers(len(ranking.names))
    if ranking.spreads and ranking.judgments < needed:
        between = " and ".join(_WHO[one.way] for one in ranking.spreads)
        return [
            f"How far strengths differ between {between} cannot be estimated from {ranking.judgments:,} answers: "
            f"{needed:,} are needed."
        ]
    return [_of_spread(one) for one in ranking.spreads if one.sd is not None]


def _of_spread(one: Spread) -> str:
    who = _WHO[one.way]
    if one.high is not None and one.high < UNSEEN:
        return f"No spread of strengths between {who} is seen beyond the noise of single answers."
    return (
        f"Strengths differ between {who} by a standard deviation of {one.sd:.2f} JND "
        f"(95 % interval {one.low:.2f} to {one.high:.2f})."
    )
