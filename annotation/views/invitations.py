"""Personal links to a study: made, handed out as CSV, and who came by them."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.db.models.query import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from rest_framework.request import Request

from annotation.core.roles import Reach
from annotation.errors import Refused
from annotation.models import Enrolment, Invitation, Study
from annotation.services.visitors import invite
from annotation.views.access import refusals_as_messages, staff_required, study_or_404
from annotation.views.arrival import INVITATION, number_of
from annotation.views.paging import page_by_pk
from annotation.views.study import study_page
from psychometrics.tables import TableWriter

A_PAGE = 100
INVITATION_COLUMNS = ("note", "link", "created_at", "used_at", "annotator", "state")


@dataclass(frozen=True)
class Invited:
    """An invitation as its researcher sees it."""

    invitation: Invitation
    link: str
    annotator: str
    state: str


@never_cache
@staff_required
@require_http_methods(["GET", "HEAD", "POST"])
@refusals_as_messages
def invitations(request: HttpRequest, slug: str) -> HttpResponse:
    """The study's invitations, newest first, and a form for more."""
    study = study_or_404(request, slug, Reach.RUN)
    if request.method == "POST":
        made = invite(study=study, number=_number(request), note=request.POST.get("note", "").strip())
        messages.success(request, f"{len(made)} invitation{'s' * (len(made) > 1)} made.")
        return redirect("study-invitations", study.slug)
    page = page_by_pk(request, _rows(study), size=A_PAGE)
    shown = described(request, study, page.rows)
    return study_page(request, study, "study-invitations", page=page, invited=shown)


def _number(request: HttpRequest) -> int:
    output = request.POST.get("number", "")
    if not output.isascii() or not output.isdigit() or len(output) > 6:
        raise Refused(f"{output[:20]!r} is not a number of invitations. Write a number such as 20.")
    return int(output)


def _rows(study: Study) -> QuerySet[Invitation]:
    return Invitation.objects.filter(study=study).select_related("annotator")


def described(request: HttpRequest | Request, study: Study, rows: list[Invitation]) -> list[Invited]:
    """Invitations with their links and what came of them."""
    door = request.build_absolute_uri(reverse("judge", args=[study.key]))
    enrolments = Enrolment.objects.filter(study=study, annotator__in=[row.annotator_id for row in rows])
    held: dict[UUID | None, Enrolment] = {enrolment.annotator_id: enrolment for enrolment in enrolments}
    return [
        Invited(
            row,
            f"{door}?{INVITATION}={row.key}",
            number_of(row.annotator),
            _state(row, held.get(row.annotator_id)),
        )
        for row in rows
    ]


def _state(invitation: Invitation, enrolment: Enrolment | None) -> str:
    if enrolment is None:
        return "forgotten" if invitation.used_at else "not used yet"
    if enrolment.returned_at:
        return "returned"
    if enrolment.screened_out_by:
        return f"screened out by {enrolment.screened_out_by.replace('_', ' ')}"
    return "finished" if enrolment.finished_at else "began"


@staff_required
@require_safe
def invitations_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """Every invitation with its link, for a mailing list."""
    study = study_or_404(request, slug, Reach.RUN)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{study.slug}-invitations.csv"'
    lines = TableWriter(response, INVITATION_COLUMNS, line_end="\r\n")
    for one in described(request, study, list(_rows(study).order_by("pk"))):
        times = (one.invitation.created_at, one.invitation.used_at)
        lines.row([one.invitation.note, one.link, *times, one.annotator, one.state])
    return response
