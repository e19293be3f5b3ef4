"""Leases: fewest first, each triplet once per annotator, back in the pool when they run out."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.models import Assignment, Reconstruction, Triplet
from annotation.services.claims import FIRST_LEASES, MOST_LEASES, NoPair
from tests.kit.answers import claim_next
from tests.kit.factories import (
    make_assignment,
    make_judgment,
    make_reconstruction,
    make_session,
    make_source,
    make_study,
    make_triplet,
)

pytestmark = pytest.mark.django_db


def test_the_least_served_triplet_comes_first() -> None:
    study = make_study()
    make_triplet(study, served=2, votes=2)
    fresh = make_triplet(study)
    assert make_assignment(make_session(study)).triplet == fresh


def test_a_claim_counts_as_served() -> None:
    triplet = make_triplet()
    make_assignment(make_session(triplet.study))
    triplet.refresh_from_db()
    assert (triplet.served, triplet.votes) == (1, 0)


def test_the_source_changes_from_pair_to_pair_where_it_can() -> None:
    study = make_study()
    one, other = make_source(study), make_source(study)
    for bpp in (0.37, 1.0):
        make_triplet(study, source=one, level=bpp)
    make_triplet(study, source=other)
    session = make_session(study, answered=1)
    shown = [make_assignment(session).triplet.source for _ in range(3)]
    assert shown[0] != shown[1]


def test_an_annotator_never_sees_a_triplet_twice() -> None:
    study = make_study(votes_per_triplet=5)
    make_triplet(study)
    session = make_session(study)
    make_judgment(session)
    answer = claim_next(session=session)
    assert isinstance(answer, NoPair) and answer.status == "nothing_left"


def test_a_pair_in_other_hands_is_not_free_and_not_gone() -> None:
    study = make_study(votes_per_triplet=1)
    make_triplet(study)
    make_assignment(make_session(study))
    answer = claim_next(session=make_session(study))
    assert isinstance(answer, NoPair) and answer.status == "nothing_free"


def test_pairs_still_being_encoded_are_not_gone() -> None:
    study = make_study()
    make_reconstruction(make_source(study), state=Reconstruction.State.QUEUED)
    answer = claim_next(session=make_session(study))
    assert isinstance(answer, NoPair) and answer.status == "nothing_free"
    assert "prepared" in answer.detail


def test_a_lease_that_the_page_lost_is_given_again() -> None:
    triplet = make_triplet()
    session = make_session(triplet.study)
    held = make_assignment(session)
    assert claim_next(session=session) == held


def test_a_run_out_lease_goes_to_somebody_else() -> None:
    study = make_study(votes_per_triplet=1)
    make_triplet(study)
    late = make_assignment(make_session(study))
    Assignment.objects.filter(pk=late.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    taken = make_assignment(make_session(study))
    late.refresh_from_db()
    assert late.state == Assignment.State.EXPIRED
    assert taken.triplet == late.triplet
    assert Triplet.objects.get().served == 1


def test_a_session_ends_after_its_pairs() -> None:
    study = make_study(pairs_per_session=1)
    for bpp in (0.37, 1.0):
        make_triplet(study, level=bpp)
    session = make_session(study)
    make_judgment(session)
    session.refresh_from_db()
    answer = claim_next(session=session)
    assert isinstance(answer, NoPair) and answer.status == "sitting_over"


def test_sides_are_balanced_within_an_annotator() -> None:
    study = make_study(pairs_per_session=100)
    source = make_source(study)
    for number in range(16):
        make_triplet(study, source=source, level=0.1 + number / 10)
    session = make_session(study)
    on_left = [make_judgment(session).assignment.first_on_left for _ in range(16)]
    assert on_left.count(True) == 8


def test_a_session_holds_six_pairs_and_no_more() -> None:
    study = make_study(pairs_per_session=100)
    source = make_source(study)
    for number in range(8):
        make_triplet(study, source=source, level=0.1 + number / 10)
    session = make_session(study, answered=1)
    held = [make_assignment(session).pk for _ in range(MOST_LEASES)]
    answer = claim_next(session=session, holding=held)
    assert isinstance(answer, NoPair) and (answer.status, answer.retry_after_s) == ("nothing_free", 1)


def test_a_session_holds_two_pairs_until_its_first_answer() -> None:
    study = make_study(pairs_per_session=100)
    source = make_source(study)
    for number in range(4):
        make_triplet(study, source=source, level=0.1 + number / 10)
    session = make_session(study)
    held = [make_assignment(session).pk for _ in range(FIRST_LEASES)]
    answer = claim_next(session=session, holding=held)
    assert isinstance(answer, NoPair) and answer.status == "nothing_free"
    assert FIRST_LEASES == 2


def test_pairs_that_are_held_belong_to_the_session_s_number() -> None:
    study = make_study(pairs_per_session=3)
    for bpp in (0.23, 0.37, 0.67, 1.0):
        make_triplet(study, level=bpp)
    session = make_session(study)
    make_judgment(session)
    for _ in range(2):
        make_assignment(session)
    held = session.assignments.values_list("pk", flat=True)
    answer = claim_next(session=session, holding=list(held))
    assert isinstance(answer, NoPair) and answer.status == "sitting_over"


def test_a_pair_that_ran_out_is_not_shown_again_as_if_it_were_lost() -> None:
    study = make_study(votes_per_triplet=5)
    for bpp in (0.37, 1.0):
        make_triplet(study, level=bpp)
    session = make_session(study)
    first = make_assignment(session)
    assert claim_next(session=session) == first
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    following = claim_next(session=session)
    assert isinstance(following, Assignment) and following != first
