"""The ranking by photograph, layout, pixel ratio and response time, and with and without each exclusion."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from annotation import tasks
from annotation.charts import inline
from annotation.core.conditions import levels
from annotation.core.roles import Reach
from annotation.errors import NoResults
from annotation.models import Reconstruction, Source, Study
from annotation.models.stimulus import as_decimal
from annotation.queues import after_commit
from annotation.reports.breakdown import Breakdown, Cut, Group, cached_breakdown
from annotation.reports.breakdown_exhibits import breakdown_exhibits
from annotation.reports.results import votes_by_population
from annotation.views.access import staff_required, study_or_404
from annotation.views.results import RETRY_S, requested_population
from annotation.views.study import study_page
from psychometrics.sentences import signed


@dataclass(frozen=True)
class Shown:
    """A cut as it stands in the page."""

    name: str
    title: str
    svg: SafeString
    caption: str
    cut: Cut


@dataclass(frozen=True)
class Card:
    """A photograph with its pictures at the levels looked at, to be flipped through, and what was said about it."""

    group: Group
    source: Source | None
    pictures: Sequence[Reconstruction]
    order: str


@staff_required
@require_safe
def breakdown(request: HttpRequest, slug: str) -> HttpResponse:
    """One figure for each circumstance; `?level=` looks at one level."""
    study = study_or_404(request, slug, Reach.RESULTS)
    return breakdown_page(
        request,
        study,
        files=reverse("study-figures", args=[study.slug]),
        back=reverse("study-results", args=[study.slug]),
    )


def breakdown_page(
    request: HttpRequest, study: Study, *, files: str, back: str, shared: bool = False
) -> HttpResponse:
    """The page for members, or for whoever has a link to the results: without photographs, which are not shared.

    `files` and `back` are the addresses of the figures' files and of the results.
    """
    counts = votes_by_population(study)
    population = requested_population(request.GET.get("population"), counts)
    level = level_of(study, request.GET.get("level"))
    context: dict[str, Any] = {
        "population": population,
        "counts": counts,
        "level": level,
        "levels": levels(study.conditions()),
        "files": files,
        "back": back,
        "shared": shared,
    }
    if counts[population]:
        computed = cached_or_queued(study, population, level, counts[population])
        context["computing"] = computed is None
        if computed is not None:
            cards = [] if shared else _cards(study, computed)
            context |= {"breakdown": computed, "cuts": _shown(computed), "cards": cards}
    return study_page(request, study, "study-breakdown", **context)


def level_of(study: Study, requested: str | None) -> float | None:
    """The level that a request names, if the study has it; None for all together."""
    return next((one for one in levels(study.conditions()) if f"{one:g}" == requested), None)


def cached_or_queued(study: Study, population: str, level: float | None, votes: int) -> Breakdown | None:
    """The breakdown as it was computed; where a worker must compute it, it is told to, once."""
    computed = cached_breakdown(study, population, level, votes)
    if computed is None and cache.add(f"breakdown-requested-{study.key}-{population}-{level}", True, RETRY_S):
        after_commit(tasks.breakdown.delay, study.pk, population, level, votes)
    return computed


def current_breakdown(study: Study, population: str, level: float | None = None) -> Breakdown:
    """The breakdown for files. Raises NoResults while it is being computed."""
    votes = votes_by_population(study)[population]
    computed = cached_or_queued(study, population, level, votes)
    if computed is None:
        raise NoResults("The figures are being computed. Try again in a few seconds.")
    return computed


def _shown(computed: Breakdown) -> list[Shown]:
    return [
        Shown(exhibit.name, cut.title, inline(exhibit.scene), exhibit.caption, cut)
        for cut, exhibit in zip(computed.cuts, breakdown_exhibits(computed), strict=True)
        if exhibit.scene is not None
    ]


def _cards(study: Study, computed: Breakdown) -> list[Card]:
    """The photographs of the cut by photograph, with their pictures."""
    groups = next((cut.groups for cut in computed.cuts if cut.name == "photograph"), (computed.whole,))
    pks = [group.source for group in groups if group.source is not None]
    sources = Source.objects.with_pixels().in_bulk(pks)
    made = Reconstruction.objects.needed_by(study).filter(state=Reconstruction.State.DONE, source__in=pks)
    if computed.level is not None:
        made = made.filter(level=as_decimal(computed.level))
    pictures: dict[int, list[Reconstruction]] = {}
    for row in made.exclude(origin=Reconstruction.Origin.ORIGINAL).order_by("level", "method"):
        pictures.setdefault(row.source_id, []).append(row)
    return [
        Card(group, sources.get(group.source), pictures.get(group.source, []), _order(group))
        for group in groups
        if group.source is not None
    ]


def _order(group: Group) -> str:
    """The methods on this photograph, the best first, with their strengths."""
    ranking = group.ranking
    if ranking is None:
        return group.why
    return ", ".join(f"{ranking.names[n]} {signed(float(ranking.values[n]))}" for n in ranking.order)
