"""The pages of a codec's training on a metric version: asking for it, watching it, what came out."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.core.roles import Reach
from annotation.queues import after_commit
from annotation.views.access import refusals_as_messages, staff_of, staff_required, within_reach
from metric import tasks
from metric.forms import CodecTuningForm
from metric.models import CodecTraining, MetricVersion
from metric.services.codec_requests import (
    cancel_codec_training,
    continue_codec_training,
    request_codec_training,
    training_sources,
)

# From a training to the study whose judgments its metric was trained on.
STUDY = "metric_version__run__study"


@staff_required
@require_http_methods(["GET", "POST"])
@refusals_as_messages
def train_codec(request: HttpRequest, number: int) -> HttpResponse:
    """Asks for a codec that is tuned on a metric version."""
    versions = MetricVersion.objects.select_related("run__snapshot__study")
    versions = within_reach(request, versions, Reach.RUN, by="run__study")
    version = get_object_or_404(versions, number=number)
    form = CodecTuningForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        training = request_codec_training(
            version=version, created_by=staff_of(request), **form.cleaned_data["chosen"]
        )
        after_commit(tasks.send_codec_training, training)
        return redirect(training)
    context = {"section": "metric", "version": version, "form": form, "sources": training_sources(version)}
    return render(request, "metric/train_codec.html", context)


@staff_required
@require_safe
def codec_training(request: HttpRequest, pk: int) -> HttpResponse:
    """How far a codec's training is, its curve, and the codec that came of it."""
    trainings = CodecTraining.objects.select_related("metric_version", "codec_version", "created_by")
    training = get_object_or_404(within_reach(request, trainings, Reach.DATA, by=STUDY), pk=pk)
    context = {"section": "metric", "training": training, "status": status_of(training)}
    return render(request, "metric/codec_training.html", context)


@never_cache
@staff_required
@require_safe
def codec_training_status(request: HttpRequest, pk: int) -> JsonResponse:
    """The same for the page's script."""
    trainings = within_reach(request, CodecTraining.objects.all(), Reach.DATA, by=STUDY)
    return JsonResponse(status_of(get_object_or_404(trainings, pk=pk)))


def status_of(training: CodecTraining) -> dict[str, Any]:
    """State, steps and log as the page shows them; `over` once nothing will change any more."""
    words = f"training · {training.stage_done:,} of {training.stage_total:,} steps"
    if training.state == CodecTraining.State.QUEUED:
        words = "waiting for a worker"
    elif training.cancel_requested and training.state == CodecTraining.State.RUNNING:
        words = "stopping at the next step"
    return {
        "state": training.state,
        "outcome": training.outcome,
        "words": words,
        "done": training.stage_done,
        "total": training.stage_total,
        "log": training.log,
        "rows": len(training.curve),
        "over": training.state in (CodecTraining.State.DONE, CodecTraining.State.FAILED),
    }


@staff_required
@require_POST
@refusals_as_messages
def cancel_codec(request: HttpRequest, pk: int) -> HttpResponse:
    """Stops a training at its next step."""
    trainings = within_reach(request, CodecTraining.objects.all(), Reach.RUN, by=STUDY)
    training = get_object_or_404(trainings, pk=pk)
    cancel_codec_training(training=training)
    messages.info(
        request, "The training stops at its next step. It can be continued from its last saved state."
    )
    return redirect(training)


@staff_required
@require_POST
@refusals_as_messages
def continue_codec(request: HttpRequest, pk: int) -> HttpResponse:
    """Continues a training that failed or was cancelled."""
    trainings = within_reach(request, CodecTraining.objects.all(), Reach.RUN, by=STUDY)
    training = get_object_or_404(trainings, pk=pk)
    continue_codec_training(training=training)
    after_commit(tasks.send_codec_training, training)
    return redirect(training)


@staff_required
@require_safe
def codec_weights(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The weights that a training made, as a file."""
    trainings = within_reach(request, CodecTraining.objects.exclude(codec_version=None), Reach.DATA, by=STUDY)
    training = get_object_or_404(trainings, pk=pk)
    version = training.codec_version
    assert version is not None
    return FileResponse(
        version.weights.open("rb"), as_attachment=True, filename=f"{version.name}.safetensors"
    )
