"""Reconciliation: a panel's own list of who is done against what we hold."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotation.core.roles import Reach
from annotation.errors import Refused
from annotation.models import Study
from annotation.reports.reconciliation import Row, read_export, reconcile, unrecorded_submissions
from annotation.services.panels import PANEL_NAMES
from annotation.views.access import refusals_as_messages, staff_required, study_or_404
from annotation.views.study import study_page
from psychometrics.tables import TableWriter

MOST_BYTES = 5 * 2**20
COLUMNS = ("external_id", "panel_says", "panel_code", "we_hold", "judgments", "advice")


@never_cache
@staff_required
@require_http_methods(["GET", "HEAD", "POST"])
@refusals_as_messages
def reconciliation(request: HttpRequest, slug: str) -> HttpResponse:
    """A form for the panel's CSV; with one, a table of both sides, or the same as CSV. The file is not kept."""
    study = study_or_404(request, slug, Reach.RUN)
    context: dict[str, Any] = {"panel_name": PANEL_NAMES.get(study.rules.panel, "")}
    if request.method != "POST":
        return study_page(request, study, "study-reconciliation", **context)
    export = read_export(*_uploaded(request))
    rows = reconcile(study=study, export=export)
    if request.POST.get("as") == "csv":
        return _csv(study, rows)
    context |= {"rows": rows, "differ": sum(not row.agrees for row in rows), "compared": True}
    context["gone"] = unrecorded_submissions(study=study, export=export)
    return study_page(request, study, "study-reconciliation", without_id=export.without_id, **context)


def _uploaded(request: HttpRequest) -> tuple[bytes, str]:
    file = request.FILES.get("export")
    if file is None:
        raise Refused(
            "No file was chosen. Export the submissions from the panel as CSV and choose that file."
        )
    if file.size and file.size > MOST_BYTES:
        raise Refused(f"“{file.name}” is larger than {MOST_BYTES // 2**20} MB. Export one study at a time.")
    return file.read(), str(file.name)


def _csv(study: Study, rows: list[Row]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{study.slug}-reconciliation.csv"'
    TableWriter(response, COLUMNS, line_end="\r\n").rows(
        [getattr(row, name) for name in COLUMNS] for row in rows
    )
    return response
