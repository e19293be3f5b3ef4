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
    gone = next(one for one in leased if not one.first_on_left)
    Assignment.objects.filter(pk=gone.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    return_overdue()
    triplet.refresh_from_db()
    assert (triplet.served, triplet.lefts) == (6, on_left - 1)


def test_what_ran_out_first_goes_back_first() -> None:
    study = make_study(votes_per_triplet=2)
    make_triplet(study)
    later, earlier = (make_assignment(make_session(study)) for _ in range(2))
    for one, minutes in ((later, 1), (earlier, 2)):
        ran_out = timezone.now() - timedelta(minutes=minutes)
        Assignment.objects.filter(pk=one.pk).update(expires_at=ran_out)
    assert return_overdue(limit=1) == 1
    assert Assignment.objects.get(state=Assignment.State.EXPIRED) == earlier


def test_one_claim_brings_back_many_leases_that_ran_out() -> None:
    study = make_study(votes_per_triplet=1)
    for _ in range(6):
        make_triplet(study)
        make_assignment(make_session(study))
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert make_assignment(make_session(study)).state == Assignment.State.LEASED
    assert not Assignment.objects.overdue().exists()


def test_a_warm_up_that_runs_out_takes_no_place_with_it() -> None:
    study = make_study(votes_per_triplet=20, protocol=Protocol.bare().replace(warm_up=1).to_json())
    make_triplet(study)
    warm_up = make_assignment(make_session(study))
    assert warm_up.warm_up
    Triplet.objects.update(served=3, lefts=2)
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert return_overdue() == 1
    assert Triplet.objects.values_list("served", "lefts").get() == (3, 2)
