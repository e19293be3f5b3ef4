"""The gallery: every photograph of a study with what each method made of it, for researchers only."""

from dataclasses import asdict
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from annotation.core.bitrates import level_in_words
from annotation.core.conditions import levels, methods
from annotation.core.roles import Reach
from annotation.models import Study
from annotation.reports.gallery import (
    CSV_COLUMNS,
    ORDERS,
    STATES,
    GalleryFilter,
    csv_rows,
    gallery_rows,
    gallery_totals,
    ordered,
)
from annotation.reports.methods import tuned_methods
from annotation.views.access import staff_required, study_or_404
from annotation.views.study import study_page
from psychometrics.tables import stream

PHOTOGRAPHS_A_PAGE = 4


@staff_required
@require_safe
def gallery(request: HttpRequest, slug: str) -> HttpResponse:
    """A page of photographs; `?photograph=`, `method`, `level` and `show` filter, `order` orders, `page` leads on."""
    study = study_or_404(request, slug, Reach.DATA)
    chosen, order = filter_of(request), request.GET.get("order", "")
    order = order if order in ORDERS else "added"
    sources = ordered(chosen.sources(study), order, study)
    page = Paginator(sources, PHOTOGRAPHS_A_PAGE).get_page(request.GET.get("page"))
    conditions, every = chosen.conditions(study), study.conditions()
    context: dict[str, Any] = {
        "page": page,
        "methods": methods(conditions),
        "rows": gallery_rows(study, conditions, list(page.object_list)),
        "every_method": methods(every),
        "every_level": [(f"{level:g}", level_in_words(level, study.bitrates)) for level in levels(every)],
        "chosen": chosen,
        "order": order,
        "orders": list(ORDERS.items()),
        "states": list(STATES.items()),
        "totals": gallery_totals(study),
        "tuned": tuned_methods(study),
        "filtered": chosen != GalleryFilter(),
        "keep": urlencode(
            {name: value for name, value in (asdict(chosen) | {"order": order}).items() if value}
        ),
    }
    return study_page(request, study, "study-gallery", **context)


@staff_required
@require_safe
def gallery_csv(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """The reconstructions with their figures as CSV, streamed."""
    return reconstructions_as_csv(request, study_or_404(request, slug, Reach.DATA))


def reconstructions_as_csv(request: HttpRequest, study: Study) -> StreamingHttpResponse:
    """The reconstructions that the request's address asks for, as a download."""
    lines = stream(CSV_COLUMNS, csv_rows(study, filter_of(request)))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{study.slug}-reconstructions.csv"'
    return response


def filter_of(request: HttpRequest) -> GalleryFilter:
    """What the request's address filters by."""
    return GalleryFilter(**{name: request.GET.get(name, "") for name in asdict(GalleryFilter())})
