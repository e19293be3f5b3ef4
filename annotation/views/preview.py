"""A study as its annotators see it, at any time and from any section, through the same pages; no row is kept.

Pages get rows that were never saved; what the judging page asks for is in `preview_api`.
"""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from annotation.core.questionnaire import AFTER, load_questions
from annotation.core.roles import Reach
from annotation.errors import PreviewPending, StudyNotReady
from annotation.languages import requested_language
from annotation.models import Enrolment, Study
from annotation.reports.duration import pairs_of_session
from annotation.services.arrival import arrival_steps
from annotation.services.preview_pictures import pair_at
from annotation.services.questionnaires import MOMENTS, STEPS
from annotation.services.visitors import Visitor
from annotation.views.access import staff_required, study_or_404
from annotation.views.arrival import page, step_page
from annotation.views.finish import completion_links
from annotation.views.languages import chosen_language
from annotation.views.preview_api import answered_key, order, preview_key
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
    translation.activate(chosen_language(request, study) or requested_language(request, study))
    return study


@never_cache
@staff_required
@require_safe
def preview(request: HttpRequest, slug: str) -> HttpResponse:
    """Begins with the first step on arrival, or where the section asked for is seen."""
    study = study_or_404(request, slug, Reach.DATA)
    section = SECTIONS.get(request.GET.get("at", ""), "")
    steps = arrival_steps(study)
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
    steps = [*arrival_steps(study), STEPS[AFTER]]
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
    except PreviewPending as pending:
        order(pending)
    except StudyNotReady as refusal:
        return page(request, "refused", study, status=refusal.status, detail=str(refusal), preview=True)
    request.session[answered_key(study)] = skipped
    context = {
        "study": study,
        "rules": study.rules,
        "session": PreviewSession(preview_key(study)),
        "total": pairs_of_session(study),
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
    return page(request, "finished", study, preview=True, **completion_links(study))
