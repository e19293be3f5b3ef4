"""Setting up a draft: four steps, each saved on its own, then the study is opened."""

from copy import copy
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from annotation import tasks
from annotation.core.pairing import in_words
from annotation.core.protocol import LAYOUTS, largest_picture
from annotation.core.roles import Reach
from annotation.errors import Refused
from annotation.forms.fields import faults_of
from annotation.forms.rules import CHOICES, preset_label, rule_groups
from annotation.forms.steps import PairsForm, ProtocolForm, StepForm, StimuliForm
from annotation.models import Photograph, Study
from annotation.reports.cost import recruitment_cost
from annotation.reports.duration import study_duration
from annotation.reports.planning import recruitment_plan, size_of, study_assumptions, study_effort
from annotation.reports.reach import pending_reaches, study_reach
from annotation.reports.readiness import readiness_findings
from annotation.services.crops import move_crop
from annotation.services.sources import remove_source
from annotation.services.studies import update_study
from annotation.views.access import refusals_as_messages, staff_required, study_or_404
from annotation.views.paging import page_by_pk
from annotation.views.study import study_page
from annotation.views.uploads import take_photographs, take_pictures
from psychometrics.planning import PlanError
from psychometrics.sentences import plan_in_words

STEPS = {
    "stimuli": "Photographs and methods",
    "pairs": "Pairs and votes",
    "protocol": "Protocol",
    "review": "Review and open",
}
PHOTOGRAPHS_A_PAGE = 200
FORMS: dict[str, type[StepForm]] = {"stimuli": StimuliForm, "pairs": PairsForm, "protocol": ProtocolForm}


@dataclass
class Outcome:
    """What became of a request: sentences about what was taken, and about what was not."""

    taken: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@staff_required
@require_http_methods(["GET", "HEAD", "POST"])
@refusals_as_messages
def setup(request: HttpRequest, slug: str, step: str) -> HttpResponse:
    """One step of the setup: its form, what is saved, and what is still missing."""
    study = study_or_404(request, slug, Reach.RUN)
    if step not in STEPS:
        raise Http404(f"The steps of the setup are {', '.join(STEPS)}.")
    if study.state != Study.State.DRAFT:
        if request.method == "POST":
            messages.error(
                request, f"“{study}” was opened and can no longer change. Copy it to make changes."
            )
        return redirect("study-settings", study.slug)
    if step == "review":
        return step_page(request, study, step)
    return _edit(request, study, step)


def _edit(request: HttpRequest, study: Study, step: str) -> HttpResponse:
    # A form writes what it read into its instance, right or wrong; the page's head shows what is saved.
    data = request.POST if request.method == "POST" and _has_form(request) else None
    if step == "protocol" and data is not None:
        form: StepForm = ProtocolForm.received(data, instance=copy(study))
    else:
        form = FORMS[step](data, instance=copy(study))
    if request.method != "POST":
        return step_page(request, study, step, form=form)
    study = _save(study, form)
    outcome = _act(request, study) if step == "stimuli" else Outcome()
    if form.errors or outcome.faults or not form.is_bound and _has_form(request):
        status = 400 if form.errors or outcome.faults else 200
        return step_page(request, study, step, form=form, outcome=outcome, status=status)
    for words in outcome.taken or ["Saved."]:
        messages.success(request, words)
    then = request.POST.get("then", "")
    if then == "next":
        then = list(STEPS)[list(STEPS).index(step) + 1]
    if then in STEPS and then != step:
        return redirect("study-setup", study.slug, then)
    return redirect(request.get_full_path())  # with the page of photographs that was shown


def _has_form(request: HttpRequest) -> bool:
    """Whether a step's fields were sent, and not files or a press on a button alone."""
    return "step" in request.POST


def _save(study: Study, form: StepForm) -> Study:
    """The study with what the form says, if all of it is right."""
    if form.is_bound and form.is_valid():
        try:
            study = update_study(study=study, **form.cleaned_data)
        except (Refused, ValidationError) as refusal:
            form.add_error(None, refusal if isinstance(refusal, ValidationError) else str(refusal))
    return study


def _act(request: HttpRequest, study: Study) -> Outcome:
    """Files and buttons of the first step; what is good is taken, whatever else is wrong."""
    outcome = Outcome()
    _remove(request, study, outcome)
    _move(request, study, outcome)
    added, outcome_faults = take_photographs(request, study)
    outcome.faults += outcome_faults
    if added:
        outcome.taken.append(f"{added} photograph{'s were' if added > 1 else ' was'} added.")
    if request.FILES.getlist("pictures"):
        try:
            taken = take_pictures(request, study)
        except Refused as refusal:
            outcome.faults += list(refusal.extra.get("faults", [])) or [str(refusal)]
        else:
            conditions = ", ".join(map(str, taken.conditions))
            pictures = f"{taken.pictures} picture{'s' * (taken.pictures != 1)}"
            photographs = f"{taken.photographs} photograph{'s' * (taken.photographs != 1)}"
            were = "were" if taken.pictures != 1 else "was"
            outcome.taken.append(f"{pictures} of {photographs} {were} added: {conditions}.")
    tasks.send_to_measure(study)
    return outcome


def _remove(request: HttpRequest, study: Study, outcome: Outcome) -> None:
    pk = request.POST.get("remove", "")
    if not pk:
        return
    use = get_object_or_404(study.uses.select_related("source"), source=pk if pk.isdecimal() else None)
    remove_source(study=study, source=use.source)
    outcome.taken.append(f"{use} is no longer in the study.")


