"""The end of a session: thanks, what it was about, and the way back to the panel once every answer is here."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from annotation.core.questionnaire import AFTER
from annotation.errors import Refused
from annotation.models import Enrolment, Session, Study, Triplet
from annotation.services.claims import session_end
from annotation.services.completion import finish, study_completion
from annotation.services.panels import completion_link
from annotation.services.practice import TRAINING
from annotation.services.questionnaires import questions_due
from annotation.services.sessions import session_progress
from annotation.services.visitors import Visitor
from annotation.views.arrival import (
    browser_visitor,
    keeps_annotator,
    number_of,
    page,
    panel_name,
    refused_page,
)
from annotation.views.languages import in_language_of_study
from annotation.views.questionnaire import questionnaire_page


@never_cache
@require_GET
@in_language_of_study
@keeps_annotator
def end(request: HttpRequest, study: Study) -> HttpResponse:
    """The debrief with the completion code, or why there is none yet (202) or ever."""
    try:
        visitor = browser_visitor(request, study)
        if visitor.enrolment is None:
            return redirect("judge", study.key)
        if visitor.enrolment.screened_out_by:
            return _screened_out(request, study, visitor.enrolment)
        return _finished(request, visitor, visitor.enrolment)
    except Refused as refusal:
        return refused_page(request, study, refusal)


def _finished(request: HttpRequest, visitor: Visitor, enrolment: Enrolment) -> HttpResponse:
    study = visitor.study
    if enrolment.returned_at:
        return page(request, "returned", study, **_common(study, enrolment))
    session = Session.objects.filter(study=study, annotator=enrolment.annotator_id).order_by("-pk").first()
    finished = finish(session) if session else None
    over = None if finished or visitor.is_over or session is None else session_end(session)
    if over:
        completion = study_completion(study, enrolment.annotator_id, nothing_more=over.is_final)
        more = _may_go_on(study, enrolment, paid=False)
        return page(request, "too_few", study, completion=completion, more=more, **_common(study, enrolment))
    if finished is None and not visitor.is_over:
        progress = session_progress(session) if session else None
        return page(request, "waiting", study, status=202, progress=progress, **_common(study, enrolment))
    enrolment = finished or enrolment
    if enrolment.finished_at and questions_due(enrolment, AFTER):
        return questionnaire_page(request, enrolment, AFTER)
    return page(request, "finished", study, again=_may_go_on(study, enrolment), **_common(study, enrolment))


def _common(study: Study, enrolment: Enrolment) -> dict[str, Any]:
    return {"annotator_number": number_of(enrolment.annotator), **completion_links(study)}


def completion_links(study: Study) -> dict[str, Any]:
    """The panel's name, the completion code and the address to go back to."""
    rules = study.rules
    return {
        "panel_name": panel_name(study),
        "code": rules.completion_code,
        "address": completion_link(rules.completion_url, rules.completion_code, rules.panel),
    }


def _screened_out(request: HttpRequest, study: Study, enrolment: Enrolment) -> HttpResponse:
    rules = study.rules
    body = _common(study, enrolment) | {
        "code": rules.screen_out_code,
        "address": completion_link(rules.screen_out_url, rules.screen_out_code, rules.panel),
        "cause": enrolment.screened_out_by,
        "training": enrolment.screened_out_by == TRAINING,
    }
    return page(request, "screened_out", study, **body)


def _may_go_on(study: Study, enrolment: Enrolment, *, paid: bool = True) -> bool:
    """Whether another session can be offered: a panel has paid for one, and there has to be something left."""
    once = paid and enrolment.annotator.external_id
    if study.state != Study.State.OPEN or once or enrolment.excluded_by:
        return False
    return Triplet.objects.open_for(enrolment.annotator, study).exists()
