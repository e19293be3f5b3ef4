"""Flags: the pairs that annotators gave back, with their pictures, and what becomes of them."""

from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from annotation import tasks
from annotation.core.roles import Reach
from annotation.models import Triplet
from annotation.queues import after_commit
from annotation.reports.flags import flagged_triplets, with_flags
from annotation.services.flags import SIDES, restore_pair, settle_flags
from annotation.views.access import refusals_as_messages, staff_of, staff_required, study_or_404
from annotation.views.paging import page_by_pk
from annotation.views.study import study_page

PAIRS_A_PAGE = 20


@staff_required
@require_safe
def flags(request: HttpRequest, slug: str) -> HttpResponse:
    """Flagged pairs, the newest pair first: those that wait, or with `?show=all` the settled ones too."""
    study = study_or_404(request, slug, Reach.DATA)
    show_all = request.GET.get("show") == "all"
    page = page_by_pk(request, flagged_triplets(study, only_open=not show_all), size=PAIRS_A_PAGE)
    return study_page(
        request,
        study,
        "study-flags",
        page=replace(page, rows=with_flags(page.rows)),
        show_all=show_all,
        keep="show=all&" if show_all else "",
        any_flag=study.flags.exists(),
    )


@staff_required
@require_POST
@refusals_as_messages
def settle(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Settles the open flags of one pair."""
    study = study_or_404(request, slug, Reach.RUN)
    triplet = get_object_or_404(Triplet.objects.with_images(), study=study, pk=pk)
    waiting = settle_flags(
        triplet=triplet,
        settlement=request.POST.get("settlement", ""),
        by=staff_of(request).get_username(),
        note=request.POST.get("note", ""),
        sides=[side for side in SIDES if side in request.POST.getlist("sides")],
    )
    after_commit(tasks.enqueue_encodings, waiting)
    after_commit(tasks.ask_next.delay)
    words = (
        triplet.flags.latest("settled_at").outcome
        or "It is being encoded again; the result will be shown here."
    )
    messages.success(request, f"Pair {pk} is settled. {words}")
    return redirect("study-flags", slug)


@staff_required
@require_POST
@refusals_as_messages
def put_back(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Shows an excluded pair again."""
    study = study_or_404(request, slug, Reach.RUN)
    triplet = get_object_or_404(Triplet.objects.with_images(), study=study, pk=pk)
    votes = restore_pair(triplet=triplet)
    after_commit(tasks.ask_next.delay)
    messages.success(request, f"Pair {pk} is shown again, and {votes} of its answers count.")
    return redirect("study-flags", slug)
