"""Places of triplets go back to the pool once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.models import Assignment, Triplet
from annotation.services.pool import return_overdue
from tests.kit.factories import make_assignment, make_session, make_study, make_triplet

pytestmark = pytest.mark.django_db


def test_the_reaper_returns_each_lease_once() -> None:
    study = make_study()
    make_triplet(study)
    make_assignment(make_session(study))
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert (return_overdue(), return_overdue()) == (1, 0)
    assert Triplet.objects.get().served == 0
