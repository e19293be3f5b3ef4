"""Where each person of a study is: the one place that says so, for pages, lists and the API."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypedDict

from django.db.models import Case, CharField, Count, Exists, Max, OuterRef, Q, QuerySet, Subquery, Value, When
from django.utils import timezone

from annotation.models import Enrolment, Session, Study

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

# By name, in the order in which people pass them: how a table calls them.
STAGES = {
    "arrived": "arrived",
    "practice": "in practice",
    "judging": "judging",
    "stopped": "stopped early",
    "finished": "finished",
    "screened_out": "screened out",
    "returned": "returned",
}
# Nobody looks at one pair for so long: they have left, and may come back.
SILENT = timedelta(minutes=30)


class Staged(TypedDict):
    """What `with_stage` adds to a row."""

    ready: bool
    seen_at: datetime | None
    stage: str


def with_stage(rows: QuerySet[Enrolment], study: Study) -> "QuerySet[WithAnnotations[Enrolment, Staged]]":
    """The enrolments with `stage`, a name of STAGES, and `seen_at`, when a page of theirs was heard of last."""
    sat = Session.objects.filter(study=study, annotator=OuterRef("annotator")).order_by()
    ready = Exists(sat.filter(ready_at__isnull=False))
    seen = Subquery(sat.values("annotator").annotate(at=Max("last_seen_at")).values("at"))
    practised = Q(trained_at__isnull=False) if study.rules.training_pairs else Q(ready=True)
    here = Q(seen_at__gt=timezone.now() - SILENT)
    stage = Case(
        When(returned_at__isnull=False, then=Value("returned")),
        When(~Q(screened_out_by=""), then=Value("screened_out")),
        When(finished_at__isnull=False, then=Value("finished")),
        When(Q(ready=True) & ~here, then=Value("stopped")),
        When(practised, then=Value("judging")),
        When(ready=True, then=Value("practice")),
        default=Value("arrived"),
        output_field=CharField(),
    )
    return rows.annotate(ready=ready, seen_at=seen).annotate(stage=stage)


def people_by_stage(study: Study) -> list[tuple[str, str, int]]:
    """(name, label, how many) of people at each stage; programs and test participants are not among them."""
    people = with_stage(study.enrolments.filter(annotator__simulated=False), study)
    counts = dict(people.order_by().values_list("stage").annotate(n=Count("pk")))
    return [(name, label, counts.get(name, 0)) for name, label in STAGES.items()]


def stage_in_words(enrolment: Enrolment) -> str:
    """The stage of a row of `with_stage` as a table says it."""
    return STAGES[str(getattr(enrolment, "stage", "arrived"))]
