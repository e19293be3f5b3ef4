"""A study as its annotators see it, at any time and from any section, through the same pages; no row is kept.

Pages get rows that were never saved. How far a preview is stands in the researcher's own log-in session; its pairs
follow from the study and their place alone.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.core.questionnaire import AFTER, load_questions
from annotation.core.roles import Reach
from annotation.errors import Refused, StudyNotReady
from annotation.languages import language_of
from annotation.models import Enrolment, Study
from annotation.services.arrival import steps_of
from annotation.services.preview_pictures import PreviewPair, pair_at, picture_at
from annotation.services.questionnaires import MOMENTS, STEPS
from annotation.services.visitors import Visitor
from annotation.views.access import staff_required, study_or_404
from annotation.views.arrival import page, step_page
from annotation.views.finish import completion_links_of
from annotation.views.languages import chosen_language
from annotation.views.questionnaire import questionnaire_page

# Sections of the setup that a preview can begin at; others begin with the arrival.
SECTIONS = {
    "session": "training",
    "pair": "pairs",
    "pairs": "pairs",
    "checks": "pairs",
    "after": "end",
    "panel": "end",
}


@dataclass(frozen=True)
class PreviewSession:
    """What the judging page asks of a session."""

    key: str
    answered: int = 0


def _shown_to(request: HttpRequest, slug: str) -> Study:
    """The study, with the page in the language that its annotators read."""
    study = study_or_404(request, slug, Reach.DATA)
    translation.activate(chosen_language(request, study) or language_of(request, study))
    return study


@never_cache
@staff_required
@require_safe
def preview(request: HttpRequest, slug: str) -> HttpResponse:
    """Begins with the first step on arrival, or where the section asked for is seen."""
    study = study_or_404(request, slug, Reach.DATA)
    section = SECTIONS.get(request.GET.get("at", ""), "")
    steps = steps_of(study)
    if section == "end":
        return redirect(_end_of(study))
    if section or not steps:
        address = reverse("study-preview-judge", args=[study.slug])
        return redirect(f"{address}?from={section}" if section else address)
    return redirect("study-preview-step", study.slug, steps[0])


@never_cache
@staff_required
@require_http_methods(["GET", "HEAD", "POST"])
def preview_step(request: HttpRequest, slug: str, step: str) -> HttpResponse:
    """A step on arrival, or the questions at the end; whatever is sent, the next one follows."""
    study = _shown_to(request, slug)
    steps = [*steps_of(study), STEPS[AFTER]]
    if step not in steps:
        return redirect("study-preview", study.slug)
    if request.method == "POST":
        return redirect(_after(study, step, steps))
    address = reverse("study-preview-step", args=[study.slug, step])
    enrolment = Enrolment(study=study)
    if step in MOMENTS:
        return questionnaire_page(request, enrolment, MOMENTS[step], action=address, preview=True)
    return step_page(request, Visitor(study, enrolment=enrolment), step, action=address, preview=True)


def _after(study: Study, step: str, steps: list[str]) -> str:
    if step == steps[-1]:
        return reverse("study-preview-end", args=[study.slug])
    if step == steps[-2]:
        return reverse("study-preview-judge", args=[study.slug])
    return reverse("study-preview-step", args=[study.slug, steps[steps.index(step) + 1]])


def _end_of(study: Study) -> str:
    """The page after the last pair: the study's last questions, where it has any, or the thanks."""
    if load_questions(study.questionnaire, AFTER):
        return reverse("study-preview-step", args=[study.slug, STEPS[AFTER]])
    return reverse("study-preview-end", args=[study.slug])


@never_cache
@staff_required
@require_safe
def preview_judge(request: HttpRequest, slug: str) -> HttpResponse:
    """The judging page, from the practice or from the first pair."""
    study = _shown_to(request, slug)
    skipped = study.rules.training_pairs if request.GET.get("from") == "pairs" else 0
    try:
        pair_at(study, skipped + 1)
    except StudyNotReady as refusal:
        return page(request, "refused", study, status=refusal.status, detail=str(refusal), preview=True)
    request.session[_kept_as(study)] = skipped
    context = {
        "study": study,
        "rules": study.rules,
        "session": PreviewSession(_key(study)),
        "preview": True,
        "api_root": reverse("study-preview-next", args=[study.slug, "x"]).removesuffix("sessions/x/next/"),
        "end_url": _end_of(study),
    }
    return render(request, "annotation/judge.html", context)


@never_cache
@staff_required
@require_safe
def preview_end(request: HttpRequest, slug: str) -> HttpResponse:
    """The last page, with the code and the way back that the study has."""
    study = _shown_to(request, slug)
    return page(request, "finished", study, preview=True, **completion_links_of(study))


