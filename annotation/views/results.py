"""What a study's judgments say: of people or of programs, never of both at once."""

from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from annotation import tasks
from annotation.core.roles import Reach
from annotation.errors import NoResults
from annotation.models import Study
from annotation.queues import after_commit
from annotation.reports.methods import tuned_methods
from annotation.reports.results import StudyResults, cached_results, stale, votes_by_population
from annotation.views.access import may, staff_of, staff_required, study_or_404
from annotation.views.result_figures import page_of
from annotation.views.study import study_page

# A worker is asked for the same figures again after so long.
RETRY_S = 120


@staff_required
@require_safe
def results(request: HttpRequest, slug: str) -> HttpResponse:
    """The figures of one population, as they were last computed."""
    study = study_or_404(request, slug, Reach.RESULTS)
    return results_page(
        request,
        study,
        files=reverse("study-figures", args=[study.slug]),
        breakdown=reverse("study-breakdown", args=[study.slug]),
    )


def results_page(
    request: HttpRequest, study: Study, *, files: str, breakdown: str, shared: bool = False
) -> HttpResponse:
    """The page for members, or for whoever has a link to the results alone.

    `files` and `breakdown` are the addresses of the figures' files and of the results in parts.
    """
    counts = votes_by_population(study)
    population = requested_population(request.GET.get("population"), counts)
    context: dict[str, Any] = {
        "population": population,
        "counts": counts,
        "shared": shared,
        "files": files,
        "breakdown_url": breakdown,
        "can_share": not shared and may(staff_of(request), study, Reach.OWN),
    }
    if counts[population]:
        kept = cached_results(study, population, counts[population])
        if stale(kept, counts[population]):
            ask_worker(study, population)
        context["computing"] = kept is None
        if kept is not None:
            newer = max(0, counts[population] - kept.judgments)
            # Answers that came in while the figures were computed: the page has one number of them.
            context["counts"] = counts | {population: kept.judgments + newer}
            context |= page_of(kept) | {"newer": newer, "tuned": tuned_methods(study)}
    return study_page(request, study, "study-results", **context)


def requested_population(requested: str | None, counts: dict[str, int]) -> str:
    """The population that a request names; people, unless only programs answered."""
    if requested in counts:
        return str(requested)
    return "simulated" if counts["simulated"] > counts["people"] == 0 else "people"


def current_results(study: Study, population: str | None) -> StudyResults:
    """The results as they were last computed, for files. Raises NoResults where there are none (yet)."""
    counts = votes_by_population(study)
    whose = requested_population(population, counts)
    if not counts[whose]:
        what = "simulated annotators" if whose == "simulated" else "people"
        raise NoResults(f"“{study}” has no judgments by {what} yet, so there is nothing to publish.")
    kept = cached_results(study, whose, counts[whose])
    if stale(kept, counts[whose]):
        ask_worker(study, whose)
    if kept is None:
        raise NoResults("The figures are being computed. Try again in a few seconds.")
    return kept


def ask_worker(study: Study, population: str) -> None:
    """Have the figures computed, once for all who ask meanwhile."""
    if cache.add(f"results-requested-{study.key}-{population}", True, RETRY_S):
        after_commit(tasks.results.delay, study.pk, population)
