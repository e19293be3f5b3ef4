"""What a researcher does to a study: every change is a POST, and services decide."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe
from rest_framework.request import Request

from annotation import tasks
from annotation.core.roles import Reach
from annotation.errors import Refused
from annotation.forms.fields import ConfirmForm
from annotation.models import Study
from annotation.queues import after_commit
from annotation.services import addition, studies, study_files
from annotation.services.snapshots import request_snapshot
from annotation.services.study_files import unpacked
from annotation.views.access import may, refusals_as_messages, staff_of, staff_required, study_or_404


def copy_for(request: HttpRequest | Request, study: Study, *, name: str = "") -> Study:
    """A copy that the researcher of the request owns, with a panel's codes if they run the study."""
    user = staff_of(request)
    codes = may(user, study, Reach.RUN)
    copy = study_files.copy_study(study=study, owner=user, name=name, panel_codes=codes)
    tasks.send_to_measure(copy)
    return copy


def study_file_response(request: HttpRequest | Request, study: Study) -> HttpResponse:
    """The study file as an answer, with a panel's codes if the researcher of the request runs the study."""
    text = study_files.export_study(study, panel_codes=may(staff_of(request), study, Reach.RUN))
    return HttpResponse(text, content_type="application/toml; charset=utf-8")


@staff_required
@require_POST
@refusals_as_messages
def copy_study(request: HttpRequest, slug: str) -> HttpResponse:
    """A draft with the same rules and stimuli, to change and open."""
    study = study_or_404(request, slug, Reach.DATA)
    copy = copy_for(request, study)
    messages.success(request, f"“{copy}” is a draft with everything of “{study}” except its answers.")
    return redirect("study-setup", copy.slug, "stimuli")


@staff_required
@require_POST
@refusals_as_messages
def delete_draft(request: HttpRequest, slug: str) -> HttpResponse:
    """Deletes a draft, once somebody said that they mean it."""
    study = study_or_404(request, slug, Reach.OWN)
    if not ConfirmForm(request.POST).is_valid():
        messages.error(request, "Tick the box to confirm: a deleted draft cannot be restored.")
        return redirect("study-setup", study.slug, "review")
    name = str(study)
    studies.delete_draft(study=study)
    messages.success(request, f"The draft “{name}” is deleted.")
    return redirect("study-list")


@staff_required
@require_POST
@refusals_as_messages
def archive_study(request: HttpRequest, slug: str) -> HttpResponse:
    """Takes a closed study out of the list, or puts it back."""
    study = study_or_404(request, slug, Reach.OWN)
    archived = studies.archive_study(study=study, back="back" in request.POST)
    where = "is in the archive" if archived else "is in the list again"
    messages.success(request, f"“{study}” {where}. All of its data are kept.")
    return redirect("study-list")


@staff_required
@require_safe
def study_file(request: HttpRequest, slug: str) -> HttpResponse:
    """The study file, to keep or to make the same study from."""
    study = study_or_404(request, slug, Reach.DATA)
    response = study_file_response(request, study)
    response.headers["Content-Disposition"] = f'attachment; filename="{study.slug}.toml"'
    return response


@staff_required
@require_POST
@refusals_as_messages
def study_from_file(request: HttpRequest) -> HttpResponse:
    """A draft from a study file, with a zip of what it names where it names files."""
    file, archive = request.FILES.get("file"), request.FILES.get("archive")
    if file is None:
        raise Refused("No file was chosen. Choose a study file (TOML).")
    text, owner = file.read(), staff_of(request)
    if archive is None:
        study = study_files.create_from_file(text=text, owner=owner)
    else:
        with unpacked(archive) as folder:
            study = study_files.create_from_file(text=text, folder=folder, owner=owner)
    tasks.send_to_measure(study)
    messages.success(request, f"“{study}” was created as a draft from the file.")
    return redirect(study)


@staff_required
@require_POST
@refusals_as_messages
def open_study(request: HttpRequest, slug: str) -> HttpResponse:
    """Freezes the study and sends its reconstructions to the workers."""
    study = study_or_404(request, slug, Reach.RUN)
    planned = studies.open_study(study=study, large_by_worker=True)
    tasks.send_to_workers(study, planned)
    link = "Its link for the panel is on People › Panel" if study.rules.panel != "none" else "Share its link"
    messages.success(request, f"“{study}” is open. {link}; pairs are handed out as soon as they are encoded.")
    return redirect(study)


@staff_required
@require_POST
@refusals_as_messages
def pause_study(request: HttpRequest, slug: str) -> HttpResponse:
    """No more pairs are handed out."""
    study = study_or_404(request, slug, Reach.RUN)
    studies.pause_study(study=study)
    messages.success(request, f"“{study}” is paused. All answers are kept; open it again to continue.")
    return redirect(study)


@staff_required
@require_POST
@refusals_as_messages
def close_study(request: HttpRequest, slug: str) -> HttpResponse:
    """Ends the study, once somebody said that they mean it."""
    study = study_or_404(request, slug, Reach.RUN)
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Tick the box to confirm: a closed study cannot be opened again.")
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
        messages.error(request, "Tick the box to confirm: a codec cannot be removed once it is added.")
        return redirect("study-settings", study.slug)
    planned = addition.add_codec(study=study, codec=codec, by=staff_of(request), large_by_worker=True)
    tasks.send_to_workers(study, planned)
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
    tasks.send_to_workers(study, again)
    if again:
        messages.success(request, f"{len(again)} reconstruction{'s' * (len(again) > 1)} will be tried again.")
    else:
        messages.info(request, "No encoding had failed, so there is nothing to retry.")
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
