"""What the judging page of a preview asks for. How far a preview is stands in the researcher's own log-in session.

These addresses take no CSRF token, as those of people do not: nothing is written but how far the researcher's own
preview is, and only where the page's own header is there.
"""

import json
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation import tasks
from annotation.core.roles import Reach
from annotation.errors import PreviewPending, Refused
from annotation.models import Study
from annotation.queues import after_commit
from annotation.reports.duration import pairs_of_session
from annotation.services.preview_pictures import PreviewPair, cached_as, pair_at, picture_at
from annotation.views.access import staff_required, study_or_404

# A page that waits for a picture asks again after so many seconds; a worker is told to make it once in a minute.
ASK_AGAIN_S = 2
ORDERED_FOR_S = 60


def order(pending: PreviewPending) -> None:
    """Has a worker make the pictures that a preview waits for."""
    for picture in pending.missing:
        if cache.add(f"{cached_as(*picture)}-ordered", True, ORDERED_FOR_S):
            after_commit(tasks.preview_picture.delay, *picture)


def _preview_of(request: HttpRequest, slug: str) -> Study:
    study = study_or_404(request, slug, Reach.DATA)
    if request.headers.get("X-Closer-Session") != preview_key(study):
        raise Refused("This is the preview of a study. Open it from the study's pages.")
    return study


def preview_key(study: Study) -> str:
    """What stands in the place of a session's key."""
    return f"preview-{study.slug}"


def answered_key(study: Study) -> str:
    """Under which name the researcher's log-in session has how far the preview of the study is."""
    return f"preview-{study.pk}"


def _progress(study: Study, answered: int) -> dict[str, Any]:
    training = study.rules.training_pairs
    if answered < training:
        return {"answered": answered, "total": training, "stage": "training"}
    return {"answered": answered - training, "total": pairs_of_session(study), "stage": "judging"}


@csrf_exempt
@staff_required
@require_POST
def preview_next(request: HttpRequest, slug: str, key: str) -> JsonResponse:
    """The pair after those in hand, or the end of the session."""
    try:
        study = _preview_of(request, slug)
        answered = int(request.session.get(answered_key(study), 0))
        held = [_position(one) for one in _body(request).get("holding", [])]
        position = max([answered, *held]) + 1
        progress = _progress(study, answered)
        if position > study.rules.training_pairs + pairs_of_session(study):
            words = "This is where a session ends."
            return JsonResponse({"status": "sitting_over", "detail": words, "progress": progress})
        pair = pair_at(study, position)
    except PreviewPending as pending:
        order(pending)
        waiting = {"status": "nothing_free", "detail": str(pending), "retry_after_s": ASK_AGAIN_S}
        return JsonResponse(waiting | {"progress": progress})
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
        closer = pair_at(study, position).closer if position <= study.rules.training_pairs else ""
    except Refused as refusal:
        return _refusal(refusal)
    answered = _move_on(request, study, position)
    feedback = {"right": body.get("answer") == closer, "closer": closer} if closer else None
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
    answered = max(int(request.session.get(answered_key(study), 0)), position)
    request.session[answered_key(study)] = answered
    return answered


def _position(assignment: Any) -> int:
    number = str(assignment).removeprefix("preview-")
    if not number.isdecimal() or len(number) > 6:
        raise Refused("This pair does not belong to this preview.")
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
