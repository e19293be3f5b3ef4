"""How far the annotators of a study agree: with one another, with themselves, whatever the side."""

from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Count, OuterRef, Q, Subquery

from annotation.models import Assignment, Enrolment, Judgment, Study
from psychometrics.agreement import (
    Proportion,
    ceiling,
    human_score,
    krippendorff_alpha,
    raw_agreement,
    self_agreement,
    side_bias,
)

CACHED_S = 24 * 3600


@dataclass(frozen=True)
class Agreement:
    """Figures of one population's votes; None where there are too few answers to say."""

    alpha: float | None
    raw: float | None
    human_score: float | None
    ceiling: float | None
    triplets: int
    again: Proportion
    left: Proportion


def cached_agreement(study: Study, *, simulated: bool, votes: int) -> Agreement:
    """Agreement among so many votes; worked out anew when there are more, or fewer."""
    key = f"agreement-{study.key}-{simulated}-{votes}"
    found: Agreement | None = cache.get(key)
    if found is None:
        found = agreement_of(study, simulated=simulated)
        cache.set(key, found, CACHED_S)
    return found


def agreement_of(study: Study, *, simulated: bool) -> Agreement:
    """From the votes by triplet, the sides that were chosen, and the repeats of those who count."""
    votes = Judgment.objects.filter(study=study).of_population(simulated=simulated).counted()
    columns = {choice: Count("pk", filter=Q(choice=choice)) for choice in Judgment.Choice.values}
    by_triplet = votes.order_by().values("triplet").annotate(**columns).values_list(*columns)
    counts = list(zip(*by_triplet, strict=True)) or [(), (), ()]
    arrays = [list(each) for each in counts]
    sides = {side: Count("pk", filter=Q(answer=side)) for side in ("left", "right")}
    return Agreement(
        alpha=krippendorff_alpha(*arrays),
        raw=raw_agreement(*arrays),
        human_score=human_score(*arrays),
        ceiling=ceiling(*arrays),
        triplets=len(arrays[0]),
        again=_again(study, simulated=simulated),
        left=side_bias(**votes.aggregate(**sides)),
    )


def _again(study: Study, *, simulated: bool) -> Proportion:
    """How often a repeat got the answer that its pair had got, pooled over those who are not left out."""
    before = Judgment.objects.filter(assignment=OuterRef("assignment__repeats"), stands=True)
    out = Enrolment.objects.excluded().filter(study=study).values("annotator")
    repeats = (
        Judgment.objects.filter(study=study, kind=Assignment.Kind.REPEAT, stands=True)
        .of_population(simulated=simulated)
        .exclude(annotator__in=out)
        .annotate(before=Subquery(before.values("choice")[:1]))
        .filter(before__isnull=False)
    )
    pairs = list(repeats.values_list("before", "choice"))
    return self_agreement([one for one, _ in pairs], [other for _, other in pairs])
