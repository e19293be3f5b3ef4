"""The ranking in parts: by photograph, layout, pixel ratio and response time, and with and without each exclusion.

Ranked are methods, over all levels together or at one of them. Kept in the shared cache as the results are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.core.cache import cache
from django.db.models import F, IntegerField
from django.db.models.functions import Cast, Round
from numpy.typing import NDArray

from annotation.core.protocol import LAYOUTS
from annotation.models import Enrolment, Study
from annotation.models.judging import response_ms
from annotation.reports.comparisons import StudyVotes, numbered, votes_and_columns
from annotation.reports.exclusions import reason_group, rule_in_words
from annotation.reports.results import AT_ONCE, CACHED_S, cache_works, source_names
from psychometrics.comparisons import Comparisons, Ints, ScaleError
from psychometrics.conditions import THE_ORIGINAL
from psychometrics.ranking import Ranking, rank
from psychometrics.results import level_of_rows, within_levels
from psychometrics.sentences import signed

# Of the form of what is kept: raise it when the classes change.
CACHE_VERSION = 2
MOST_RATIOS = 6
FEWEST_FOR_TIMES = 80
NOT_RECORDED = "not recorded"
LAYOUT_WORDS = {"side": "side by side", "toggle": "in one place by key", "flicker": "flickering in one place"}


@dataclass(frozen=True)
class Group:
    """Some of the votes and their ranking; `why` where there is none. `source`: the photograph that they are about."""

    name: str
    judgments: int
    annotators: int
    ranking: Ranking | None
    why: str = ""
    source: int | None = None


@dataclass(frozen=True)
class Cut:
    """All votes in groups by one circumstance; `words` says what moves most. One group alone is no cut."""

    name: str
    title: str
    groups: tuple[Group, ...]
    words: str


@dataclass(frozen=True)
class Breakdown:
    """The cuts of one population's votes at one level, or over all levels (None)."""

    population: str
    level: float | None
    levels: tuple[float, ...]
    bitrates: frozenset[float]
    own_methods: tuple[str, ...]
    judgments: int
    whole: Group
    cuts: tuple[Cut, ...]


def cached_breakdown(study: Study, population: str, level: float | None, votes: int) -> Breakdown | None:
    """The breakdown of so many votes, computed now where they are few; None where a worker must."""
    kept: Breakdown | None = cache.get(_key(study, population, level, votes))
    if kept is None and (votes <= AT_ONCE or not cache_works()):
        return compute_breakdown(study, population, level, votes)
    return kept


def compute_breakdown(study: Study, population: str, level: float | None, votes: int) -> Breakdown:
    """Compute the breakdown and keep it in the shared cache, by the votes that the pairs counted."""
    computed = breakdown(study, population, level)
    cache.set(_key(study, population, level, votes), computed, CACHED_S)
    return computed


def _key(study: Study, population: str, level: float | None, votes: int) -> str:
    return f"breakdown-{CACHE_VERSION}-{study.key}-{population}-{level}-{votes}"


def breakdown(study: Study, population: str, level: float | None = None) -> Breakdown:
    """Every cut of one population's votes."""
    simulated = population == "simulated"
    columns = (
        numbered("layout", {word: n for n, word in enumerate(LAYOUTS)}),
        Cast(Round(100 * F("dpr")), IntegerField()),
        Cast(response_ms(), IntegerField()),
    )
    votes, (layout, ratio, ms) = votes_and_columns(study, simulated=simulated, excluded=True, columns=columns)
    levels = level_of_rows(votes.comparisons)
    at = ~np.isnan(levels) if level is None else levels == level
    reasons = _reasons(study, votes)
    counted = at & (reasons == "")
    whole = _group("all", votes, counted)
    cut = _Cutter(votes, counted, whole)
    cuts = [
        _by_photograph(study, votes, cut),
        cut("layout", "By layout", _by_layout(layout)),
        cut("pixel-ratio", "By pixel ratio", _by_ratio(ratio[counted], ratio)),
        cut("response-time", "By response time", _by_time(ms[counted], ms)),
        _by_exclusion(study, votes, at, reasons, whole),
    ]
    known = tuple(float(one) for one in np.unique(levels[np.isfinite(levels)]))
    return Breakdown(
        population=population,
        level=level,
        levels=known,
        bitrates=study.bitrates,
        own_methods=study.own_methods,
        judgments=whole.judgments,
        whole=whole,
        cuts=tuple(one for one in cuts if len(one.groups) > 1),
    )


Mask = NDArray[np.bool_]
Named = tuple[str, Mask]


@dataclass(frozen=True)
class _Cutter:
    """Cuts the votes that count into groups."""

    votes: StudyVotes
    counted: Mask
    whole: Group

    def __call__(self, name: str, title: str, masks: Iterator[Named]) -> Cut:
        groups = [_group(words, self.votes, self.counted & mask) for words, mask in masks]
        groups = [group for group in groups if group.judgments]
        return Cut(name, title, tuple(groups), in_words(self.whole, groups))


