"""The judging room's door."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from annotation.errors import StudyNotOpen
from annotation.models import Study
from annotation.services.sittings import begin_session

ANNOTATOR = "annotator"


@never_cache
@require_GET
def judge(request: HttpRequest, key: str) -> HttpResponse:
    """The judging page of the study with this key; whoever knows the link may judge."""
    study = get_object_or_404(Study, key=key)
    try:
        session = begin_session(study=study, annotator_id=known_annotator(request))
    except StudyNotOpen as refusal:
        told = {"study": study, "detail": str(refusal)}
        return render(request, "annotation/judge_closed.html", told, status=refusal.status)
    request.session[ANNOTATOR] = str(session.annotator_id)
    return render(request, "annotation/judge.html", {"study": study, "session": session})


def known_annotator(request: HttpRequest) -> UUID | None:
    """Who judged in this browser before, if anybody did."""
    kept = request.session.get(ANNOTATOR)
    return UUID(kept) if kept else None
