"""The gallery: every photograph of a study with what each codec made of it, for researchers only."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from annotation.models import Reconstruction, Source, Study
from annotation.models.stimulus import as_decimal
from annotation.views.access import staff_required
from annotation.views.paging import page_by_pk
from annotation.views.study import study_page

PHOTOGRAPHS_A_PAGE = 4


@dataclass(frozen=True)
class Shelf:
    """One photograph, and for each bitrate its reconstructions in the order of the study's codecs."""

    source: Source
    rows: Sequence[tuple[float, Sequence[Reconstruction | None]]]


@staff_required
@require_safe
def gallery(request: HttpRequest, slug: str) -> HttpResponse:
    """A page of photographs, the first of the study first."""
    study = get_object_or_404(Study, slug=slug)
    page = page_by_pk(request, Source.objects.used_in(study), size=PHOTOGRAPHS_A_PAGE, oldest_first=True)
    return study_page(request, study, "study-gallery", page=page, shelves=shelves_of(study, page.rows))


def shelves_of(study: Study, sources: Sequence[Source]) -> list[Shelf]:
    """The sources with the study's reconstructions, in one query; None where one was not planned yet."""
    needed = Reconstruction.objects.needed_by(study).filter(source__in=sources)
    found = {(row.source_id, row.codec, row.target_bpp): row for row in needed}
    bitrates = sorted(study.target_bpps)
    return [
        Shelf(
            source,
            [
                (bpp, [found.get((source.pk, codec, as_decimal(bpp))) for codec in study.codecs])
                for bpp in bitrates
            ],
        )
        for source in sources
    ]
