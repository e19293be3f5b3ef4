"""Sentences about a ranking that a reviewer would accept: which difference, its interval, how many people, photographs
and answers; and what cannot be concluded, with what to add.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise

from psychometrics.cautions import FEWEST_ANSWERS, cautions, only_ties
from psychometrics.comparisons import listed
from psychometrics.curves import EqualQuality
from psychometrics.differences import Difference
from psychometrics.fit_checks import unbeaten
from psychometrics.p_values import p_with_sign
from psychometrics.planning import Plan
from psychometrics.ranking import Ranking
from psychometrics.results import Crossing
from psychometrics.shares import percent_in_words, percentage
from psychometrics.spread import fewest_answers
from psychometrics.votes_left import VotesLeft

MOST_NAMED = 4


def signed(value: float, places: int = 2) -> str:
    """A number with its sign, a true minus: +0.41, −0.41; never −0.00."""
    text = f"{value:+z.{places}f}"
    return text.replace("-", "−")


def difference_in_words(one: Difference) -> str:
    """One difference with its interval, the better name first, or that the two are not distinguishable."""
    ahead = one if one.estimate >= 0 else one.turned()
    interval = f"95 % interval {_number(ahead.low)} to {_number(ahead.high)}"
    if not one.distinguishable:
        # A single interval may exclude 0 where the test of all pairs does not.
        holm = f", {p_with_sign(ahead.p_holm)} after Holm" if ahead.low > 0 else ""
        figures = f"{_number(ahead.estimate)} JND, {interval}{holm}"
        return f"{ahead.first} and {ahead.second} are not distinguishable ({figures})"
    return (
        f"{ahead.first} is ahead of {ahead.second} by {_number(ahead.estimate)} JND "
        f"({interval}, {p_with_sign(ahead.p_holm)} after Holm)"
    )


def ranking_in_words(ranking: Ranking) -> str:
    """The whole ranking in a few sentences: the first, neighbours that are not distinguishable, how many answered, and
    what cannot be concluded.
    """
    return " ".join([_lead(ranking), *_ties(ranking), f"{basis_in_words(ranking)}.", *cautions(ranking)])


def basis_in_words(ranking: Ranking) -> str:
    """From how many answers of how many annotators about how many photographs."""
    annotators = (
        "annotators not recorded"
        if ranking.annotators is None
        else count(ranking.annotators, "annotator", "annotators")
    )
    photographs = (
        "photographs not recorded"
        if ranking.sources is None
        else count(ranking.sources, "photograph", "photographs")
    )
    return f"From {count(ranking.judgments, 'answer', 'answers')}, {annotators}, {photographs}"


def crossing_in_words(one: Crossing, *, spell: Callable[[float], str] = "level {:g}".format) -> str:
    """Two methods whose order reverses between levels, so that an average is not enough; `spell` writes a level."""
    ahead, behind = one.ahead, one.behind.turned()
    sizes = [
        f"{_number(each.estimate)} JND (95 % interval {_number(each.low)} to {_number(each.high)})"
        for each in (ahead, behind)
    ]
    return (
        f"{ahead.first} and {ahead.second} cross: {ahead.first} is ahead at {spell(one.ahead_at)} by {sizes[0]}, "
        f"{ahead.second} at {spell(one.behind_at)} by {sizes[1]}. An average over levels does not describe this."
    )


def equal_quality_in_words(one: EqualQuality) -> str:
    """How many bits two methods need for equal quality, or why that is not known."""
    if one.more.value is None or one.low_quality is None or one.high_quality is None:
        return one.why
    share = percent_in_words(abs(one.more.value))
    what = f"{share} more bits than" if one.more.value > 0 else f"{share} fewer bits than"
    if share == percent_in_words(0.0):
        what = "about as many bits as"
    words = (
        f"For equal quality {one.second} needs {what} {one.first}, averaged "
        f"from {_number(one.low_quality)} to {_number(one.high_quality)} JND"
    )
    if one.more.low is None or one.more.high is None:
        return f"{words}; {one.why}."
    interval = f"95 % interval {_signed_percent(one.more.low)} to {_signed_percent(one.more.high)}"
    unsure = ", so which of them needs fewer is uncertain" if one.more.low < 0 < one.more.high else ""
    return f"{words} ({interval}{unsure})."


def votes_left_in_words(left: VotesLeft, ranking: Ranking) -> str:
    """How many answers `ranking` misses until every difference reaches the target precision."""
    if why := no_forecast(ranking):
        return f"How many more answers are needed cannot be estimated: {why}."
    now = f"The widest difference is known to ± {left.now:.2f} JND"
    wish = f"± {left.halfwidth:g} JND"
    if left.left == 0:
        return f"{now}, which is within the goal of {wish}."
    if left.left is None:
        return (
            f"{now}. No number of answers about these photographs brings all differences within {wish}: "
            f"the limit is ± {left.floor:.2f}. Add photographs."
        )
    low, high = _roughly(left.low or 0), None if left.high is None else _roughly(left.high)
    reach = (
        f" (at least {low}; perhaps no number is enough, but more photographs)"
        if high is None
        else f" ({low} to {high})" * (low != high)
    )
    return (
        f"{now}. About {_roughly(left.left)} more answers about these photographs would bring all differences within "
        f"{wish}{reach}."
    )


def no_forecast(ranking: Ranking) -> str:
    """Why the widest difference has no size that more answers would narrow; "" where it has one."""
    if ranking.judgments < FEWEST_ANSWERS:
        return "there are too few answers"
    if only_ties(ranking):
        return "every answer was a tie"
    if ranking.judgments < (needed := fewest_answers(len(ranking.names))):
        return f"there are too few answers, and {needed:,} are needed"
    if len(ranking.separated) > 1:
        top, _ = unbeaten(ranking.names, ranking.scale.counts, ranking.separated)
        return f"{listed(top)} never lost to other conditions"
    return ""


def _roughly(number: int) -> str:
    """A forecast to two digits: more would look more certain than it is."""
    return f"{round(number, 2 - len(str(number))) if number >= 100 else number:,}"


def missing_in_words(missing: Sequence[tuple[str, int]], sources: int) -> str:
    """Which conditions lack answers on some photographs; "" where none does."""
    if not missing:
        return ""
    each = "; ".join(f"{name} on {n:,}" for name, n in missing[:MOST_NAMED])
    more = f"; and {len(missing) - MOST_NAMED} more conditions" if len(missing) > MOST_NAMED else ""
    return (
        f"Of {count(sources, 'photograph', 'photographs')}, some lack answers about some conditions: {each}{more}. "
        "Differences are estimated from the photographs that have them."
    )


def plan_in_words(planned: Plan) -> str:
    """The expected precision of a study of that size, and its cost."""
    size, assumed = planned.size, planned.assumed
    levels = f" at {size.levels} levels" if size.levels > 1 else ""
    money = f", {planned.money:,.0f} in pay" if assumed.pay_per_hour else ""
    return (
        f"{size.conditions} conditions{levels}, {count(size.sources, 'photograph', 'photographs')}, "
        f"{count(size.annotators, 'annotator', 'annotators')}, {count(size.votes, 'vote', 'votes')} on each pair: "
        f"{size.judgments:,} answers, up to {size.each:,} from each annotator, {planned.hours:.1f} hours{money}. "
        f"Differences{' at each level' if levels else ''} will be known to ± {planned.halfwidth:.2f} JND "
        f"(nine of ten such studies: ± {planned.low:.2f} to {planned.high:.2f}); conditions "
        f"{assumed.step:g} JND apart are distinguished with a probability of {percentage(planned.power)}. "
        f"Assumed: spreads of {assumed.of_people:g} JND "
        f"between people and {assumed.of_sources:g} between photographs; {planned.repeats} simulated studies."
    )


def _lead(ranking: Ranking) -> str:
    order = ranking.order
    first, second = (ranking.names[n] for n in order[:2])
    if ranking.judgments < FEWEST_ANSWERS:
        return f"The order of the {len(order)} conditions cannot be determined yet."
    if only_ties(ranking):
        return f"None of the {len(order)} conditions is distinguishable from another."
    one = ranking.difference(first, second)
    words = _of_separated(one) if _apart(ranking, first, second) else difference_in_words(one)
    if ranking.first_rank[order[0]] == ranking.last_rank[order[0]] == 1:
        return f"{first} is the best: {words}."
    return f"{words}; {first} is the best with a probability of {percentage(float(ranking.best[order[0]]))}."


def _apart(ranking: Ranking, first: Hashable, second: Hashable) -> bool:
    """Whether one of the two never lost to the other's group, so that the prior alone says how far they are apart."""
    return len(ranking.separated) > 1 and not any(
        first in group and second in group for group in ranking.separated
    )


