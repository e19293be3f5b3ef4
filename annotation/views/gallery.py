"""The gallery: every photograph of a study with what each method made of it, for researchers only."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from annotation.core.conditions import Condition, levels, methods
from annotation.core.roles import Reach
from annotation.models import Reconstruction, Source, Study
from annotation.views.access import staff_required, study_or_404
from annotation.views.paging import page_by_pk
from annotation.views.study import study_page

PHOTOGRAPHS_A_PAGE = 4


@dataclass(frozen=True)
class Shelf:
    """One photograph, and for each level its reconstructions in the order of the study's methods."""

    source: Source
    rows: Sequence[tuple[float, Sequence[Reconstruction | None]]]


@staff_required
@require_safe
def gallery(request: HttpRequest, slug: str) -> HttpResponse:
    """A page of photographs, the first of the study first."""
    study = study_or_404(request, slug, Reach.DATA)
    page = page_by_pk(request, Source.objects.used_in(study), size=PHOTOGRAPHS_A_PAGE, oldest_first=True)
    conditions = study.conditions()
    shelves = shelves_of(study, conditions, page.rows)
    return study_page(
        request, study, "study-gallery", page=page, methods=methods(conditions), shelves=shelves
    )


def shelves_of(study: Study, conditions: Sequence[Condition], sources: Sequence[Source]) -> list[Shelf]:
    """The sources with the study's reconstructions, in one query; None where one was not planned yet."""
    needed = Reconstruction.objects.needed_by(study).filter(source__in=sources)
    found = {(row.source_id, row.condition): row for row in needed}
    return [
        Shelf(
            source,
            [
                (level, [found.get((source.pk, Condition(method, level))) for method in methods(conditions)])
                for level in levels(conditions)
            ],
        )
        for source in sources
    ]
