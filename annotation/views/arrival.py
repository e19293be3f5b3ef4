"""The steps between a study's link and its first pair: one page each, answered by one POST each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from annotation.core import plates, screening
from annotation.core.protocol import Protocol
from annotation.core.questionnaire import AFTER, BEFORE
from annotation.errors import Refused, StudyNotOpen
from annotation.models import Annotator, Enrolment, Session, Study
from annotation.reports.duration import study_duration
from annotation.services.arrival import (
    CHECKS,
    CONSENT,
    arrival_steps,
    next_step,
    record_consent,
    record_step,
    rule_of,
    seed_of,
)
from annotation.services.panels import PANEL_NAMES, panel_entry
from annotation.services.questionnaires import STEPS
from annotation.services.sessions import begin_session, require_open
from annotation.services.visitors import Visitor, admit, find_visitor
from annotation.throttles import client_name
from annotation.views.languages import in_language_of_study
from annotation.views.questionnaire import take_questions

# The cookie by which a browser is known: apart from Django's session, which a log-in or log-out begins anew.
ANNOTATOR = "closer_annotator"
KNOWN_FOR = timedelta(days=90)
# Where browsers were known before.
FORMER = "annotator"
INVITATION = "invitation"
WELCOME = "welcome"
TITLES = {
    WELCOME: gettext_lazy("Welcome"),
    CONSENT: gettext_lazy("Consent"),
    "screen": gettext_lazy("Your screen"),
    "brightness": gettext_lazy("Brightness"),
    "colour_vision": gettext_lazy("Colour vision"),
    "acuity": gettext_lazy("Fine detail"),
    "card": gettext_lazy("Pixel size"),
}
DIRECTIONS = (
    ("up", "↑", gettext_lazy("up")),
    ("right", "→", gettext_lazy("right")),
    ("down", "↓", gettext_lazy("down")),
    ("left", "←", gettext_lazy("left")),
)
QUESTIONS_OF_STRIPS = {
    "dark": gettext_lazy("How many squares do you see in the dark strip?"),
    "light": gettext_lazy("How many squares do you see in the light strip?"),
}


def known_annotator(request: HttpRequest) -> UUID | None:
    """Who judged in this browser before, if anybody did."""
    if key := request.COOKIES.get(ANNOTATOR):
        return Annotator.objects.filter(key=key).values_list("pk", flat=True).first()
    kept = request.session.get(FORMER)
    return UUID(kept) if kept else None


def remember(request: HttpRequest, annotator: Annotator) -> None:
    """This browser is the annotator's from now on; `keeps_annotator` says so in the answer."""
    request.annotator = annotator  # type: ignore[attr-defined]


