"""The judging room's door."""

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import activate, get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from annotation.core.languages import SOURCE_LANGUAGE
from annotation.core.questionnaire import BEFORE
from annotation.core.roles import Reach
from annotation.errors import Refused
from annotation.models import Study
from annotation.reports.duration import session_total
from annotation.services.arrival import QUESTIONS, SCREENED_OUT, enrol, next_step
from annotation.services.sessions import begin_session, require_open
from annotation.services.visitors import Visitor
from annotation.throttles import client_name
from annotation.views.access import may
from annotation.views.arrival import (
    browser_visitor,
    first_step,
    keeps_annotator,
    number_of,
    page,
    refused_page,
    remember,
    step_page,
)
from annotation.views.languages import in_language_of_study
from annotation.views.questionnaire import questionnaire_page

# In the address of a member of the study who wants to be an annotator all the same.
TAKE_PART = "take-part"


@never_cache
@require_GET
@in_language_of_study
@keeps_annotator
def judge(request: HttpRequest, study: Study) -> HttpResponse:
    """The next step of whoever opens the study's link: a page of arrival, the pairs, or the end.

    Nothing is written for somebody new, so that previews of links and passers-by leave no trace, but where the
    study asks for nothing and its link is for everybody: there the pairs come at once.
    """
    try:
        visitor = browser_visitor(request, study)
        if visitor.is_over:
            return redirect("judge-end", study.key)
        require_open(study)
        if visitor.is_preview:
            return page(request, "preview", study)
        if _is_researchers(request, visitor):
            activate(SOURCE_LANGUAGE)  # as all pages for researchers
            return page(request, "researcher", study)
        if visitor.enrolment is None and (step := first_step(visitor)):
            return step_page(request, visitor, step)
        return _next_page(request, visitor)
    except Refused as refusal:
        return refused_page(request, study, refusal)


def _is_researchers(request: HttpRequest, visitor: Visitor) -> bool:
    """Whether a member of the study has opened its bare link, and has not said that they want to take part."""
    if visitor.enrolment or visitor.invitation or visitor.entry or TAKE_PART in request.GET:
        return False
    user = request.user
    return isinstance(user, User) and may(user, visitor.study, Reach.RESULTS)


def _next_page(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    study = visitor.study
    known = visitor.annotator.pk if visitor.annotator else None
    session = begin_session(
        study=study,
        annotator_id=known,
        simulated=visitor.annotator is not None and visitor.annotator.simulated,
        client=client_name(request),
        language=get_language() or "",
    )
    remember(request, session.annotator)
    enrolment = visitor.enrolment or enrol(study, session.annotator)
    step = next_step(enrolment, session)
    if step == SCREENED_OUT:
        return redirect("judge-end", study.key)
    if step == QUESTIONS:
        return questionnaire_page(request, enrolment, BEFORE)
    if step:
        return step_page(request, Visitor(study, session.annotator, enrolment), step)
    context = {
        "study": study,
        "session": session,
        "rules": study.rules,
        "total": max(session.answered, session_total(session)),
        "annotator_number": number_of(session.annotator),
    }
    return render(request, "annotation/judge.html", context)
