"""What a researcher decides about annotators and pairs: whom to leave out, which answers are known."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from annotation import tasks
from annotation.core.roles import Reach
from annotation.models import Enrolment, Triplet
from annotation.queues import after_commit
from annotation.services.annotator_quality import exclude_by_hand, undo_exclusion_by_hand
from annotation.services.known import set_known
from annotation.views.access import came_from, refusals_as_messages, staff_of, staff_required, study_or_404


@staff_required
@require_POST
def refresh(request: HttpRequest, slug: str) -> HttpResponse:
    """Asks a worker for the figures of everybody in the study."""
    study = study_or_404(request, slug, Reach.RUN)
    after_commit(tasks.quality.delay, study.pk)
    messages.success(request, "The figures are being computed. Reload the page in a moment.")
    return redirect("study-people", study.slug)


@staff_required
@require_POST
@refusals_as_messages
def exclude(request: HttpRequest, slug: str, annotator: UUID) -> HttpResponse:
    """Excludes an annotator by hand."""
    enrolment = get_object_or_404(
        Enrolment, study=study_or_404(request, slug, Reach.RUN), annotator=annotator
    )
    exclude_by_hand(
        enrolment=enrolment, reason=request.POST.get("reason", ""), by=staff_of(request).get_username()
    )
    after_commit(tasks.ask_next.delay)
    messages.success(
        request,
        f"{annotator.hex[:8]} is excluded. The answers are kept but not counted; the pairs are judged again.",
    )
    return redirect("study-people", slug)


@staff_required
@require_POST
@refusals_as_messages
def include(request: HttpRequest, slug: str, annotator: UUID) -> HttpResponse:
    """Undoes an exclusion by hand."""
    enrolment = get_object_or_404(
        Enrolment, study=study_or_404(request, slug, Reach.RUN), annotator=annotator
    )
    undo_exclusion_by_hand(enrolment=enrolment)
    after_commit(tasks.ask_next.delay)
    messages.success(request, f"{annotator.hex[:8]} counts again; the rules of the study apply again.")
    return redirect("study-people", slug)


@staff_required
@require_POST
@refusals_as_messages
def set_known_answer(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Keeps an expert's answer to a pair, or takes it back."""
    triplet = get_object_or_404(Triplet, study=study_or_404(request, slug, Reach.RUN), pk=pk)
    set_known(triplet=triplet, known=request.POST.get("known", ""))
    messages.success(request, f"The expert's answer to pair {pk} is saved.")
    return redirect(came_from(request))
