"""What a study's judgments say, computed once and kept: every figure of the results page, the API and the paper."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from django.core.cache import cache
from django.db.models import Avg, Sum

from annotation.models import Enrolment, Reconstruction, Study
from annotation.reports.agreement import Agreement, study_agreement
from annotation.reports.comparisons import StudyVotes, compared_method, study_votes
from psychometrics.comparisons import Floats, by_pair, listed, meetings, win_rates
from psychometrics.conditions import ComparedMethod
from psychometrics.curves import Curve, CurveError, EqualQuality, equal_quality, rate_quality_curves
from psychometrics.influence import Influence, influences
from psychometrics.reliability import Weighted, weighted
from psychometrics.results import Results, Section, rank_conditions, within_levels
from psychometrics.votes_left import VotesLeft, votes_left

POPULATIONS = ("people", "simulated")
CACHED_S = 7 * 24 * 3600
# Figures of a study with this many votes are computed while a page waits; larger ones by a worker.
AT_ONCE = 2_000
FEW_NEW = 0.01
# To which half-width votes are counted where the study has no rule.
WISHED_HALFWIDTH = 0.3
# Of the form of what is kept: raise it when the classes change.
CACHE_VERSION = 6
# Answers of a larger study are not weighted by reliability on its page; the command line does.
MOST_WEIGHTED = 200_000


@dataclass(frozen=True)
class StudyResults:
    """All figures of one population.

    `bitrates`: which levels are target bitrates, in bpp. `own_methods`: those of own pictures, for their looks.
    `wins`, `met` (k, k) over `methods`: raw shares of row over column within levels, and of how many. `curves` and
    `equal_quality` where levels are joined; `no_curves` says why there are none, or which conditions they lack.
    `unfiltered`: the main scale with the `excluded` annotators. `missing`: how many sources lack votes, by condition.
    `left`: to the study's rule, or WISHED_HALFWIDTH.
    """

    population: str
    bitrates: frozenset[float]
    own_methods: tuple[str, ...]
    judgments: int
    annotators: int
    sources: int
    results: Results
    agreement: Agreement
    methods: tuple[str, ...]
    wins: Floats
    met: Floats
    curves: tuple[Curve, ...]
    equal_quality: tuple[EqualQuality, ...]
    no_curves: str
    weighted: Weighted | None
    people: tuple[Influence, ...]
    photographs: tuple[Influence, ...]
    excluded: int
    unfiltered: Section | None
    missing: tuple[tuple[str, int], ...]
    left: tuple[tuple[float | None, VotesLeft], ...]


def cached_results(study: Study, population: str, votes: int) -> StudyResults | None:
    """The figures as they were last computed, or computed now where the study is small; None where a worker must.

    Of a large study they may lag behind by FEW_NEW of its votes: `stale` is whether a worker should compute it again.
    """
    computed: StudyResults | None = cache.get(_key(study, population))
    if stale(computed, votes) and (votes <= AT_ONCE or (computed is None and not cache_works())):
        return compute_results(study, population)
    return computed


def cache_works() -> bool:
    """Whether the cache's server is there: without it nothing that a worker computes would reach a page."""
    cache.set("results-probe", True, CACHED_S)
    return cache.get("results-probe") is True


def stale(computed: StudyResults | None, votes: int) -> bool:
    """Whether so many votes want other figures than those kept."""
    if computed is None:
        return True
    few = votes * FEW_NEW if votes > AT_ONCE else 0
    return abs(votes - computed.judgments) > few


def compute_results(study: Study, population: str) -> StudyResults:
    """Compute all figures of one population and keep them in the shared cache."""
    computed = study_results(study, population)
    cache.set(_key(study, population), computed, CACHED_S)
    return computed


def _key(study: Study, population: str) -> str:
    return f"results-{CACHE_VERSION}-{study.key}-{population}"


def votes_by_population(study: Study) -> dict[str, int]:
    """How many votes each population has, from the counters of the pairs: a page asks this each time."""
    counted = study.triplets.aggregate(
        people=Sum("votes", default=0), simulated=Sum("simulated_votes", default=0)
    )
    return {name: int(counted[name]) for name in POPULATIONS}


def study_results(study: Study, population: str) -> StudyResults:
    """All figures of one population."""
    simulated = population == "simulated"
    votes = study_votes(study, simulated=simulated)
    rows = votes.comparisons
    results = rank_conditions(rows)
    curves, equal, no_curves = _curves(study, results)
    excluded = Enrolment.objects.excluded().filter(study=study, annotator__simulated=simulated).count()
    within = by_pair(within_levels(rows).only_seen() if len(rows.first) else rows)
    return StudyResults(
        population=population,
        bitrates=study.bitrates,
        own_methods=study.own_methods,
        judgments=rows.judgments,
        annotators=rows.annotators or 0,
        sources=rows.sources or 0,
        results=results.without_rows(),
        agreement=study_agreement(study, votes, simulated=simulated),
        methods=tuple(str(name) for name in within.names),
        wins=win_rates(within),
        met=meetings(within).astype(np.float64),
        curves=curves,
        equal_quality=equal,
        no_curves=no_curves,
        weighted=_weighted(results.main),
        people=_of_people(results.main, votes),
        photographs=_of_photographs(results.main, study, votes),
        excluded=excluded,
        unfiltered=_with_excluded(study, simulated=simulated) if excluded else None,
        missing=_missing(votes),
        left=_left(study, results),
    )


