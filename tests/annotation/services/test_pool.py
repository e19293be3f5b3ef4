"""Places of triplets go back to the pool once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.core.protocol import Protocol
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


def test_the_triplet_counts_on_which_side_its_first_one_stood() -> None:
    """As the next annotator's side follows from it; a lease that ends unanswered is not counted."""
    study = make_study(votes_per_triplet=20)
    make_triplet(study)
    leased = [make_assignment(make_session(study)) for _ in range(8)]
    on_left = sum(one.first_on_left for one in leased)
    triplet = Triplet.objects.get()
    assert (triplet.served, triplet.lefts) == (8, on_left)
    assert 0 < on_left < 8
    gone = next(one for one in leased if one.first_on_left)
    Assignment.objects.filter(pk=gone.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    return_overdue()
    triplet.refresh_from_db()
    assert (triplet.served, triplet.lefts) == (7, on_left - 1)


def test_a_warm_up_that_runs_out_takes_no_place_with_it() -> None:
    study = make_study(votes_per_triplet=20, protocol=Protocol.bare().replace(warm_up=1).to_json())
    make_triplet(study)
    warm_up = make_assignment(make_session(study))
    assert warm_up.warm_up
    Triplet.objects.update(served=3, lefts=2)
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert return_overdue() == 1
    assert Triplet.objects.values_list("served", "lefts").get() == (3, 2)