def _group(name: str, votes: StudyVotes, mask: Mask, source: int | None = None) -> Group:
    rows = votes.comparisons.where(mask)
    ranking, why = _ranked(rows)
    return Group(name, rows.judgments, rows.annotators or 0, ranking, why, source)


def _ranked(rows: Comparisons) -> tuple[Ranking | None, str]:
    if not len(rows.first):
        return None, "no answers"
    methods = within_levels(rows).only_seen()
    reference = THE_ORIGINAL.method if THE_ORIGINAL.method in methods.names else None
    try:
        return rank(methods, reference=reference), ""
    except ScaleError as error:
        return None, str(error)


def _reasons(study: Study, votes: StudyVotes) -> NDArray[np.str_]:
    """Of each vote why its annotator is excluded; "" for those who count."""
    rows = Enrolment.objects.excluded().filter(study=study).values_list("annotator_id", "excluded_by")
    by_annotator = {annotator: reason_group(reason) for annotator, reason in rows}
    each = np.array([by_annotator.get(UUID(who), "") for who in votes.annotators] or [""], dtype=np.str_)
    annotator = votes.comparisons.annotator
    if annotator is None:  # nobody signed, so nobody can be excluded
        return np.full(votes.choice.size, "", dtype=np.str_)
    return np.asarray(each[annotator] if annotator.size else each[:0])


def _by_photograph(study: Study, votes: StudyVotes, cut: _Cutter) -> Cut:
    names = source_names(study, votes.sources)
    source = votes.comparisons.source
    if source is None:
        return Cut("photograph", "By photograph", (), "")
    groups = [
        _group(name, votes, cut.counted & (source == n), votes.sources[n]) for n, name in enumerate(names)
    ]
    groups = sorted((group for group in groups if group.judgments), key=lambda group: group.name)
    return Cut("photograph", "By photograph", tuple(groups), in_words(cut.whole, groups))


def _by_layout(layout: Ints) -> Iterator[Named]:
    for n, word in enumerate(LAYOUTS):
        yield LAYOUT_WORDS[word], layout == n
    yield NOT_RECORDED, layout < 0


def _by_ratio(counted: Ints, ratio: Ints) -> Iterator[Named]:
    """The commonest ratios (in hundredths) by size, the others together."""
    values, number = np.unique(counted[counted >= 0], return_counts=True)
    common = np.sort(values[np.argsort(-number, kind="stable")[:MOST_RATIOS]])
    for value in common:
        yield f"{value / 100:g}", ratio == value
    yield "others", (ratio >= 0) & ~np.isin(ratio, common)
    yield NOT_RECORDED, ratio < 0


def _by_time(counted: Ints, ms: Ints) -> Iterator[Named]:
    """Quarters of the answers that count, from the fastest, and those without a time, which have -1.

    None where the answers with a time are too few to be cut.
    """
    timed = counted[counted >= 0]
    if timed.size < FEWEST_FOR_TIMES:
        return
    ends = [float(end) for end in np.quantile(timed, (0.25, 0.5, 0.75))]
    words = [f"{end / 1000:.1f}" for end in ends]
    yield f"under {words[0]} s", (ms >= 0) & (ms < ends[0])
    yield f"{words[0]} to {words[1]} s", (ms >= ends[0]) & (ms < ends[1])
    yield f"{words[1]} to {words[2]} s", (ms >= ends[1]) & (ms < ends[2])
    yield f"over {words[2]} s", ms >= ends[2]
    yield NOT_RECORDED, ms < 0


def _by_exclusion(study: Study, votes: StudyVotes, at: Mask, reasons: NDArray[np.str_], whole: Group) -> Cut:
    """As shown, without any exclusion, and with each rule alone lifted."""
    given = sorted(set(reasons[at]) - {""})
    if not given:
        return Cut("exclusion", "With and without exclusions", (), "")
    masks = [("as shown", at & (reasons == "")), ("nobody excluded", at)]
    if len(given) > 1:
        masks += [
            (f"without the rule: {rule_in_words(str(one), study.rules)}", at & np.isin(reasons, ("", one)))
            for one in given
        ]
    groups = [_group(name, votes, mask) for name, mask in masks]
    return Cut("exclusion", "With and without exclusions", tuple(groups), in_words(whole, groups))


def in_words(whole: Group, groups: Sequence[Group]) -> str:
    """Which method moves most in one of the groups, against all votes that count; "" where nothing can be said."""
    if whole.ranking is None:
        return whole.why
    place = {name: n for n, name in enumerate(whole.ranking.names)}
    moves: list[tuple[float, str]] = []
    for group in groups:
        ranking = group.ranking
        if ranking is None or set(ranking.names) != set(place):
            continue
        for n, name in enumerate(ranking.names):
            moved = float(ranking.values[n] - whole.ranking.values[place[name]])
            inside = ranking.low[n] <= whole.ranking.values[place[name]] <= ranking.high[n]
            side = "inside" if inside else "outside"
            words = (
                f"{name} moves most: by {signed(moved)} JND in “{group.name}”; its value over all answers lies {side} "
                "its 95 % interval there."
            )
            moves.append((abs(moved), words))
    return max(moves)[1] if moves else ""
