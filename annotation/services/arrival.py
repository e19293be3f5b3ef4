"""Arrival: who takes part in a study, what they consented to, and which checks they have passed on which screen."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from annotation.core.consent import text_version
from annotation.core.protocol import Protocol
from annotation.core.questionnaire import BEFORE, load_questions
from annotation.core.screening import Finding
from annotation.models import Annotator, Enrolment, Session, Study
from annotation.services.questionnaires import STEPS

CONSENT = "consent"
QUESTIONS = STEPS[BEFORE]
# In this order; each is also the name of its rule, but for the screen's.
CHECKS = ("screen", "brightness", "colour_vision", "acuity", "card")
# What `next_step` returns when an annotator cannot take part.
SCREENED_OUT = "screened_out"
# These say something of the screen, not of the person: another screen is checked again.
OF_THE_SCREEN = ("brightness", "card")


def enrol(study: Study, annotator: Annotator, **details: Any) -> Enrolment:
    """The annotator's place in the study; `details` are the other parameters of a panel's link."""
    return Enrolment.objects.get_or_create(
        study=study, annotator=annotator, defaults={"panel_details": details}
    )[0]


def rule_of(rules: Protocol, check: str) -> str:
    """Whether the study requires, records or skips the check."""
    rule: str = getattr(rules, "screen_check" if check == "screen" else check)
    return rule


def arrival_steps(study: Study) -> list[str]:
    """Every step that the study requires on arrival, in order: its questions come after the checks."""
    rules = study.rules
    checks = [check for check in CHECKS if rule_of(rules, check) != "skip"]
    has_questions = bool(load_questions(study.questionnaire, BEFORE))
    return [CONSENT] * rules.consent + checks + [QUESTIONS] * has_questions


def next_step(enrolment: Enrolment, session: Session | None) -> str | None:
    """The first step that is still to be taken, SCREENED_OUT, or None when pairs may come."""
    if enrolment.screened_out_by:
        return SCREENED_OUT
    steps = arrival_steps(enrolment.study)
    return next((step for step in steps if _is_due(step, enrolment, session)), None)


def _is_due(step: str, enrolment: Enrolment, session: Session | None) -> bool:
    if step == CONSENT:
        return enrolment.consent_version != text_version(enrolment.study.rules.consent_text)
    if step == QUESTIONS:
        return BEFORE not in enrolment.questionnaire
    taken = enrolment.checks.get(step)
    if taken is None or session is None:
        return True
    if step == "screen":
        return bool(taken["session"] != session.pk)
    return step in OF_THE_SCREEN and taken["screen"] != session_screen(session)


def session_screen(session: Session) -> list[Any]:
    """What identifies a screen: width and height in device pixels and their ratio to CSS pixels."""
    return [session.screen.get(name) for name in ("width", "height", "dpr")]


def seed_of(enrolment: Enrolment, check: str) -> str:
    """The seed of the check's plates: the same after a reload, and unpredictable."""
    return salted_hmac("annotation.arrival", f"{enrolment.pk}:{check}").hexdigest()


def record_consent(*, enrolment: Enrolment) -> None:
    """The annotator has consented to the study's text as it stands."""
    version = text_version(enrolment.study.rules.consent_text)
    Enrolment.objects.filter(pk=enrolment.pk).exclude(consent_version=version).update(
        consent_version=version, consented_at=timezone.now()
    )


@transaction.atomic
def record_step(*, enrolment: Enrolment, session: Session, step: str, finding: Finding) -> bool:
    """Stores the result of a check, if that check is the next step; returns whether the annotator may continue.

    The first result is kept: a step that is no longer due changes nothing. Failing a required check ends the
    study for the annotator, unless they passed it before and only this screen fails it: then it stays due, for
    another screen. The session becomes ready with its last step.
    """
    session = Session.objects.select_for_update().get(pk=session.pk)
    enrolment = Enrolment.objects.select_for_update(of=("self",)).select_related("study").get(pk=enrolment.pk)
    if next_step(enrolment, session) != step:
        return not enrolment.screened_out_by
    before = enrolment.checks.get(step)
    failed = rule_of(enrolment.study.rules, step) == "require" and not finding.passed
    if step in ("screen", "card"):
        _describe(session, finding.details, known=enrolment.checks.get("card"))
    if not (failed and before and before["passed"]):
        _keep(enrolment, session, step, finding, failed=failed)
    make_ready(enrolment, session)
    return not failed


def _describe(session: Session, details: Mapping[str, Any], *, known: Mapping[str, Any] | None) -> None:
    """Writes down the session's screen; one that was calibrated before needs no card again."""
    session.screen = {**session.screen, **details}
    if known and known["screen"] == session_screen(session):
        session.screen.setdefault("px_per_mm", known["px_per_mm"])
    session.save(update_fields=["screen"])


def _keep(enrolment: Enrolment, session: Session, step: str, finding: Finding, *, failed: bool) -> None:
    now = timezone.now()
    enrolment.checks[step] = {
        **finding.details,
        "passed": finding.passed,
        "at": now.isoformat(timespec="seconds"),
        "session": session.pk,
        "screen": session_screen(session),
    }
    if failed:
        enrolment.screened_out_by, enrolment.screened_out_at = step, now
    enrolment.save(update_fields=["checks", "screened_out_by", "screened_out_at"])


def make_ready(enrolment: Enrolment, session: Session) -> None:
    """Marks the session as ready for pairs if its last step is complete."""
    if next_step(enrolment, session) is None:
        Session.objects.filter(pk=session.pk, ready_at=None).update(ready_at=timezone.now())
