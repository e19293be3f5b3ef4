"""A study's panel: the complete link, the codes, a test participant, who is where, and lists to paste there."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from annotation import tasks
from annotation.core.roles import Reach
from annotation.errors import Refused
from annotation.models import Study
from annotation.queues import after_commit
from annotation.reports.duration import pairs_of_session
from annotation.reports.panel_lists import PanelLists, lines, panel_lists
from annotation.reports.stages import people_by_stage
from annotation.services.panels import PANEL_NAMES, completion_link, make_test_participant, panel_link
from annotation.services.returned import record_returned
from annotation.views.access import refusals_as_messages, staff_required, study_or_404
from annotation.views.mturk_task import html_question, mturk_page
from annotation.views.study import study_page
from psychometrics.tables import TableWriter

LISTS = ("approve", "reject", "bonus", "screened_out", "stopped", "returned")


@never_cache
@staff_required
@require_safe
@refusals_as_messages
def panel(request: HttpRequest, slug: str) -> HttpResponse:
    """The card, or with `?list=` one of its lists as CSV."""
    study = study_or_404(request, slug, Reach.RUN)
    lists, bonus = panel_lists(study), _bonus(request)
    mturk = mturk_page(study, judge_link(request, study)) if study.rules.panel == "mturk" else ""
    if mturk and request.GET.get("list") == "mturk.xml":
        return _xml(study, mturk)
    if request.GET.get("list") in LISTS:
        return _csv(study, lists, request.GET["list"], **bonus)
    return study_page(
        request,
        study,
        "study-panel",
        link=participant_link(request, study),
        mturk=mturk,
        fewer=pairs_of_session(study) < study.pairs_per_session,
        codes=_codes(study),
        where=people_by_stage(study),
        lists=lists,
        pasted={
            name: lines(_rows(lists, name, **bonus), with_reason=name == "reject")
            for name in LISTS
            if name != "bonus"
        },
        bonus=bonus,
        bonus_lines=_bonus_lines(lists, **bonus),
        panel_name=PANEL_NAMES.get(study.rules.panel, "") if study.rules.panel != "other" else "the panel",
    )


def judge_link(request: HttpRequest, study: Study) -> str:
    """The study's bare link, which is shown to nobody where a panel brings people."""
    return request.build_absolute_uri(reverse("judge", args=[study.key]))


def participant_link(request: HttpRequest, study: Study) -> str:
    """The link to hand out: for a panel the complete one with its placeholders, never the bare one."""
    return panel_link(judge_link(request, study), study.rules.panel)


def _xml(study: Study, page: str) -> HttpResponse:
    response = HttpResponse(html_question(page), content_type="application/xml; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{study.slug}-mturk.xml"'
    return response


def _codes(study: Study) -> list[tuple[str, str, str]]:
    """(what for, code, the complete address to go back to)."""
    rules = study.rules
    return [
        (
            "Finished",
            rules.completion_code,
            completion_link(rules.completion_url, rules.completion_code, rules.panel),
        ),
        (
            "Screened out",
            rules.screen_out_code,
            completion_link(rules.screen_out_url, rules.screen_out_code, rules.panel),
        ),
    ]


def _bonus(request: HttpRequest) -> dict[str, Any]:
    """The amount of a bonus, and the share of sentinels that it takes, as asked for. Refuses what is not a number."""
    amount, percent = request.GET.get("amount", "") or "1.00", request.GET.get("sentinels", "") or "0"
    try:
        # An amount that is paid as 0.00 is none.
        if not (0 < round(float(amount), 2) < 10_000 and 0 <= float(percent) <= 100):
            raise ValueError
    except ValueError:
        raise Refused(
            "Write the bonus as an amount such as 1.50, and the share of sentinels from 0 to 100."
        ) from None
    return {"amount": f"{float(amount):.2f}", "percent": float(percent)}


def _rows(lists: PanelLists, name: str, *, amount: str, percent: float) -> Any:
    return lists.bonus(sentinels=percent / 100) if name == "bonus" else getattr(lists, name)


def _bonus_lines(lists: PanelLists, *, amount: str, percent: float) -> str:
    return "\n".join(f"{one.id},{amount}" for one in lists.bonus(sentinels=percent / 100))


def _csv(study: Study, lists: PanelLists, name: str, *, amount: str, percent: float) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{study.slug}-{name}.csv"'
    writer = TableWriter(response, ("participant", "submission", "reason", "amount"), line_end="\r\n")
    paid = amount if name == "bonus" else ""
    people = _rows(lists, name, amount=amount, percent=percent)
    writer.rows([one.id, one.submission, one.reason, paid] for one in people)
    return response


@staff_required
@require_POST
@refusals_as_messages
def test(request: HttpRequest, slug: str) -> HttpResponse:
    """Comes in as a participant of the panel would, under an id that is made up and marked as simulated."""
    study = study_or_404(request, slug, Reach.RUN)
    entry = make_test_participant(study=study)
    return redirect(f"{reverse('judge', args=[study.key])}?{urlencode(entry.as_parameters())}")


@staff_required
@require_POST
@refusals_as_messages
def returned(request: HttpRequest, slug: str) -> HttpResponse:
    """Records people who gave their place back, by the panel's ids; with `back` that they did not."""
    study = study_or_404(request, slug, Reach.RUN)
    back = "back" in request.POST
    done = record_returned(study=study, ids=request.POST.get("ids", "").replace(",", "\n").split(), back=back)
    after_commit(tasks.ask_next.delay)
    what = "no longer recorded as returned" if back else "recorded as returned: their pairs are judged again"
    if done.recorded:
        messages.success(request, f"{done.recorded} {what}.")
    elif not done.unknown:
        messages.info(request, "Nothing changed: this was recorded before.")
    if done.unknown:
        shown = ", ".join(done.unknown[:5]) + (" …" if len(done.unknown) > 5 else "")
        messages.warning(request, f"{len(done.unknown)} unknown in this study: {shown}")
    return redirect("study-panel", slug)