def keeps_annotator(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For views that call `remember`: the answer has the cookie, which only this site's pages send back."""

    @wraps(view)
    def keeping(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        annotator = getattr(request, "annotator", None)
        if annotator and request.COOKIES.get(ANNOTATOR) != annotator.key:
            response.set_cookie(
                ANNOTATOR,
                annotator.key,
                max_age=KNOWN_FOR,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    return keeping


def browser_visitor(request: HttpRequest, study: Study) -> Visitor:
    """Who asks, by the link and the cookie; makes no row. Refuses links that say something wrong."""
    parameters = dict(request.GET.lists())
    visitor = find_visitor(
        study=study,
        known=known_annotator(request),
        invitation_key=request.GET.get(INVITATION, ""),
        entry=panel_entry(study.rules.panel, parameters),
    )
    if visitor.enrolment:
        remember(request, visitor.enrolment.annotator)
    return visitor


def link_parameters(visitor: Visitor) -> str:
    """The query that takes a first visitor's invitation or panel id along to the next request."""
    parameters = {INVITATION: visitor.invitation.key} if visitor.invitation else {}
    if visitor.entry and not visitor.is_preview:
        parameters |= visitor.entry.as_parameters()
    return f"?{urlencode(parameters)}" if parameters else ""


def first_step(visitor: Visitor) -> str | None:
    """What somebody new sees before any row is made; None where the study asks nothing and knows nobody."""
    rules = visitor.study.rules
    if rules.consent:
        return CONSENT
    return WELCOME if arrival_steps(visitor.study) or visitor.invitation or visitor.entry else None


def number_of(annotator: Annotator | None) -> str:
    """What an annotator is told to be known by."""
    return annotator.id.hex[:8] if annotator else ""


def panel_name(study: Study) -> str:
    """What the panel calls itself; "" where the study has none, or one without a name of its own."""
    return "" if study.rules.panel == "other" else PANEL_NAMES.get(study.rules.panel, "")


def page(request: HttpRequest, name: str, study: Study, *, status: int = 200, **context: Any) -> HttpResponse:
    """A page of arrival or of the end."""
    return render(
        request,
        f"annotation/arrival/{name}.html",
        {"study": study, "rules": study.rules, **context},
        status=status,
    )


def refused_page(request: HttpRequest, study: Study, refusal: Refused) -> HttpResponse:
    """What went wrong, politely; a study that is not open has its page from before."""
    if isinstance(refusal, StudyNotOpen):
        context = {"study": study, "detail": str(refusal)}
        return render(request, "annotation/judge_closed.html", context, status=refusal.status)
    return page(request, "refused", study, status=refusal.status, detail=str(refusal))


def step_page(
    request: HttpRequest, visitor: Visitor, step: str, *, action: str = "", preview: bool = False
) -> HttpResponse:
    """The page of one step, which is sent to `action`, or where people's answers go."""
    study, enrolment = visitor.study, visitor.enrolment
    steps = arrival_steps(study)
    address = reverse("judge-step", args=[study.key, step])
    return page(
        request,
        step,
        study,
        title=TITLES[step],
        step=step,
        number=steps.index(step) + 1 if step in steps else 0,
        steps=len(steps),
        required=step in CHECKS and rule_of(study.rules, step) == "require",
        action=action or (address if enrolment else address + link_parameters(visitor)),
        preview=preview,
        minutes=study_duration(study).rounded,
        annotator_number=number_of(visitor.annotator if enrolment else None),
        panel_name=panel_name(study),
        **(drawings(step, enrolment) if enrolment else {}),
    )


@dataclass(frozen=True)
class Ring:
    """A ring on the page: which one, how wide its gap in device pixels, and its drawing."""

    number: int
    gap: int
    drawing: SafeString


def drawings(step: str, enrolment: Enrolment) -> dict[str, Any]:
    """What the step's page draws; the same after a reload."""
    seed = seed_of(enrolment, step)
    if step == "brightness":
        panels = [
            (tone, QUESTIONS_OF_STRIPS[tone], _drawn(plates.grey_panel(seed, tone)))
            for tone in plates.GROUNDS
        ]
        return {"stairs": _drawn(plates.grey_stairs()), "panels": panels, "most": range(plates.CELLS + 1)}
    if step == "colour_vision":
        return {"plates": [_drawn(plates.colour_plate(seed, number)) for number in range(len(plates.PLATES))]}
    if step == "acuity":
        rings = enumerate(plates.ring_gaps(seed))
        return {
            "rings": [Ring(number, gap, _drawn(plates.ring(side))) for number, (gap, side) in rings],
            "directions": DIRECTIONS,
        }
    return {}


def _drawn(svg: str) -> SafeString:
    return mark_safe(svg)  # noqa: S308 our own drawing, of numbers alone


@never_cache
@require_POST
@in_language_of_study
@keeps_annotator
def take_step(request: HttpRequest, study: Study, step: str) -> HttpResponse:
    """Records one step, once, and continues with whatever comes next."""
    try:
        visitor = browser_visitor(request, study)
        if step == STEPS[AFTER] and visitor.enrolment and visitor.enrolment.finished_at:
            return take_questions(request, visitor.enrolment, None, step)
        require_open(study)
        if step in (CONSENT, WELCOME):
            return _let_in(request, visitor, step)
        if visitor.enrolment and not visitor.is_over and step == STEPS[BEFORE]:
            session = _session_of(request, visitor.enrolment)
            return take_questions(request, visitor.enrolment, session, step)
        if visitor.enrolment and not visitor.is_over and step in CHECKS:
            _record(request, visitor.enrolment, step)
    except Refused as refusal:
        return refused_page(request, study, refusal)
    return redirect("judge", study.key)


def _let_in(request: HttpRequest, visitor: Visitor, step: str) -> HttpResponse:
    rules: Protocol = visitor.study.rules
    if visitor.is_preview or (step == WELCOME and rules.consent):
        return redirect("judge", visitor.study.key)
    if request.POST.get("agree") == "no":
        return page(request, "declined", visitor.study, panel_name=panel_name(visitor.study))
    enrolment = admit(visitor=visitor, known=known_annotator(request))
    if step == CONSENT and rules.consent:
        record_consent(enrolment=enrolment)
    remember(request, enrolment.annotator)
    return redirect("judge", visitor.study.key)


def _session_of(request: HttpRequest, enrolment: Enrolment) -> Session:
    return begin_session(
        study=enrolment.study,
        annotator_id=enrolment.annotator_id,
        simulated=enrolment.annotator.simulated,
        client=client_name(request),
        language=get_language() or "",
    )


def _record(request: HttpRequest, enrolment: Enrolment, step: str) -> None:
    session = _session_of(request, enrolment)
    if next_step(enrolment, session) != step:
        return
    try:
        finding = screening.find(step, enrolment.study.rules, seed_of(enrolment, step), request.POST)
    except screening.ScreeningError as error:
        raise Refused(
            gettext("The answers to this check are incomplete. Go back and send them again.")
        ) from error
    went_on = record_step(enrolment=enrolment, session=session, step=step, finding=finding)
    enrolment.refresh_from_db(fields=["screened_out_by"])
    if not went_on and not enrolment.screened_out_by:
        messages.warning(
            request,
            gettext(
                "This screen does not pass, but the one you used before did. Open the same link there, or try again."
            ),
        )
