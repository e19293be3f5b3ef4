"""How far the annotators of a study agree: with one another, with themselves, whatever the side."""

from dataclasses import dataclass

import numpy as np
from django.db.models import Count, F, OuterRef, Q, Subquery

from annotation.models import Assignment, Enrolment, Judgment, Study
from annotation.models.judging import JudgmentQuerySet
from annotation.reports.comparisons import OUTCOMES, StudyVotes
from psychometrics.agreement import (
    ceiling,
    human_score,
    krippendorff_alpha,
    raw_agreement,
    self_agreement,
    side_bias,
)
from psychometrics.comparisons import Ints
from psychometrics.estimates import Estimate


@dataclass(frozen=True)
class Agreement:
    """Figures of one population's votes; None where there are too few answers to say."""

    alpha: Estimate
    raw: float | None
    human_score: Estimate
    ceiling: Estimate
    triplets: int
    again: Estimate
    left: Estimate


def study_agreement(study: Study, votes: StudyVotes, *, simulated: bool) -> Agreement:
    """From the study's votes of one population, and the repeats of those who count."""
    counts, source = votes.by_triplet
    counts = counts - _repeated(study, votes, source.size, simulated=simulated)
    return Agreement(
        alpha=krippendorff_alpha(*counts, source=source),
        raw=raw_agreement(*counts),
        human_score=human_score(*counts, source=source),
        ceiling=ceiling(*counts, source=source),
        triplets=source.size,
        again=_again(study, simulated=simulated),
        left=side_bias(*votes.sides_by_annotator),
    )


def _repeated(study: Study, votes: StudyVotes, triplets: int, *, simulated: bool) -> Ints:
    """Votes (3, triplets) that are a person's further ones on a pair, as imports keep them: how far people agree with
    one another is measured on the first of each, and with themselves on these.
    """
    rows = list(_repeats(study, simulated=simulated).filter(counted=True).values_list("triplet", "choice"))
    counts = np.zeros((3, triplets), dtype=np.int64)
    if rows:
        voted = votes.triplets[np.unique(votes.triplet)]
        for triplet, choice in rows:
            counts[OUTCOMES[choice], np.searchsorted(voted, triplet)] += 1
    return counts


def _again(study: Study, *, simulated: bool) -> Estimate:
    """How often a repeat got the answer that its pair had got, pooled over those who are not excluded."""
    repeats = _repeats(study, simulated=simulated)
    alike = Count("pk", filter=Q(before=F("choice")))
    by_annotator = repeats.order_by().values("annotator").annotate(alike=alike, repeats=Count("pk"))
    rows = list(by_annotator.values_list("alike", "repeats"))
    return self_agreement([alike for alike, _ in rows], [repeats for _, repeats in rows])


def _repeats(study: Study, *, simulated: bool) -> JudgmentQuerySet:
    """Answered repeats of those who count, with the answer `before`."""
    before = Judgment.objects.filter(assignment=OuterRef("assignment__repeats"), stands=True)
    out = Enrolment.objects.excluded().filter(study=study).values("annotator")
    repeats = Judgment.objects.filter(study=study, kind=Assignment.Kind.REPEAT, stands=True)
    return (
        repeats.of_population(simulated=simulated)
        .exclude(annotator__in=out)
        .annotate(before=Subquery(before.values("choice")[:1]))
        .filter(before__isnull=False)
    )
