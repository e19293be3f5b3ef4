"""What a client says of time is held against the server's clock: flagged where it cannot be, never refused."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.core.timing import earliest_end
from annotation.models import Assignment, Judgment, Session
from annotation.services.annotator_quality import refresh_quality
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


@pytest.fixture
def session() -> Session:
    study = make_study()
    for _ in range(8):
        make_triplet(study, source=make_source(study))
    return make_session(study, answered=1)


def hold(session: Session, pairs: int, *, since_ms: float) -> list[Assignment]:
    """Pairs that were issued so long ago."""
    held = [make_assignment(session) for _ in range(pairs)]
    issued = timezone.now() - timedelta(milliseconds=since_ms)
    session.assignments.update(issued_at=issued)
    return held


def judge(session: Session, assignment: Assignment, view_ms: float, **more: uuid.UUID) -> Judgment:
    return record_judgment(
        session=session,
        judgment_id=uuid.uuid4(),
        assignment_id=assignment.pk,
        answer="left",
        timing=make_timing(answer=1000.0 + view_ms, first_input=1000.0),
        **more,
    ).judgment


@pytest.mark.parametrize(
    ("since_ms", "flagged"), [(45, True), (1_600, True), (1_800, False), (60_000, False)]
)
def test_a_view_longer_than_the_pair_was_out_is_flagged(
    session: Session, since_ms: float, *, flagged: bool
) -> None:
    [assignment] = hold(session, 1, since_ms=since_ms)
    assert judge(session, assignment, 1_900).faster_than_possible is flagged


def test_times_of_simulated_annotators_are_made_up_and_not_held_against_them(session: Session) -> None:
    program = make_session(session.study, simulated=True)
    [assignment] = hold(program, 1, since_ms=45)
    assert judge(program, assignment, 1_900).faster_than_possible is False


def test_views_of_one_session_come_one_after_the_other(session: Session) -> None:
    """Six pairs fetched ahead and answered at once: each alone is possible, all of them are not."""
    held = hold(session, 6, since_ms=4_000)
    flags = [judge(session, assignment, 1_500).faster_than_possible for assignment in held]
    assert flags == [False, False, True, True, True, True]


def test_answers_that_waited_for_a_network_are_possible(session: Session) -> None:
    held = hold(session, 6, since_ms=60_000)
    assert not any(judge(session, assignment, 9_000).faster_than_possible for assignment in held)


def test_the_flag_is_a_figure_of_the_annotator(session: Session) -> None:
    for assignment in hold(session, 4, since_ms=1_900):
        judge(session, assignment, 1_900)
    refresh_quality(session.study)
    impossible = session.study.enrolments.get().figures["impossible"]
    assert (impossible["value"], impossible["n"]) == (0.75, 4)
    assert Judgment.objects.counted().count() == 4  # a flag, no deletion


def test_a_view_begins_after_its_issue_and_after_the_view_before() -> None:
    issued = timezone.now()
    assert earliest_end(issued, None, 1500) == issued + timedelta(seconds=1.5)
    assert earliest_end(issued, issued - timedelta(seconds=9), 1500) == issued + timedelta(seconds=1.5)
    assert earliest_end(issued, issued + timedelta(seconds=9), 1500) == issued + timedelta(seconds=10.5)
