"""Training before judging: known answers, feedback, tries, and what it leaves alone."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from annotation.core.protocol import Protocol
from annotation.models import Assignment, Enrolment, Session, Study, Triplet
from annotation.services.claims import NoPair
from annotation.services.completion import finish
from annotation.services.practice import feedback_on
from annotation.services.sessions import begin_session, session_progress
from tests.kit.answers import claim_next, record_judgment
from tests.kit.factories import (
    make_assignment,
    make_session,
    make_source,
    make_study,
    make_timing,
    make_triplet,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    """Two levels of training pairs, two tries, four of five to pass."""
    rules = Protocol.bare().replace(training_pairs=5, training_pass=4, training_tries=2)
    study = make_study(protocol=rules.to_json())
    for number in range(6):
        source = make_source(study)
        make_triplet(study, source=source)
        known = "first" if number % 2 else "second"
        taught = {"role": Triplet.Role.TRAINING, "known": known, "priority": 1.0 + number // 3}
        make_triplet(study, source=source, level=1.0, **taught)
    return study


def answer(session: Session, assignment: Assignment, *, right: bool) -> bool:
    known_left = (assignment.triplet.known == "first") == assignment.first_on_left
    output = "left" if known_left == right else "right"
    judgment = record_judgment(
        session=session,
        judgment_id=uuid4(),
        assignment_id=assignment.pk,
        answer=output,
        timing=make_timing(),
    ).judgment
    feedback = feedback_on(judgment)
    assert feedback is not None and feedback.closer == ("left" if known_left else "right")
    return feedback.right


def train(session: Session, *, right: int) -> None:
    for number in range(5):
        assert answer(session, make_assignment(session), right=number < right) == (number < right)


def enrolment(session: Session) -> Enrolment:
    return Enrolment.objects.get(study=session.study, annotator=session.annotator)


def test_training_comes_first_from_easy_to_hard_and_counts_nothing(study: Study) -> None:
    session = make_session(study)
    train(session, right=5)
    levels = list(session.assignments.order_by("issued_at").values_list("triplet__priority", flat=True))
    assert levels == sorted(levels, reverse=True) and set(levels) == {1.0, 2.0}
    session.refresh_from_db()
    assert session.answered == 0
    assert not Triplet.objects.filter(served__gt=0).exists()
    assert not study.judgments.counted().exists()
    assert enrolment(session).trained_at and enrolment(session).training_tries == 1
    assert make_assignment(session).kind == Assignment.Kind.PAIR


def test_progress_tells_the_stage(study: Study) -> None:
    session = make_session(study)
    assert session_progress(session) == {"answered": 0, "total": 5, "stage": "training"}
    answer(session, make_assignment(session), right=True)
    assert session_progress(session) == {"answered": 1, "total": 5, "stage": "training"}
    for _ in range(4):
        answer(session, make_assignment(session), right=True)
    assert session_progress(session) == {"answered": 0, "total": 6, "stage": "judging"}


def test_no_more_is_given_out_ahead_than_belongs_to_the_try(study: Study) -> None:
    session = make_session(study, answered=1)  # in a session before this study's rules
    held = [make_assignment(session) for _ in range(5)]
    assert {assignment.kind for assignment in held} == {"training"}
    result = claim_next(session=session, holding=[one.pk for one in held])
    assert isinstance(result, NoPair) and result.status == "nothing_free"


def test_whoever_fails_may_try_again_and_then_no_more(study: Study) -> None:
    session = make_session(study)
    train(session, right=3)
    assert not enrolment(session).trained_at and not enrolment(session).screened_out_by
    train(session, right=0)
    assert (enrolment(session).screened_out_by, enrolment(session).training_tries) == ("training", 2)
    result = claim_next(session=session)
    assert isinstance(result, NoPair) and result.status == "training_failed"
    again = begin_session(study=study, annotator_id=session.annotator_id)
    result = claim_next(session=again)
    assert isinstance(result, NoPair) and result.status == "training_failed"
    assert finish(session) is None


def test_the_second_try_counts_alone(study: Study) -> None:
    session = make_session(study)
    train(session, right=0)
    train(session, right=4)
    assert enrolment(session).trained_at


def test_who_is_trained_is_trained_in_the_next_session_too(study: Study) -> None:
    session = make_session(study)
    train(session, right=5)
    other = make_session(study, annotator=session.annotator)
    assert make_assignment(other).kind == Assignment.Kind.PAIR


def test_a_training_pair_that_ran_out_comes_again(study: Study) -> None:
    session = make_session(study)
    make_assignment(session)
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    train(session, right=5)
    assert enrolment(session).trained_at


def test_undoing_a_training_answer_leaves_the_first_one_standing(study: Study) -> None:
    session = make_session(study)
    assignment = make_assignment(session)
    answer(session, assignment, right=False)
    first = assignment.judgments.get()
    other = "left" if first.answer == "right" else "right"
    later = record_judgment(
        session=session,
        judgment_id=uuid4(),
        assignment_id=assignment.pk,
        answer=other,
        timing=make_timing(),
        supersedes=first.pk,
    ).judgment
    first.refresh_from_db()
    assert first.stands and not later.stands


def test_a_study_whose_training_cannot_be_made_says_so() -> None:
    study = make_study(protocol=Protocol.bare().replace(training_pairs=5, training_pass=4).to_json())
    make_triplet(study)
    result = claim_next(session=make_session(study))
    assert isinstance(result, NoPair) and "could not be prepared" in result.detail
