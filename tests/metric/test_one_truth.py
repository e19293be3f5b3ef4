"""The results page and a version's table say the same of people's agreement, for the same votes."""

import uuid

import numpy as np
import pytest

from annotation.models import Judgment, Study
from annotation.reports.agreement import study_agreement
from annotation.reports.comparisons import study_votes
from metric.core.evaluation.evaluate import evaluate
from metric.core.evaluation.votes import Votes
from tests.kit.answers import record_judgment
from tests.kit.factories import (
    make_assignment,
    make_session,
    make_source,
    make_study,
    make_timing,
    make_triplet,
)

pytestmark = pytest.mark.django_db


def judged(people: int, *, ties: bool) -> Study:
    """Three photographs with two pairs each; people differ more about some than about others."""
    study = make_study(votes_per_triplet=people, allow_ties=ties)
    for _ in range(3):
        source = make_source(study)
        for bpp in (0.37, 1.0):
            make_triplet(study, source=source, level=bpp)
    for person in range(people):
        session = make_session(study)
        for _ in range(6):
            assignment = make_assignment(session)
            turn = (person * (1 + assignment.triplet_id % 3)) % 4
            choice = "tie" if ties and turn == 3 else "first" if turn < 2 else "second"
            left = (choice == "first") == assignment.first_on_left
            record_judgment(
                session=session,
                judgment_id=uuid.uuid4(),
                assignment_id=assignment.pk,
                answer="tie" if choice == "tie" else "left" if left else "right",
                timing=make_timing(),
            )
    return study


def votes_of(study: Study) -> Votes:
    """As a snapshot of the whole study would hold them."""
    counts = Judgment.objects.filter(study=study).by_people().counted().votes_by_triplet()
    triplets = list(study.triplets.filter(pk__in=counts).order_by("pk"))
    columns = np.array([counts[one.pk] for one in triplets], dtype=np.float64).T
    words = zip(*((str(one.source_id), one.kind, str(one.level)) for one in triplets), strict=True)
    return Votes(*columns, *(np.array(each) for each in words))


@pytest.mark.parametrize(("people", "ties"), [(5, False), (4, True), (2, False)])
def test_human_score_and_ceiling_with_their_intervals_are_the_same(people: int, ties: bool) -> None:
    study = judged(people, ties=ties)
    page = study_agreement(study, study_votes(study, simulated=False), simulated=False)
    human, best = evaluate(votes_of(study), [])["rows"]
    assert page.human_score.value is not None and page.ceiling.value is not None
    for ours, row in ((page.human_score, human), (page.ceiling, best)):
        assert (row["score"], row["low"], row["high"]) == pytest.approx((ours.value, ours.low, ours.high))


def test_both_are_unknown_where_no_pair_has_two_votes() -> None:
    study = judged(1, ties=False)
    page = study_agreement(study, study_votes(study, simulated=False), simulated=False)
    table = evaluate(votes_of(study), [])
    assert page.human_score.value is page.ceiling.value is None
    assert table["people"]["human_score"] is table["people"]["ceiling"] is None
