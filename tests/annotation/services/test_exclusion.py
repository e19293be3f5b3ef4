"""Somebody who is left out: their session ends like any other, at once, and nothing of it counts."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from annotation.core.protocol import Protocol
from annotation.models import Annotator, Assignment, Enrolment, Judgment, Session, Study, Triplet
from annotation.services.annotator_quality import exclude_by_hand, refresh_quality, undo_exclusion_by_hand
from annotation.services.claims import NoPair, session_end
from annotation.services.completion import finish
from tests.kit.answers import claim_next, record_judgment
from tests.kit.factories import (
    make_assignment,
    make_judgment,
    make_session,
    make_study,
    make_timing,
    make_triplet,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    """A study of four pairs that each need one vote."""
    study = make_study(votes_per_triplet=1)
    for _ in range(4):
        make_triplet(study)
    return study


def place_of(session: Session) -> Enrolment:
    return Enrolment.objects.get(study=session.study, annotator=session.annotator)


def leave_out(session: Session) -> None:
    exclude_by_hand(enrolment=place_of(session), reason="a colleague", by="owner")


def answer(session: Session, assignment: Assignment) -> Judgment:
    return record_judgment(
        session=session,
        judgment_id=uuid.uuid4(),
        assignment_id=assignment.pk,
        answer="left",
        timing=make_timing(),
    ).judgment


def counters(study: Study) -> tuple[int, int, int]:
    """Votes, places taken, and of these the first on the left, of all pairs together."""
    rows = study.triplets.values_list("votes", "served", "lefts")
    votes, served, lefts = (sum(column) for column in zip(*rows, strict=True))
    return votes, served, lefts


def test_the_next_claim_ends_the_session_in_the_ordinary_words(study: Study) -> None:
    session = make_session(study)
    make_judgment(session)
    leave_out(session)
    assert claim_next(session=session) == NoPair(
        "sitting_over", "You judged 1 pair. This session is complete. Thank you."
    )
    assert finish(session) == place_of(session)


def test_who_was_left_out_before_the_first_pair_is_told_that_there_is_none(study: Study) -> None:
    session = make_session(study)
    leave_out(session)
    result = claim_next(session=session)
    assert isinstance(result, NoPair)
    assert result.detail == "There are no more pairs for you. This session is complete. Thank you."


def test_a_rule_ends_it_as_well() -> None:
    study = make_study(protocol=Protocol.bare().replace(exclude_straight_over=2).to_json())
    for _ in range(4):
        make_triplet(study)
    session = make_session(study)
    for _ in range(3):
        make_judgment(session)
    refresh_quality(study)
    result = claim_next(session=session)
    assert isinstance(result, NoPair) and result.status == "sitting_over"


def test_a_pair_in_hand_is_answered_without_counting_and_asked_again(study: Study) -> None:
    session = make_session(study)
    held = make_assignment(session)
    leave_out(session)
    assert isinstance(claim_next(session=session, holding=[held.pk]), NoPair)
    assert session_end(session) is None
    answer(session, held)
    assert counters(study) == (0, 0, 0)
    assert Judgment.objects.count() == 1
    assert finish(session) is not None
    assert {make_judgment(make_session(study)).triplet for _ in range(4)} == set(study.triplets.all())


def test_a_pair_that_the_page_has_lost_goes_back(study: Study) -> None:
    session = make_session(study)
    lost = make_assignment(session)
    leave_out(session)
    claim_next(session=session)
    lost.refresh_from_db()
    assert lost.state == "expired"
    assert counters(study) == (0, 0, 0)


def test_taken_back_they_go_on_and_all_of_it_counts(study: Study) -> None:
    session = make_session(study)
    make_judgment(session)
    held = make_assignment(session)
    leave_out(session)
    answer(session, held)
    undo_exclusion_by_hand(enrolment=place_of(session))
    make_judgment(session)
    assert counters(study)[:2] == (3, 3)
    assert Judgment.objects.counted().count() == 3


def test_an_undone_answer_moves_no_counter() -> None:
    study = make_study(protocol=Protocol.bare().replace(undo_depth=1).to_json())
    make_triplet(study)
    session = make_session(study)
    first = make_judgment(session)
    leave_out(session)
    record_judgment(
        session=session,
        judgment_id=uuid.uuid4(),
        assignment_id=first.assignment_id,
        answer="right",
        timing=make_timing(),
        supersedes=first.pk,
    )
    assert counters(study) == (0, 0, 0)


def test_practice_ends_too(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(protocol=Protocol.bare().replace(training_pairs=5).to_json())
    make_triplet(study, role=Triplet.Role.TRAINING, known="first")
    session = make_session(Study.objects.get(pk=study.pk))
    leave_out(session)
    result = claim_next(session=session)
    assert isinstance(result, NoPair) and result.status == "sitting_over"
    assert finish(session) is not None


def panel_study() -> Study:
    """A study of a panel with two pairs."""
    rules = Protocol.bare().replace(panel="prolific", completion_code="DONE-1")
    study = make_study(protocol=rules.to_json())
    make_triplet(study), make_triplet(study)
    return study


def test_a_panel_pays_them_and_they_are_not_told(client: Client) -> None:
    study = panel_study()
    address = reverse("judge", args=[study.key])
    link = {"PROLIFIC_PID": "5f1e2d3c4b5a697887960001"}
    first = client.get(address, link)
    session = client.post(first.context["action"], {"agree": "yes"}, follow=True).context["session"]
    make_judgment(session)
    leave_out(session)
    end = client.get(reverse("judge-end", args=[study.key]))
    assert end.status_code == 200
    assert "DONE-1" in end.text and "left out" not in end.text
    again = client.get(address, link, follow=True)
    assert again.redirect_chain and "DONE-1" in again.text


def test_nobody_is_offered_another_session_that_would_be_empty(client: Client, study: Study) -> None:
    session = client.get(reverse("judge", args=[study.key])).context["session"]
    make_judgment(session)
    leave_out(session)
    end = client.get(reverse("judge-end", args=[study.key]))
    assert end.status_code == 200 and not end.context["again"]
    assert client.get(reverse("judge", args=[study.key])).url == reverse("judge-end", args=[study.key])
    assert Session.objects.count() == Annotator.objects.count() == 1
