"""The pages of the metric: its versions, a version's model card, a training run."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.core.roles import Reach
from annotation.models import Snapshot, Study
from annotation.queues import after_commit
from annotation.views.access import (
    reachable_studies,
    refusals_as_messages,
    require_all_within_reach,
    staff_of,
    staff_required,
    study_or_404,
    within_reach,
)
from annotation.views.paging import page_by_pk
from metric import tasks
from metric.forms import RetrainRuleForm, TrainingForm
from metric.models import MetricVersion, TableStep, TrainingRun
from metric.reports.disagreements import version_disagreements
from metric.reports.run_time import run_time
from metric.services import promotion
from metric.services.requests import cancel_training, request_training
from metric.services.schedule import rule_of, standings, study_standing
from metric.services.table_requests import pending_step
from metric.services.versions import open_download, version_downloads

VERSIONS_SHOWN = 20
RUNS_A_PAGE = 25
STAGES = {
    "verify": "checking the snapshot",
    "snapshot": "waiting for its snapshot",
    "images": "reading the pictures",
    "features": "comparing the pictures",
    "fit": "fitting the heads",
    "evaluate new": "scoring the new version",
    "evaluate promoted": "scoring the version in use",
    "curve": "drawing the learning curve",
    "write": "writing the version",
    "keep": "storing the version",
    "fine-tune": "fine-tuning the trunk",
    "allocation": "ranking the next pairs",
}


def versions_reached(request: HttpRequest, reach: Reach) -> QuerySet[MetricVersion]:
    """Versions that were trained on studies in which the researcher may do so much."""
    return within_reach(request, MetricVersion.objects.all(), reach, by="run__study")


@staff_required
@require_safe
def metric_list(request: HttpRequest) -> HttpResponse:
    """The versions with the one in use, and the runs that make them."""
    studies = reachable_studies(request, Reach.DATA)
    versions = MetricVersion.objects.filter(run__study__in=studies.values("pk")).order_by("-number")
    versions = versions.select_related("run__snapshot__study", "promoted_by")
    all_runs = TrainingRun.objects.filter(study__in=studies.values("pk"))
    runs = all_runs.select_related("snapshot__study", "version")
    page = page_by_pk(request, runs, size=RUNS_A_PAGE)
    context = {
        "section": "metric",
        "versions": versions[:VERSIONS_SHOWN],
        "promoted": versions.filter(promoted=True).first(),
        "in_use": MetricVersion.objects.filter(promoted=True).exists,
        "page": page,
        "standings": standings(studies),
        "pending": all_runs.pending().order_by("-state", "pk"),
        "can_roll_back": promotion.used_before().filter(run__study__in=studies.values("pk")).exists(),
        "snapshots_ready": Snapshot.objects.filter(
            state=Snapshot.State.DONE, study__in=studies.values("pk")
        ).exists(),
    }
    return render(request, "metric/metric_list.html", context)


@staff_required
@require_safe
def training_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Progress, log and result of a run."""
    runs = TrainingRun.objects.select_related("snapshot__study", "version", "created_by")
    run = get_object_or_404(within_reach(request, runs, Reach.DATA), pk=pk)
    context = {"section": "metric", "run": run, "status": status_of(run)}
    return render(request, "metric/training_run.html", context)


@never_cache
@staff_required
@require_safe
def run_status(request: HttpRequest, pk: int) -> JsonResponse:
    """The same for the page's script."""
    runs = within_reach(request, TrainingRun.objects.all(), Reach.DATA)
    return JsonResponse(status_of(get_object_or_404(runs, pk=pk)))


def status_of(run: TrainingRun) -> dict[str, Any]:
    """State, stage and log as a page shows them; `over` once nothing will change any more."""
    counted = f"{run.stage_done:,} of {run.stage_total:,}" if run.stage_total > 1 else ""
    words = " · ".join(word for word in (stage_in_words(run.stage), counted) if word)
    if run.state == TrainingRun.State.QUEUED:
        words = "waiting for a worker"
    step = pending_step(run)
    if step is not None:
        words = _step_in_words(step)
    stopping = run.cancel_requested and run.state == TrainingRun.State.RUNNING
    time = run_time(run)
    return {
        "state": run.state,
        "outcome": run.outcome,
        "time": time.words if time else "",
        "words": "stopping at the next step" if stopping else words,
        "done": (step or run).stage_done,
        "total": (step or run).stage_total,
        "log": run.log,
        "over": step is None and run.state in (TrainingRun.State.DONE, TrainingRun.State.FAILED),
    }


def _step_in_words(step: TableStep) -> str:
    counted = f"{step.stage_done:,} of {step.stage_total:,}" if step.stage_total > 1 else ""
    doing = stage_in_words(step.stage) or "waiting for a worker that has nothing else to do"
    return " · ".join(word for word in (f"slow rows of the table: {doing}", counted) if word)


def stage_in_words(stage: str) -> str:
    """A stage of training as one says it; a baseline's stage names the baseline."""
    return STAGES.get(stage) or stage.replace("evaluate ", "scoring ")


