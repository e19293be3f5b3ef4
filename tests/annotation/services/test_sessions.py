"""A session that was left for a while goes on; one that was left for half an hour is over, and another begins."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.models import Session
from annotation.services.sessions import begin_session
from tests.kit.factories import make_study, make_triplet

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("minutes", "goes_on"), [(1, True), (28, True), (32, False), (60 * 24, False)])
def test_a_session_left_for_half_an_hour_is_over(minutes: int, *, goes_on: bool) -> None:
    study = make_triplet(make_study()).study
    session = begin_session(study=study)
    Session.objects.filter(pk=session.pk).update(last_seen_at=timezone.now() - timedelta(minutes=minutes))
    again = begin_session(study=study, annotator_id=session.annotator_id)
    assert (again == session) is goes_on and again.annotator == session.annotator
