"""A study's own questions, written by its researcher: a form while it is a draft, a list afterwards."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from annotation.core.roles import Reach
from annotation.errors import Refused
from annotation.forms.questionnaire import question_formset, questions_in, with_usual
from annotation.models import Study
from annotation.reports.questionnaire_summary import summaries
from annotation.services.drafts import require_draft
from annotation.services.studies import update_study
from annotation.views.access import may, refusals_as_messages, staff_of, staff_required, study_or_404
from annotation.views.study import study_page


@staff_required
@require_safe
def questions(request: HttpRequest, slug: str) -> HttpResponse:
    """The questions: a form in a draft, a list once it was opened."""
    study = study_or_404(request, slug, Reach.DATA)
    return study_page(
        request,
        study,
        "study-questionnaire",
        formset=question_formset(study.questionnaire),
        summaries=summaries(study),
        marked_tab="study" if study.state == Study.State.DRAFT else "study-settings",
        editable=study.state == Study.State.DRAFT and may(staff_of(request), study, Reach.RUN),
    )


@staff_required
@require_POST
@refusals_as_messages
def save(request: HttpRequest, slug: str) -> HttpResponse:
    """Replaces all questions, or shows what was sent again with what is wrong: nothing that was typed is lost."""
    study = study_or_404(request, slug, Reach.RUN)
    require_draft(study)
    formset = question_formset(study.questionnaire, request.POST)
    faults: list[str] = []
    if formset.is_valid():
        given = questions_in(formset)
        if request.POST.get("then") == "usual":
            given = with_usual(given)
        try:
            update_study(study=study, questionnaire=given)
        except Refused as refusal:
            faults = list(refusal.extra.get("faults", [])) or [str(refusal)]
        else:
            number = len(given)
            messages.success(request, f"{number} question{'s are' if number != 1 else ' is'} saved.")
            return redirect("study-questionnaire", study.slug)
    return study_page(
        request,
        study,
        "study-questionnaire",
        status=400,
        marked_tab="study",
        formset=formset,
        faults=faults,
        wrong=bool(faults) or not formset.is_valid(),
        editable=True,
    )