@staff_required
@require_http_methods(["GET", "POST"])
@refusals_as_messages
def train(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks for a run on a snapshot: at once with the usual settings, or with those of a form.

    `?like=RUN` fills the form in with what another run was made with.
    """
    snapshots = within_reach(request, Snapshot.objects.select_related("study"), Reach.RUN)
    snapshot = get_object_or_404(snapshots, pk=pk)
    if request.method == "POST" and "kind" not in request.POST:
        return _ask_for_run(request, snapshot, {})
    if request.method == "POST":
        form = TrainingForm(request.POST)
        if form.is_valid():
            return _ask_for_run(request, snapshot, form.cleaned_data["settings"])
    else:
        number = request.GET.get("like", "")
        known = number.isdecimal() and len(number) < 19
        runs = within_reach(request, TrainingRun.objects.all(), Reach.DATA)
        model = runs.filter(pk=number).first() if known else None
        form = TrainingForm.like(model.config if model else {})
    several = [form["nets"], form["kind"], form["terms"]]
    context = {"section": "metric", "snapshot": snapshot, "form": form, "several": several}
    return render(request, "metric/train.html", context)


@staff_required
@require_POST
@refusals_as_messages
def train_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks for a run like another: on its snapshot, with its settings."""
    runs = within_reach(request, TrainingRun.objects.select_related("snapshot"), Reach.RUN)
    run = get_object_or_404(runs, pk=pk)
    return _ask_for_run(request, run.snapshot, run.config)


def _ask_for_run(request: HttpRequest, snapshot: Snapshot, config: dict[str, Any]) -> HttpResponse:
    run = request_training(
        snapshot=snapshot,
        config=config,
        trigger=TrainingRun.Trigger.HAND,
        created_by=staff_of(request),
    )
    after_commit(tasks.send, run)
    return redirect(run)


@staff_required
@require_POST
@refusals_as_messages
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stops a run at its next step."""
    run = get_object_or_404(within_reach(request, TrainingRun.objects.all(), Reach.RUN), pk=pk)
    cancel_training(run=run)
    messages.info(request, "The run stops at its next step. Its cached vectors are kept for the next run.")
    return redirect(run)


@staff_required
@require_safe
def metric_version(request: HttpRequest, number: int) -> HttpResponse:
    """The model card of a version."""
    versions = MetricVersion.objects.select_related("run__snapshot__study", "promoted_by")
    version = get_object_or_404(within_reach(request, versions, Reach.DATA, by="run__study"), number=number)
    context = {
        "section": "metric",
        "version": version,
        "step_status": status_of(version.run) if pending_step(version.run) else None,
        "disagreements": version_disagreements(version),
        "downloads": version_downloads(version),
        "promotion_rule": promotion.RULE,
    }
    return render(request, "metric/metric_version.html", context)


@staff_required
@require_POST
@refusals_as_messages
def promote(request: HttpRequest, number: int) -> HttpResponse:
    """Puts a version to use, with the reason."""
    version = get_object_or_404(versions_reached(request, Reach.RUN), number=number)
    version = promotion.promote_version(
        version=version, reason=request.POST.get("reason", ""), by=staff_of(request)
    )
    messages.success(request, f"Version {version.number} is in use now.")
    return redirect(version)


def may_go_back(request: HttpRequest, versions: QuerySet[MetricVersion]) -> None:
    """Raises PermissionDenied for whoever may not run the studies that these versions learned from."""
    require_all_within_reach(
        request, versions, Reach.RUN, by="run__study", otherwise=promotion.MAY_NOT_GO_BACK
    )


@staff_required
@require_POST
@refusals_as_messages
def back(request: HttpRequest) -> HttpResponse:
    """Puts the version that was in use before back to use."""
    may_go_back(request, promotion.replaced_by_roll_back())
    version = promotion.roll_back(reason=request.POST.get("reason", ""), by=staff_of(request))
    messages.success(request, f"Version {version.number} is in use again.")
    return redirect(version)


@staff_required
@require_POST
@refusals_as_messages
def stock(request: HttpRequest) -> HttpResponse:
    """Takes the version in use out of use."""
    may_go_back(request, MetricVersion.objects.filter(promoted=True))
    version = promotion.back_to_stock(reason=request.POST.get("reason", ""), by=staff_of(request))
    messages.success(request, f"Version {version.number} is no longer in use; stock LPIPS is used instead.")
    return redirect("metric-list")


@staff_required
@require_http_methods(["GET", "POST"])
def schedule(request: HttpRequest, slug: str) -> HttpResponse:
    """When a study's metric is trained again, to read and to change."""
    study = study_or_404(request, slug, Reach.RUN)
    if study.state == Study.State.DRAFT:
        raise Http404("A draft has no judgments to train on.")
    rule = rule_of(study)
    form = RetrainRuleForm(request.POST or None, instance=rule)
    settings = TrainingForm(request.POST) if request.method == "POST" else TrainingForm.like(rule.config)
    if request.method == "POST" and form.is_valid() and settings.is_valid():
        rule.config = settings.differing()
        form.save()
        messages.success(request, f"The schedule of “{study}” was saved.")
        return redirect("metric-list")
    context = {
        "section": "metric",
        "study": study,
        "form": form,
        "settings": settings,
        "several": [settings["nets"], settings["kind"], settings["terms"]],
        "standings": study_standing(study=study),
    }
    status = 400 if form.errors or settings.errors else 200
    return render(request, "metric/schedule.html", context, status=status)


@staff_required
@require_safe
@refusals_as_messages
def version_file(request: HttpRequest, number: int, name: str) -> HttpResponseBase:
    """One file of a version: its heads, the whole as safetensors, its model card, or as ONNX."""
    version = get_object_or_404(versions_reached(request, Reach.DATA), number=number)
    path = open_download(version=version, name=name)
    return FileResponse(path.open("rb"), as_attachment=True, filename=f"closer-metric-{number}-{name}")


@staff_required
@require_safe
def version_archive(request: HttpRequest, number: int) -> HttpResponseBase:
    """The version's whole folder as a zip file."""
    version = get_object_or_404(versions_reached(request, Reach.DATA), number=number)
    return FileResponse(
        version.archive.open("rb"), as_attachment=True, filename=f"closer-metric-{number}.zip"
    )