def _curves(study: Study, results: Results) -> tuple[tuple[Curve, ...], tuple[EqualQuality, ...], str]:
    """Quality over bits and the bits of each two methods at equal quality, where one scale holds several levels."""
    if study.ranking_only:
        return (
            (),
            (),
            "Curves over bits require the bits of each condition, and only their names were imported.",
        )
    if results.joined is None or results.joined.ranking is None:
        return (), (), _why_no_curves(results)
    known = _bits(study)
    points = [
        name
        for name in results.joined.ranking.names
        if isinstance(name, ComparedMethod) and name.level is not None
    ]
    bits: dict[Hashable, tuple[str, float]] = {
        name: (name.method, known[name]) for name in points if name in known
    }
    unknown = _unknown_bits(study, [str(name) for name in points if name not in bits])
    try:
        curves = rate_quality_curves(results.joined.ranking, bits)
    except CurveError as error:
        return (), (), f"{error}."
    if not curves:
        return (), (), unknown or _why_no_curves(results)
    pairs = [(one, other) for n, one in enumerate(curves) for other in curves[n + 1 :]]
    equal = tuple(equal_quality(one, other) for one, other in pairs)
    # The draws have served; without them the figures are small enough to keep.
    return tuple(replace(curve, lines=curve.lines[:0]) for curve in curves), equal, unknown


def _why_no_curves(results: Results) -> str:
    if len(results.levels) < 2:
        return "Curves over bitrate require methods at several levels."
    return (
        "No comparison connects the levels, so there is no common scale over bits. Set the study to "
        "compare across levels, or with the original."
    )


def _bits(study: Study) -> dict[ComparedMethod, float]:
    """Mean bits per pixel of each condition over the study's own pictures of it; none where they are not known.

    The level of own pictures may be any number, so it is never taken for their bits.
    """
    shown = Reconstruction.objects.needed_by(study).exclude(bpp=None).order_by()
    rows = shown.values("method", "level").annotate(bits=Avg("bpp")).values_list("method", "level", "bits")
    return {compared_method(method, level): float(bits) for method, level, bits in rows}


def _unknown_bits(study: Study, names: Sequence[str]) -> str:
    """Of which conditions the bits are missing, and where they can be given; "" where they are all known."""
    if not names:
        return ""
    where = (
        "the columns a_bpp and b_bpp of the answers when they are imported"
        if study.origin
        else "the column bpp of the table pictures.csv when the pictures are added"
    )
    return f"Curves over bits lack {listed(names)}: their bits per pixel are not known. Give them in {where}."


def _weighted(section: Section) -> Weighted | None:
    """The main scale weighted by reliability, where that takes no longer than everything else together."""
    few = section.comparisons.judgments <= MOST_WEIGHTED
    return (
        weighted(section.ranking.scale, section.comparisons) if section.ranking is not None and few else None
    )


def _of_people(section: Section, votes: StudyVotes) -> tuple[Influence, ...]:
    """The annotator whose omission changes the main scale most, by the beginning of the annotator's id."""
    rows = section.comparisons
    if section.ranking is None or rows.annotator is None:
        return ()
    names = [who[:8] for who in votes.annotators]
    return tuple(influences(section.ranking.scale, rows, rows.annotator, names)[:5])


def _of_photographs(section: Section, study: Study, votes: StudyVotes) -> tuple[Influence, ...]:
    rows = section.comparisons
    if section.ranking is None or rows.source is None:
        return ()
    names = source_names(study, votes.sources)
    return tuple(influences(section.ranking.scale, rows, rows.source, names)[:5])


def source_names(study: Study, sources: Sequence[int]) -> tuple[str, ...]:
    """What the study calls its photographs."""
    names = dict(study.uses.values_list("source", "name"))
    return tuple(names.get(pk) or f"photograph {pk}" for pk in sources)


def _with_excluded(study: Study, *, simulated: bool) -> Section:
    return rank_conditions(
        study_votes(study, simulated=simulated, excluded=True).comparisons
    ).main.without_rows()


def _missing(votes: StudyVotes) -> tuple[tuple[str, int], ...]:
    """Conditions that have no vote on some photographs, and on how many."""
    rows = votes.comparisons
    if rows.source is None or not len(rows.first):
        return ()
    seen = np.zeros((len(rows.names), len(votes.sources)), dtype=bool)
    for end in (rows.first, rows.second):
        seen[end, rows.source] = True
    return tuple((str(name), int(n)) for name, n in zip(rows.names, (~seen).sum(axis=1), strict=True) if n)


def _left(study: Study, results: Results) -> tuple[tuple[float | None, VotesLeft], ...]:
    """Votes that each deciding scale still needs."""
    wish = study.rules.stop_halfwidth or WISHED_HALFWIDTH
    return tuple(
        (section.level, votes_left(section.ranking, wish))
        for section in results.deciding
        if section.ranking is not None
    )
