"""The planner: what a study of some size may be expected to tell, and the cheapest that tells enough."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from annotation.core.roles import Reach
from annotation.forms.fields import faults_of
from annotation.forms.plan import ASSUMED, PlanForm, within_limits
from annotation.reports.planning import recruitment_plan, size_of, study_assumptions
from annotation.views.access import staff_required, study_or_404
from annotation.views.study import study_page
from psychometrics.planning import PlanError
from psychometrics.sentences import plan_in_words


@staff_required
@require_safe
def planner(request: HttpRequest, slug: str) -> HttpResponse:
    """A form with the study's own numbers, and what they promise."""
    study = study_or_404(request, slug, Reach.DATA)
    base, from_pilot = study_assumptions(study)
    numbers = size_of(study) | {name: round(getattr(base, name), 2) for name, *_ in ASSUMED}
    begin = {name: str(value) for name, value in within_limits(numbers).items()}
    form = PlanForm(request.GET or begin)
    context: dict[str, Any] = {"form": form, "from_pilot": from_pilot}
    if form.is_valid():
        try:
            plan = recruitment_plan(form.cleaned_data, form.assumed(base))
            context |= {"plan": plan, "words": plan_in_words(plan)}
        except PlanError as error:
            form.add_error(None, str(error))
    context["faults"] = faults_of(form)
    return study_page(
        request, study, "study-plan", status=422 if form.errors and request.GET else 200, **context
    )