def _move(request: HttpRequest, study: Study, outcome: Outcome) -> None:
    """Crops that were dragged or typed elsewhere: crop-SOURCE is "left,top"."""
    sent = [name.removeprefix("crop-") for name in request.POST if name.startswith("crop-")]
    known = [int(pk) for pk in sent if pk.isdecimal() and len(pk) < 19]
    for use in (
        study.uses.filter(source__in=known).select_related("source").filter(source__crop__isnull=False)
    ):
        corner = request.POST.get(f"crop-{use.source_id}", "").split(",")
        if corner == [""] or corner == [str(at) for at in (use.source.crop or ())[:2]]:
            continue
        try:
            left, top = (int(at) for at in corner)
        except ValueError:
            outcome.faults.append(
                f"{use}: give the left and top of the crop as two whole numbers, such as 120,40."
            )
            continue
        try:
            move_crop(study=study, source=use.source, left=left, top=top)
        except Refused as refusal:
            outcome.faults.append(str(refusal))
        else:
            outcome.taken.append(f"{use} has a new crop.")


def step_page(
    request: HttpRequest,
    study: Study,
    step: str,
    *,
    form: StepForm | None = None,
    outcome: Outcome | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of a step, with the rail and what the study makes as it is saved."""
    findings, outcome = readiness_findings(study), outcome or Outcome()
    context: dict[str, Any] = {
        "step": step,
        "steps": [_Stop(name, label, study, findings, step) for name, label in STEPS.items()],
        "form": form,
        "faults": [*faults_of(form), *(("", "", words) for words in outcome.faults)],
        "taken": outcome.taken,
        "cost": recruitment_cost(study=study),
        "duration": study_duration(study),
        "conditions": study.conditions(),
        "findings": findings,
        "next_step": list(STEPS)[min(list(STEPS).index(step) + 1, len(STEPS) - 1)],
        **CONTEXTS[step](request, study),
    }
    return study_page(request, study, "study-setup", status=status, **context)


class _Stop:
    """A stop of the rail: done, here, or with something to mend."""

    def __init__(self, name: str, label: str, study: Study, findings: list[Any], step: str) -> None:
        self.name, self.label, self.here = name, label, name == step
        self.url = reverse("study-setup", args=[study.slug, name])
        self.findings = [one for one in findings if one.step == name]
        self.blocks = any(one.blocks for one in self.findings)


def _stimuli(request: HttpRequest, study: Study) -> dict[str, Any]:
    page = page_by_pk(
        request, study.uses.select_related("source"), size=PHOTOGRAPHS_A_PAGE, oldest_first=True
    )
    wholes = Photograph.objects.in_bulk([use.source.photograph for use in page.rows], field_name="sha256")
    fixed = set(study.own_pictures.values_list("source", flat=True))
    sizes = sizes_of_wholes(study)
    return {
        "page": page,
        "photographs": [
            (use, wholes.get(use.source.photograph), use.source_id not in fixed) for use in page.rows
        ],
        "photographs_count": len(sizes),
        "movable": any(use.source.crop and use.source_id not in fixed for use in page.rows),
        "layouts": [_layout(study, name, sizes) for name in LAYOUTS],
        "reach": study_reach(study),
        "measuring": pending_reaches(study),
        "joined": in_words(study.conditions(), study.pairing),
    }


def sizes_of_wholes(study: Study) -> list[tuple[int, int]]:
    """Width and height of each of the study's photographs, whole where a whole one is stored."""
    whole = Photograph.objects.filter(sha256=OuterRef("source__photograph"))
    width, height = (
        Coalesce(Subquery(whole.values(side)), F(f"source__{side}")) for side in ("width", "height")
    )
    return list(study.uses.values_list(width, height))


def _layout(study: Study, name: str, sizes: list[tuple[int, int]]) -> dict[str, Any]:
    """How large a picture the layout shows on the study's smallest screen, and how many it shows whole."""
    width, height = largest_picture(study.rules.replace(layout=name))
    return {
        "label": CHOICES[name].split(":")[0],
        "width": width,
        "height": height,
        "whole": sum(its_width <= width and its_height <= height for its_width, its_height in sizes),
        "here": name == study.rules.layout,
    }


def _pairs(request: HttpRequest, study: Study) -> dict[str, Any]:
    base, from_pilot = study_assumptions(study)
    context: dict[str, Any] = {
        "joined": in_words(study.conditions(), study.pairing),
        "from_pilot": from_pilot,
    }
    if not study.sources.exists() or not study.conditions():
        return context
    context["effort"] = study_effort(study, recruitment_cost(study=study).judgments, base)
    if not study.rules.pairs_within:
        return context
    try:
        plan = recruitment_plan(size_of(study), base)
    except PlanError as error:
        return context | {"plan_error": str(error)}
    return context | {"plan": plan, "words": plan_in_words(plan), "assumed": base}


def _protocol(request: HttpRequest, study: Study) -> dict[str, Any]:
    return {"preset_label": preset_label(study.preset)}


def _review(request: HttpRequest, study: Study) -> dict[str, Any]:
    return {
        **_pairs(request, study),
        "groups": list(rule_groups(study.rules, study.preset)),
        "preset_label": preset_label(study.preset),
        "reach": study_reach(study),
        "measuring": pending_reaches(study),
        "photographs_count": study.sources.count(),
    }


CONTEXTS = {"stimuli": _stimuli, "pairs": _pairs, "protocol": _protocol, "review": _review}
