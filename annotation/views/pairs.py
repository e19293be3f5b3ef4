"""The triplets of a study with their votes, a page at a time, and as CSV."""

from dataclasses import asdict, replace

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from annotation.core.bitrates import level_in_words
from annotation.core.conditions import levels, methods
from annotation.core.roles import Reach
from annotation.models import Study
from annotation.reports.pairs import (
    ACROSS,
    COMPUTED,
    CSV_COLUMNS,
    ORDERS,
    PairFilter,
    csv_rows,
    in_order,
    votes_of,
    with_flag_count,
)
from annotation.services.flags import open_flags
from annotation.views.access import staff_required, study_or_404
from annotation.views.paging import Page, page_by_column
from annotation.views.study import study_page
from psychometrics.tables import stream

PAIRS_A_PAGE = 50
BY_VOTES = {"none": "No votes yet", "some": "Some votes", "all": "All votes in"}


@staff_required
@require_safe
def pairs(request: HttpRequest, slug: str) -> HttpResponse:
    """The triplets and their votes; `?photograph=`, `method`, `level`, `votes` and `known` filter, `order` orders."""
    study = study_or_404(request, slug, Reach.DATA)
    chosen, order = filter_of(request), order_of(request)
    conditions = study.conditions()
    return study_page(
        request,
        study,
        "study-pairs",
        page=page_of_pairs(request, study),
        open_flags=open_flags(study),
        flagged=study.flags.exists(),
        total=chosen.apply(study).count(),
        chosen=chosen,
        order=order,
        orders=[(name, words) for name, (words, _, _) in ORDERS.items()],
        methods=methods(conditions),
        levels=[(f"{level:g}", level_in_words(level, study.bitrates)) for level in levels(conditions)],
        across=ACROSS if study.triplets.filter(level=None).exists() else "",
        by_votes=list(BY_VOTES.items()),
        filtered=chosen != PairFilter(),
        keep=_kept(chosen, order),
    )


@staff_required
@require_safe
def pairs_csv(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """The same pairs as CSV, streamed."""
    return pairs_as_csv(request, study_or_404(request, slug, Reach.DATA))


def pairs_as_csv(request: HttpRequest, study: Study) -> StreamingHttpResponse:
    """The pairs that the request's address asks for, as a download."""
    lines = stream(CSV_COLUMNS, csv_rows(study, filter_of(request).apply(study)))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{study.slug}-pairs.csv"'
    return response


def filter_of(request: HttpRequest) -> PairFilter:
    """What the request's address filters by."""
    return PairFilter(**{name: request.GET.get(name, "") for name in asdict(PairFilter())})


def order_of(request: HttpRequest) -> str:
    """The order that the request names, else that in which pairs were made."""
    requested = request.GET.get("order", "")
    return requested if requested in ORDERS else "made"


def _kept(chosen: PairFilter, order: str) -> str:
    kept = {name: value for name, value in (asdict(chosen) | {"order": order}).items() if value}
    return f"{urlencode(kept)}&" if kept != {"order": "made"} else ""


def page_of_pairs(request: HttpRequest, study: Study) -> Page:
    """(triplet, its votes by population) of the pairs that the request asks for."""
    order = order_of(request)
    _, column, descending = ORDERS[order]
    rows = in_order(with_flag_count(filter_of(request).apply(study)), order, study)
    page = page_by_column(
        request, rows, column, size=PAIRS_A_PAGE, descending=descending, keys_first=order in COMPUTED
    )
    votes = votes_of(study, [triplet.pk for triplet in page.rows])
    return replace(page, rows=[(triplet, votes.get(triplet.pk, [])) for triplet in page.rows])
