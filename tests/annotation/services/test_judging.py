"""An answer is recorded once, whatever the network does, and refused with a reason when it can't be."""

import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation.core.protocol import Protocol
from annotation.errors import AlreadyAnswered, BadTiming, LeaseExpired, NotYours, Refused, StudyNotOpen
from annotation.models import Assignment, Judgment, Session, Study, Triplet
from annotation.services.judging import Recorded
from tests.kit.answers import record_judgment
from tests.kit.factories import make_assignment, make_session, make_study, make_timing, make_triplet

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    return make_session(make_triplet().study)


def answer(
    assignment: Assignment,
    *,
    chosen: str = "left",
    key: uuid.UUID | None = None,
    session: Session | None = None,
    **timing: object,
) -> Recorded:
    return record_judgment(
        session=session or assignment.session,
        judgment_id=key or uuid.uuid4(),
        assignment_id=assignment.pk,
        answer=chosen,
        timing=make_timing(**timing),
    )


def test_an_answer_names_the_reconstruction_that_stood_there(session: Session) -> None:
    assignment = make_assignment(session)
    judgment = answer(assignment, chosen="right").judgment
    expected = Judgment.Choice.SECOND if assignment.first_on_left else Judgment.Choice.FIRST
    assert judgment.choice == expected


def test_an_answer_counts_once(session: Session) -> None:
    assignment = make_assignment(session)
    key = uuid.uuid4()
    first, again = answer(assignment, key=key), answer(assignment, key=key)
    assert (first.created, again.created) == (True, False)
    assert Triplet.objects.get().votes == 1
    session.refresh_from_db()
    assert session.answered == 1


def test_the_same_id_with_another_content_is_refused(session: Session) -> None:
    assignment = make_assignment(session)
    key = uuid.uuid4()
    answer(assignment, key=key)
    with pytest.raises(AlreadyAnswered):
        answer(assignment, key=key, chosen="right")
    assert Judgment.objects.get().answer == "left"


def test_a_second_answer_to_one_assignment_is_refused(session: Session) -> None:
    assignment = make_assignment(session)
    answer(assignment)
    with pytest.raises(AlreadyAnswered):
        answer(assignment, chosen="right")


def test_somebody_elses_assignment_is_refused(session: Session) -> None:
    assignment = make_assignment(session)
    with pytest.raises(NotYours):
        answer(assignment, session=make_session(session.study))


def test_an_expired_lease_is_refused(session: Session) -> None:
    assignment = make_assignment(session)
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(LeaseExpired):
        answer(assignment)
    assert not Judgment.objects.exists()


def test_a_closed_study_takes_no_answer(session: Session) -> None:
    assignment = make_assignment(session)
    Study.objects.update(state=Study.State.CLOSED)
    with pytest.raises(StudyNotOpen):
        answer(assignment)


def test_a_paused_study_takes_the_answer_to_a_pair_it_gave_out(session: Session) -> None:
    assignment = make_assignment(session)
    Study.objects.update(state=Study.State.PAUSED)
    assert answer(assignment).created


def test_a_tie_needs_a_study_that_allows_it(session: Session) -> None:
    assignment = make_assignment(session)
    with pytest.raises(Refused, match="not one of left, right"):
        answer(assignment, chosen="tie")
    Study.objects.update(allow_ties=True)
    assert answer(Assignment.objects.get(), chosen="tie").judgment.choice == Judgment.Choice.TIE


def test_no_answer_before_the_minimum_view() -> None:
    study = make_study(min_view_ms=1000)
    make_triplet(study)
    assignment = make_assignment(make_session(study))
    with pytest.raises(BadTiming, match="before 1000 ms"):
        answer(assignment, onset=1000.0, first_input=1500.0, answer=1500.0)


def test_no_answer_before_the_original_was_switched_to_often_enough() -> None:
    study = make_study(protocol=Protocol.bare().replace(original_switches=2).to_json())
    make_triplet(study)
    assignment = make_assignment(make_session(study))
    once = [{"t": 1200.0, "type": "peek_on"}, {"t": 1300.0, "type": "peek_off"}]
    with pytest.raises(BadTiming, match="switched to 2 times"):
        answer(assignment, events=once)
    answer(assignment, events=[*once, {"t": 1400.0, "type": "peek_on"}])
    # Programs look at nothing.
    answer(make_assignment(make_session(study, simulated=True)))
    assert Judgment.objects.count() == 2


@pytest.mark.parametrize(
    "timing",
    [
        {"onset": -1.0},
        {"answer": float("nan")},
        {"onset": 3000.0, "answer": 2500.0},
        {"events": [{"t": 1.0, "type": "key"}] * 50_000},
        {"onset": "soon"},
    ],
)
def test_absurd_timing_is_refused(session: Session, timing: dict[str, object]) -> None:
    assignment = make_assignment(session)
    with pytest.raises(BadTiming):
        answer(assignment, **timing)
    assert not Judgment.objects.exists()


def test_the_database_itself_holds_one_judgment_per_assignment(session: Session) -> None:
    judgment = answer(make_assignment(session)).judgment
    judgment.pk = uuid.uuid4()
    with pytest.raises(IntegrityError), transaction.atomic():
        judgment.save(force_insert=True)
