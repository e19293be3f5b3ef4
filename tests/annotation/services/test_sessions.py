"""A session that was left for a while goes on; one that was left for half an hour is over, and another begins."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.core.protocol import Protocol
from annotation.models import Annotator, Flag, Session
from annotation.services.sessions import begin_session, skip_assignment
from tests.kit.factories import make_assignment, make_session, make_study, make_triplet

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("minutes", "goes_on"), [(1, True), (28, True), (32, False), (60 * 24, False)])
def test_a_session_left_for_half_an_hour_is_over(minutes: int, *, goes_on: bool) -> None:
    study = make_triplet(make_study()).study
    session = begin_session(study=study)
    Session.objects.filter(pk=session.pk).update(last_seen_at=timezone.now() - timedelta(minutes=minutes))
    again = begin_session(study=study, annotator_id=session.annotator_id)
    assert (again == session) is goes_on and again.annotator == session.annotator


@pytest.mark.parametrize(
    ("minutes", "answered", "goes_on"),
    [
        pytest.param(19, 1, True, id="within its time"),
        pytest.param(21, 1, False, id="over its time"),
        pytest.param(21, 0, True, id="nothing judged yet: no eyes are tired"),
        pytest.param(1, 9, True, id="a pair is missing"),
        pytest.param(1, 10, False, id="all pairs judged"),
    ],
)
def test_a_session_goes_on_within_its_time_and_number_of_pairs(
    minutes: int, answered: int, *, goes_on: bool
) -> None:
    rules = Protocol.bare().replace(sitting_minutes=20)
    study = make_triplet(make_study(pairs_per_session=10, protocol=rules.to_json())).study
    session = begin_session(study=study)
    began = timezone.now() - timedelta(minutes=minutes)
    Session.objects.filter(pk=session.pk).update(ready_at=began, answered=answered)
    assert (begin_session(study=study, annotator_id=session.annotator_id) == session) is goes_on


def test_a_forgotten_annotator_is_a_new_one() -> None:
    study = make_triplet(make_study()).study
    session = begin_session(study=study)
    Annotator.objects.update(forgotten_at=timezone.now())
    assert begin_session(study=study, annotator_id=session.annotator_id).annotator != session.annotator


@pytest.mark.parametrize(("simulated", "flags"), [(False, 1), (True, 0)], ids=["a person", "a program"])
def test_what_a_program_returns_is_no_flag_to_settle(*, simulated: bool, flags: int) -> None:
    session = make_session(make_triplet(make_study()).study, simulated=simulated)
    skip_assignment(session=session, assignment_id=make_assignment(session).pk, cause="flagged")
    assert Flag.objects.count() == flags