# The judging page's endpoints. They take no CSRF token, as those of people do not: nothing is written but how far
# the researcher's own preview is, and only where the page's own header is there.


def _preview_of(request: HttpRequest, slug: str) -> Study:
    study = study_or_404(request, slug, Reach.DATA)
    if request.headers.get("X-Closer-Session") != _key(study):
        raise Refused("This is the preview of a study; open it from the study's pages.")
    return study


def _key(study: Study) -> str:
    return f"preview-{study.slug}"


def _kept_as(study: Study) -> str:
    return f"preview-{study.pk}"


def _progress(study: Study, answered: int) -> dict[str, Any]:
    training = study.rules.training_pairs
    if answered < training:
        return {"answered": answered, "total": training, "stage": "training"}
    return {"answered": answered - training, "total": study.pairs_per_session, "stage": "judging"}


@csrf_exempt
@staff_required
@require_POST
def preview_next(request: HttpRequest, slug: str, key: str) -> JsonResponse:
    """The pair after those in hand, or the end of the session."""
    try:
        study = _preview_of(request, slug)
        answered = int(request.session.get(_kept_as(study), 0))
        held = [_position(one) for one in _body(request).get("holding", [])]
        position = max([answered, *held]) + 1
        progress = _progress(study, answered)
        if position > study.rules.training_pairs + study.pairs_per_session:
            words = "This is where a session ends."
            return JsonResponse({"status": "sitting_over", "detail": words, "progress": progress})
        pair = pair_at(study, position)
    except Refused as refusal:
        return _refusal(refusal)
    return JsonResponse({"status": "pair", "assignment": _assignment(study, pair), "progress": progress})


@csrf_exempt
@staff_required
@require_http_methods(["PUT"])
def preview_judgment(request: HttpRequest, slug: str, pk: str) -> JsonResponse:
    """An answer, which moves the preview on and is kept nowhere."""
    try:
        study = _preview_of(request, slug)
        body = _body(request)
        position = _position(body.get("assignment"))
        pair = pair_at(study, position)
    except Refused as refusal:
        return _refusal(refusal)
    answered = _move_on(request, study, position)
    feedback = {"right": body.get("answer") == pair.closer, "closer": pair.closer} if pair.training else None
    return JsonResponse(
        {"id": str(pk), "progress": _progress(study, answered), "feedback": feedback}, status=201
    )


@csrf_exempt
@staff_required
@require_POST
def preview_skip(request: HttpRequest, slug: str, pk: str) -> JsonResponse:
    """A pair that was flagged or could not be shown; the next one follows."""
    try:
        study = _preview_of(request, slug)
        answered = _move_on(request, study, _position(pk))
    except Refused as refusal:
        return _refusal(refusal)
    return JsonResponse(_progress(study, answered))


@staff_required
@require_safe
def preview_picture(request: HttpRequest, slug: str, position: str, slot: str) -> HttpResponseBase:
    """A picture of the pair at a place."""
    study = study_or_404(request, slug, Reach.DATA)
    try:
        content = picture_at(study, int(position), slot)
    except Refused as refusal:
        return _refusal(refusal)
    response = HttpResponse(content, content_type="image/png")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _move_on(request: HttpRequest, study: Study, position: int) -> int:
    answered = max(int(request.session.get(_kept_as(study), 0)), position)
    request.session[_kept_as(study)] = answered
    return answered


def _position(assignment: Any) -> int:
    number = str(assignment).removeprefix("preview-")
    if not number.isdecimal() or len(number) > 6:
        raise Refused("This pair belongs to no preview.")
    return int(number)


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        content = json.loads(request.body or b"{}")
    except ValueError as error:
        raise Refused("Send JSON.") from error
    if not isinstance(content, dict):
        raise Refused("Send an object.")
    return content


def _assignment(study: Study, pair: PreviewPair) -> dict[str, Any]:
    """As serializers.pair_of has it for people."""
    now = timezone.now()
    return {
        "id": f"preview-{pair.position}",
        "position": pair.position,
        "training": pair.training,
        "images": {
            slot: reverse("study-preview-picture", args=[study.slug, pair.position, slot])
            for slot in ("left", "original", "right")
        },
        "width": pair.source.width,
        "height": pair.source.height,
        "issued_at": now.isoformat(),
        "expires_at": (now + timedelta(seconds=study.lease_seconds)).isoformat(),
    }


def _refusal(refusal: Refused) -> JsonResponse:
    return JsonResponse({"code": refusal.code, "detail": str(refusal)}, status=refusal.status)