def _of_separated(one: Difference) -> str:
    """The order of two without a distance."""
    holm = f"({p_with_sign(one.p_holm)} after Holm)"
    if one.distinguishable:
        return f"{one.first} is ahead of {one.second} {holm}"
    return f"{one.first} and {one.second} are not distinguishable {holm}"


def best_in_words(ranking: Ranking, n: int) -> str:
    """The chance of the name at place `n` to be the best; a dash where there are too few answers to rank any."""
    chance = float(ranking.best[n])
    if ranking.judgments < FEWEST_ANSWERS:
        return "–"
    return "< 1 %" if chance < 0.01 else "> 99 %" if chance > 0.99 else percent_in_words(chance)


def _ties(ranking: Ranking) -> list[str]:
    if ranking.judgments < FEWEST_ANSWERS or len(ranking.names) < 3 or only_ties(ranking):
        return []
    names = [ranking.names[n] for n in ranking.order]
    unsure = [
        f"{one} and {other}"
        for one, other in list(pairwise(names))[1:]
        if not ranking.difference(one, other).distinguishable
    ]
    if not unsure:
        return []
    more = f"; and {len(unsure) - MOST_NAMED} more" if len(unsure) > MOST_NAMED else ""
    others = "Neighbours" if ranking.difference(*names[:2]).distinguishable else "Further neighbours"
    return [f"{others} that are not distinguishable: {'; '.join(unsure[:MOST_NAMED])}{more}."]


def count(number: int, one: str, many: str = "") -> str:
    """So many of something: 1 answer, 2,000 answers."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _number(value: float) -> str:
    # + 0.0: no sign before what rounds to zero.
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def _signed_percent(share: float) -> str:
    return f"{100 * share:+.0f} %".replace("-", "−")
