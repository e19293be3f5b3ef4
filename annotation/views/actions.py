"""What a researcher does to a study: every change is a POST, and services decide."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from annotation import tasks
from annotation.core.roles import Reach
from annotation.errors import BadPhotograph, DuplicatePhotograph
from annotation.forms import ConfirmForm
from annotation.models import Study
from annotation.queues import after_commit
from annotation.services import addition, studies
from annotation.services.snapshots import request_snapshot
from annotation.services.sources import add_source
from annotation.views.access import refusals_as_messages, staff_of, staff_required, study_or_404
from annotation.views.study import progress_page


@staff_required
@require_POST
@refusals_as_messages
def add_photographs(request: HttpRequest, slug: str) -> HttpResponse:
    """Each file on its own: the good ones are kept, each of the others gets its own message."""
    study = study_or_404(request, slug, Reach.RUN)
    studies.require_draft(study)
    files = request.FILES.getlist("photographs")
    words = {name: request.POST.get(name, "").strip() for name in ("licence", "attribution")}
    added = 0
    for file in files:
        try:
            add_source(study=study, file=file.read(), name=file.name or "photograph", **words)
            added += 1
        except (BadPhotograph, DuplicatePhotograph) as refusal:
            messages.error(request, str(refusal))
    if not files:
        messages.error(request, "No file was chosen. Choose one or more photographs, then add them.")
    if not added:
        return progress_page(request, study, status=400)
    messages.success(request, f"{added} photograph{'s' * (added > 1)} added.")
    return redirect(study)


@staff_required
@require_POST
@refusals_as_messages
def open_study(request: HttpRequest, slug: str) -> HttpResponse:
    """Freezes the study and sends its reconstructions to the workers."""
    study = study_or_404(request, slug, Reach.RUN)
    planned = studies.open_study(study=study, large_by_worker=True)
    _send_to_workers(study, planned)
    messages.success(
        request, f"“{study}” is open. Share its link; pairs are handed out as soon as they are encoded."
    )
    return redirect(study)


@staff_required
@require_POST
@refusals_as_messages
def pause_study(request: HttpRequest, slug: str) -> HttpResponse:
    """No more pairs are handed out."""
    study = study_or_404(request, slug, Reach.RUN)
    studies.pause_study(study=study)
    messages.success(request, f"“{study}” is paused. All answers are kept; open it again to go on.")
    return redirect(study)


@staff_required
@require_POST
@refusals_as_messages
def close_study(request: HttpRequest, slug: str) -> HttpResponse:
    """Ends the study, once somebody said that they mean it."""
    study = study_or_404(request, slug, Reach.RUN)
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Tick the box to say that you mean it: a closed study stays closed.")
        return redirect("study-settings", study.slug)
    studies.close_study(study=study)
    messages.success(request, f"“{study}” is closed. Its judgments are kept.")
    return redirect(study)


@staff_required
@require_POST
@refusals_as_messages
def add_codec(request: HttpRequest, slug: str) -> HttpResponse:
    """One more codec for a study that is under way, once somebody said that they mean it."""
    study = study_or_404(request, slug, Reach.RUN)
    codec = request.POST.get("codec", "")
    if not ConfirmForm(request.POST).is_valid():
        messages.error(request, "Tick the box to say that you mean it: a codec that was added stays.")
        return redirect("study-settings", study.slug)
    planned = addition.add_codec(study=study, codec=codec, by=staff_of(request), large_by_worker=True)
    _send_to_workers(study, planned)
    made = f"{len(planned)} reconstructions are" if planned else "its reconstructions are"
    messages.success(request, f"{codec} joins “{study}”: {made} being made.")
    return redirect(study)


@staff_required
@require_POST
@refusals_as_messages
def retry_failed(request: HttpRequest, slug: str) -> HttpResponse:
    """Sends the failed reconstructions to the workers again."""
    study = study_or_404(request, slug, Reach.RUN)
    again = studies.retry_failed(study=study)
    _send_to_workers(study, again)
    if again:
        messages.success(request, f"{len(again)} reconstruction{'s' * (len(again) > 1)} will be tried again.")
    else:
        messages.info(request, "Nothing had failed, so there was nothing to try again.")
    return redirect(study)


@staff_required
@require_POST
@refusals_as_messages
def make_snapshot(request: HttpRequest, slug: str) -> HttpResponse:
    """Asks for a snapshot of the judgments up to now."""
    study = study_or_404(request, slug, Reach.DATA)
    simulated = request.POST.get("population") == "simulated"
    snapshot = request_snapshot(study=study, simulated=simulated, created_by=staff_of(request))
    after_commit(tasks.snapshot.delay, snapshot.pk)
    messages.success(request, f"Snapshot {snapshot} is being made.")
    return redirect("study-snapshots", study.slug)


def _send_to_workers(study: Study, reconstructions: list[int]) -> None:
    """Rows are the truth: if the broker is away, beat finds what waits and sends it later."""
    after_commit(tasks.enqueue_encodings, reconstructions)
    if Study.objects.filter(pk=study.pk, unplanned=True).exists():
        after_commit(tasks.plan.delay, study.pk)
