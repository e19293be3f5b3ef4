"""The annotators of a study with their figures, a page at a time, and how many came how far."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.db.models import Max, Q
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from annotation.core.roles import Reach
from annotation.models import Enrolment, Study
from annotation.reports.leave_one_out import LeaveOneOut, leave_one_out
from annotation.reports.people import attrition, enrolled, matching, rules_on, study_people
from annotation.reports.results import cached_results, stale, votes_by_population
from annotation.reports.stages import with_stage
from annotation.views.access import may, staff_of, staff_required, study_or_404
from annotation.views.paging import Page, page_by_column
from annotation.views.results import ask_worker
from annotation.views.study import study_page

PEOPLE_A_PAGE = 50
LONGEST_ID = 200

# Which of them `?show=` asks for.
FILTERS: dict[str, tuple[str, Q]] = {
    "all": ("Everybody", Q()),
    "people": ("People", Q(annotator__simulated=False)),
    "simulated": ("Simulated", Q(annotator__simulated=True)),
    "finished": ("Finished", Q(finished_at__isnull=False)),
    "screened": ("Screened out", ~Q(screened_out_by="")),
    "excluded": ("Excluded", ~Q(excluded_by="")),
    "signs": ("With signs", Q(signs__gt=0)),
}


def page_of_people(request: HttpRequest, study: Study) -> Page:
    """Annotators of the requested kind: those with the most signs first, among equals the newest."""
    condition = FILTERS.get(request.GET.get("show", ""), FILTERS["all"])[1]
    panel_ids = may(staff_of(request), study, Reach.RUN)
    who = matching(request.GET.get("find", "")[:LONGEST_ID], panel_ids=panel_ids)
    rows = with_stage(enrolled(study).filter(condition, who), study)
    page = page_by_column(request, rows, "signs", size=PEOPLE_A_PAGE, descending=True)
    return replace(page, rows=list(study_people(study, page.rows)))


@staff_required
@require_safe
def people(request: HttpRequest, slug: str) -> HttpResponse:
    """Who judged, how well, how many came how far, and who is excluded: the most suspicious first."""
    study = study_or_404(request, slug, Reach.DATA)
    show = request.GET.get("show", "")
    show = show if show in FILTERS else "all"
    find = request.GET.get("find", "").strip()[:LONGEST_ID]
    page = page_of_people(request, study)
    changes = leave_one_out_of_page(study, [person.enrolment for person in page.rows])
    return study_page(
        request,
        study,
        "study-people",
        page=page,
        rows=[(person, changes[person.id]) for person in page.rows],
        filters=[(name, label) for name, (label, _) in FILTERS.items()],
        show=show,
        find=find,
        keep=f"{urlencode({'show': show, 'find': find})}&" if find or show != "all" else "",
        stages=attrition(study),
        figures_at=study.enrolments.aggregate(at=Max("figures_at"))["at"],
        rules_on=rules_on(study.rules),
    )


def leave_one_out_of_page(study: Study, enrolments: Sequence[Enrolment]) -> dict[UUID, LeaveOneOut]:
    """What would change without each, people and programs apart; a worker is asked where the figures are too old."""
    changes: dict[UUID, LeaveOneOut] = {}
    votes = votes_by_population(study)
    for population, simulated in (("people", False), ("simulated", True)):
        rows = [row for row in enrolments if row.annotator.simulated is simulated]
        if not rows:
            continue
        results = cached_results(study, population, votes[population]) if votes[population] else None
        if votes[population] and stale(results, votes[population]):
            ask_worker(study, population)
        changes |= leave_one_out(study, results, rows)
    return changes
