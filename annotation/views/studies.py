"""The list of studies, and a new one."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, F, IntegerField, Max, OuterRef, Q, QuerySet, Subquery, Sum, Window
from django.db.models.functions import Coalesce, RowNumber
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from annotation.core.roles import Reach
from annotation.errors import Refused
from annotation.forms.fields import faults_of
from annotation.forms.steps import NewStudyForm
from annotation.models import Reconstruction, Session, Study, StudySource, Triplet
from annotation.services.presets import create_from_preset
from annotation.views.access import reachable_studies, staff_of, staff_required
from annotation.views.paging import page_by_pk
from annotation.views.progress import encoding_progress, judgments_needed

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

STUDIES_A_PAGE = 24
CROPS = 4
# Studies that a new one can be a copy of, on its page.
COPIED_FROM = 8


@staff_required
@require_safe
def study_list(request: HttpRequest) -> HttpResponse:
    """All studies as cards, the newest first."""
    page = page_by_pk(request, with_counts(_listed(request)), size=STUDIES_A_PAGE)
    expect_planned_pairs(page.rows)
    crops = crops_by_study([study.pk for study in page.rows])
    cards = [(study, crops.get(study.pk, [])) for study in page.rows]
    return render(
        request,
        "annotation/study_list.html",
        {"section": "studies", "page": page, "cards": cards} | _archive(request),
    )


def _archive(request: HttpRequest) -> dict[str, Any]:
    """Whether it is the archive's list, and what its further pages are requested with."""
    in_archive = "archive" in request.GET
    return {"in_archive": in_archive, "keep": "archive=1&" if in_archive else ""}


def _listed(request: HttpRequest) -> QuerySet[Study]:
    """The researcher's studies, without those in the archive or, if they ask for it, the archive alone."""
    return reachable_studies(request, Reach.RESULTS).filter(archived_at__isnull="archive" not in request.GET)


class Counts(TypedDict):
    """What `with_counts` adds to a row."""

    simulated: int
    people: int
    last_seen: datetime | None
    made: int
    expected: int
    judged: int


def with_counts(studies: QuerySet[Study]) -> "QuerySet[WithAnnotations[Study, Counts]]":
    """With people and the last activity from the sessions, and the votes given and expected from the pairs."""
    sat = Session.objects.filter(study=OuterRef("pk")).order_by().values("study")
    pairs = Triplet.objects.filter(study=OuterRef("pk"), role=Triplet.Role.PAIR).order_by().values("study")
    people = Q(annotator__simulated=False)
    return studies.annotate(
        simulated=_one(pairs.annotate(n=Sum("simulated_votes", default=0))),
        people=_one(sat.annotate(n=Count("annotator", filter=people & Q(answered__gt=0), distinct=True))),
        last_seen=Subquery(sat.annotate(n=Max("last_seen_at")).values("n")),
        made=_one(pairs.annotate(n=Count("pk"))),
        expected=F("made") * F("votes_per_triplet"),
        judged=_one(pairs.annotate(n=Sum("votes", default=0))),
    )


def expect_planned_pairs(listed: "Sequence[WithAnnotations[Study, Counts]]") -> None:
    """Until all pairs of a study are made, its `expected` counts those to come, as on the study's page."""
    begun = [study for study in listed if study.state != Study.State.DRAFT]
    unfinished = StudySource.objects.filter(
        study__in=begun, source__reconstructions__in=Reconstruction.objects.pending()
    ).values_list("study", flat=True)
    pending = set(unfinished.distinct())
    for study in begun:
        if study.pk in pending or not study.made:
            study.expected = judgments_needed(study, encoding=encoding_progress(study), made=study.made)


def _one(counted: QuerySet[Any]) -> Coalesce:
    return Coalesce(Subquery(counted.values("n"), output_field=IntegerField()), 0)


def crops_by_study(studies: list[int]) -> dict[int, list[int]]:
    """The first few sources of each study, by its pk, in one query."""
    through = StudySource.objects.filter(study_id__in=studies).exclude(source__image="")
    place = Window(RowNumber(), partition_by="study_id", order_by="pk")
    crops: dict[int, list[int]] = {}
    for study, source in (
        through.annotate(place=place).filter(place__lte=CROPS).values_list("study_id", "source_id")
    ):
        crops.setdefault(study, []).append(source)
    return crops


@staff_required
@require_http_methods(["GET", "HEAD", "POST"])
def study_new(request: HttpRequest) -> HttpResponse:
    """A name, and what the draft begins from: a preset, another study, or a study file."""
    form = NewStudyForm(request.POST or None)
    if form.is_valid():
        try:
            study = create_from_preset(owner=staff_of(request), **form.cleaned_data)
        except (Refused, ValidationError) as refusal:
            form.add_error(None, refusal if isinstance(refusal, ValidationError) else str(refusal))
        else:
            messages.success(request, f"“{study}” is a draft. It is saved at every step.")
            return redirect("study-setup", study.slug, "stimuli")
    last = reachable_studies(request, Reach.DATA).order_by("-pk")[:COPIED_FROM]
    context = {"section": "studies", "form": form, "last": last, "faults": faults_of(form)}
    return render(request, "annotation/study_new.html", context, status=400 if form.errors else 200)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What Closer is; researchers go on to their studies."""
    if request.user.is_staff:
        return redirect("study-list")
    return render(request, "annotation/home.html")
