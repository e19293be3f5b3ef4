"""One study: its tabs."""

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotation.charts import inline
from annotation.core.conditions import levels
from annotation.core.formats.published.forms import ABOUT
from annotation.core.panel_codes import PANEL_CODES
from annotation.core.roles import Reach
from annotation.forms.rules import preset_label, rule_groups
from annotation.models import Reconstruction, Snapshot, Source, Study
from annotation.reports.cost import costs_of_adding
from annotation.reports.reach import pending_reaches
from annotation.services.flags import open_flags
from annotation.services.panels import PANEL_NAMES
from annotation.views import progress
from annotation.views.access import may, staff_of, staff_required, study_or_404
from annotation.views.paging import page_by_pk
from imaging.plots import charts

PHOTOGRAPHS_SHOWN = 48
FAILURES_SHOWN = 20
SNAPSHOTS_A_PAGE = 50
DAYS_TITLES = {False: "Answers by people per day", True: "Simulated answers per day"}

TABS = [
    ("study", "Progress"),
    ("study-people", "People"),
    ("study-pairs", "Pairs"),
    ("study-gallery", "Gallery"),
    ("study-results", "Results"),
    ("study-snapshots", "Snapshots"),
    ("study-settings", "Settings"),
    ("study-members", "Members"),
]

# A draft has no answers yet; its settings are its set-up.
DRAFT_TABS = [("study", "Set-up"), ("study-people", "People"), ("study-members", "Members")]

# Pages that a tab leads to.
BELOW = {
    "study-breakdown": "study-results",
    "study-plan": "study",
    "study-setup": "study",
    "study-flags": "study-pairs",
    "study-questionnaire": "study-settings",
    **dict.fromkeys(
        ("study-annotator", "study-panel", "study-invitations", "study-reconciliation"), "study-people"
    ),
}
# What a browser's tab says of them.
PAGE_TITLES = {
    "study-breakdown": "Breakdown",
    "study-plan": "Planner",
    "study-flags": "Flags",
    "study-questionnaire": "Questionnaire",
    "study-panel": "Panel",
    "study-invitations": "Invitations",
    "study-reconciliation": "Reconciliation",
}


def study_page(
    request: HttpRequest, study: Study, tab: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    """A tab of the study with the head that all of them share."""
    user = request.user if isinstance(request.user, User) else None
    tabs = DRAFT_TABS if study.state == Study.State.DRAFT else TABS
    context = {
        "section": "studies",
        "can_run": user is not None and may(user, study, Reach.RUN),
        "can_read": user is not None and may(user, study, Reach.DATA),
        "study": study,
        "tab": tab,
        "tabs": tabs,
        "page_title": {**dict(tabs), **PAGE_TITLES}.get(tab, tab.removeprefix("study-").capitalize()),
        "marked_tab": BELOW.get(tab, tab),
        "judge_url": judge_url(request, study),
        **context,
    }
    return render(request, f"annotation/{tab.replace('-', '_')}.html", context, status=status)


def judge_url(request: HttpRequest, study: Study) -> str:
    """The study's link, "" where a panel brings people: without an id that link is refused, so it is never offered."""
    if study.rules.panel in PANEL_NAMES:
        return ""
    return request.build_absolute_uri(reverse("judge", args=[study.key]))


@staff_required
@require_safe
def study(request: HttpRequest, slug: str) -> HttpResponse:
    """What is encoded, judged, by how many; the photographs; what went wrong. A draft has its setup instead."""
    study = study_or_404(request, slug, Reach.DATA)
    if study.state == Study.State.DRAFT:
        return _of_a_draft(request, study, "stimuli")
    failed = Reconstruction.objects.prepared_for(study).filter(state=Reconstruction.State.FAILED)
    days = [
        (simulated, inline(charts.bars(per_day, title=DAYS_TITLES[simulated])))
        for simulated in (False, True)
        if (per_day := progress.answers_per_day(study, simulated=simulated))
    ]
    conditions = study.conditions()
    splits = progress.photographs_by_split(study)
    return study_page(
        request,
        study,
        "study",
        meters=progress.study_meters(study),
        table=progress.condition_table(study, conditions),
        levels=levels(conditions),
        failures=failed.with_source_names(study).order_by("pk")[:FAILURES_SHOWN],
        days=days,
        photographs=Source.objects.used_in(study).order_by("pk")[:PHOTOGRAPHS_SHOWN],
        photographs_count=sum(splits.values()),
        splits=list(splits.items()),
        split_missing=0 in splits.values(),
        open_flags=open_flags(study),
    )


def _of_a_draft(request: HttpRequest, study: Study, step: str) -> HttpResponse:
    """The step of the setup for whoever runs the study; what is set, for whoever may only look."""
    if isinstance(request.user, User) and may(request.user, study, Reach.RUN):
        return redirect("study-setup", study.slug, step)
    return facts_page(request, study)


@never_cache
@staff_required
@require_safe
def status(request: HttpRequest, slug: str) -> JsonResponse:
    """The bars of the study's page, for its script."""
    return JsonResponse(status_of(study_or_404(request, slug, Reach.DATA)))


def status_of(study: Study) -> dict[str, Any]:
    """The study's state, its meters by name, snapshots not built, flags not settled, reaches not measured yet."""
    meters = {
        meter.name: {"done": meter.done, "total": meter.total, "words": meter.words}
        for meter in progress.study_meters(study)
    }
    return {
        "state": study.state,
        "meters": meters,
        "pending_snapshots": pending_snapshots(study),
        "open_flags": open_flags(study),
        "pending_reaches": pending_reaches(study) if study.state == Study.State.DRAFT else 0,
    }


def pending_snapshots(study: Study) -> int:
    """How many snapshots a worker still has to build."""
    return Snapshot.objects.filter(study=study).pending().count()


@staff_required
@require_safe
def snapshots(request: HttpRequest, slug: str) -> HttpResponse:
    """The study's snapshots and what was trained on them."""
    study = study_or_404(request, slug, Reach.DATA)
    judging = progress.judging_progress(study, encoding=progress.encoding_progress(study))
    rows = study.snapshots.prefetch_related("training_runs__version")
    return study_page(
        request,
        study,
        "study-snapshots",
        page=page_by_pk(request, rows, size=SNAPSHOTS_A_PAGE, key="number"),
        forms=list(ABOUT.items()),
        judging=judging,
        pending=pending_snapshots(study),
    )


@staff_required
@require_safe
def settings(request: HttpRequest, slug: str) -> HttpResponse:
    """The rules as they stand; a draft's are changed in its setup."""
    study = study_or_404(request, slug, Reach.DATA)
    if study.state == Study.State.DRAFT:
        return _of_a_draft(request, study, "review")
    return facts_page(request, study)


def facts_page(request: HttpRequest, study: Study) -> HttpResponse:
    """Every rule in words, what another codec would cost, and the ends of a study.

    A panel's codes are shown to those who run the study.
    """
    runs = may(staff_of(request), study, Reach.RUN)
    can_grow = study.state in (Study.State.OPEN, Study.State.PAUSED) and not study.origin
    return study_page(
        request,
        study,
        "study-settings",
        groups=list(rule_groups(study.rules, study.preset, hidden=() if runs else PANEL_CODES)),
        preset_label=preset_label(study.preset),
        additions=costs_of_adding(study=study) if can_grow else {},
        conditions=study.conditions(),
    )
