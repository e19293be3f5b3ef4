"""What a study's judgments say: of people or of programs, never of both at once."""

from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from annotation import tasks
from annotation.core.roles import Reach
from annotation.models import Study
from annotation.queues import after_commit
from annotation.reports.results import kept_results, stale, votes_by_population
from annotation.views.access import staff_required, study_or_404
from annotation.views.result_figures import page_of
from annotation.views.study import study_page

# A worker is asked for the same figures again after so long.
ASKED_AGAIN_S = 120


@staff_required
@require_safe
def results(request: HttpRequest, slug: str) -> HttpResponse:
    """The figures of one population, as they were last computed."""
    return results_page(request, study_or_404(request, slug, Reach.RESULTS))


def results_page(request: HttpRequest, study: Study, *, shared: bool = False) -> HttpResponse:
    """The page for members, or for whoever has a link to the results alone."""
    counts = votes_by_population(study)
    population = population_of(request.GET.get("population"), counts)
    told: dict[str, Any] = {"population": population, "counts": counts, "shared": shared}
    if counts[population]:
        found = kept_results(study, population, counts[population])
        if stale(found, counts[population]):
            ask_worker(study, population)
        told["computing"] = found is None
        if found is not None:
            told |= page_of(found) | {"newer": max(0, counts[population] - found.judgments)}
    return study_page(request, study, "study-results", **told)


def population_of(asked: str | None, counts: dict[str, int]) -> str:
    """The population that is asked for; people, unless only programs answered."""
    if asked in counts:
        return str(asked)
    return "simulated" if counts["simulated"] > counts["people"] == 0 else "people"


def ask_worker(study: Study, population: str) -> None:
    """Have the figures computed, once for all who ask meanwhile."""
    if cache.add(f"results-asked-{study.key}-{population}", True, ASKED_AGAIN_S):
        after_commit(tasks.results.delay, study.pk, population)
