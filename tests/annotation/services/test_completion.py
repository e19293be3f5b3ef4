"""A completion is reached by judging: not by waiting, and not by flagging."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.core.protocol import Protocol
from annotation.models import Enrolment, Session, Study
from annotation.services.claims import NoPair
from annotation.services.completion import finish, study_completion
from annotation.services.sessions import begin_session, skip_assignment
from tests.kit.answers import claim_next
from tests.kit.factories import (
    make_assignment,
    make_judgment,
    make_session,
    make_source,
    make_study,
    make_triplet,
)
from tests.panels import PROLIFIC, come_in, panel_study

pytestmark = pytest.mark.django_db


def study_of(pairs: int, *, per_session: int = 10, **rules: Any) -> Study:
    protocol = Protocol.bare().replace(completion_code="DONE-1", **rules).to_json()
    study = make_study(protocol=protocol, pairs_per_session=per_session)
    source = make_source(study)
    for number in range(pairs):
        make_triplet(study, source=source, level=0.1 + number / 100)
    return study


def judge(session: Session, pairs: int) -> None:
    for _ in range(pairs):
        make_judgment(session)
    session.refresh_from_db()


def flag(session: Session, pairs: int) -> None:
    for _ in range(pairs):
        skip_assignment(session=session, assignment_id=make_assignment(session).pk, cause="flagged")


def let_time_pass(session: Session) -> None:
    Session.objects.filter(pk=session.pk).update(ready_at=timezone.now() - timedelta(hours=5))
    session.refresh_from_db()


def test_one_answer_and_half_an_hour_is_no_completion() -> None:
    study = study_of(20)
    session = make_session(study)
    judge(session, 1)
    let_time_pass(session)
    assert isinstance(claim_next(session=session), NoPair)
    assert finish(session) is None
    assert study_completion(study, session.annotator_id).missing == 7
    assert not Enrolment.objects.filter(finished_at__isnull=False).exists()


def test_the_share_may_be_judged_in_several_sessions() -> None:
    study = study_of(20)
    first = make_session(study)
    judge(first, 5)
    let_time_pass(first)
    assert finish(first) is None
    second = begin_session(study=study, annotator_id=first.annotator_id)
    assert second != first
    judge(second, 3)
    let_time_pass(second)
    assert finish(second) is not None


@pytest.mark.parametrize(("percent", "reached"), [(50.0, True), (60.0, False)])
def test_the_study_sets_the_share(percent: float, *, reached: bool) -> None:
    session = make_session(study_of(20, completion_percent=percent))
    judge(session, 5)
    let_time_pass(session)
    assert bool(finish(session)) is reached


def test_flagging_every_pair_is_no_completion() -> None:
    study = study_of(10)
    session = make_session(study)
    flag(session, 10)
    assert isinstance(claim_next(session=session), NoPair)
    assert finish(session) is None
    assert study_completion(study, session.annotator_id).done == 1


def test_a_few_flags_are_no_loss() -> None:
    study = study_of(10)
    session = make_session(study)
    flag(session, 1)
    judge(session, 9)
    assert finish(session) is not None


def test_where_nothing_is_left_what_was_given_is_enough() -> None:
    session = make_session(study_of(3, per_session=60))
    judge(session, 3)
    done = finish(session)
    assert done and finish(session) == done  # also when the page is loaded again
    late = make_session(session.study)
    judge_nothing = claim_next(session=late)
    assert isinstance(judge_nothing, NoPair) or late
    Study.objects.update(votes_per_triplet=1)
    nobody = make_session(Study.objects.get())
    assert isinstance(claim_next(session=nobody), NoPair)
    assert finish(nobody) is None  # nothing was judged


def test_a_study_that_pays_for_nothing_asks_for_nothing() -> None:
    study = study_of(20)
    Study.objects.update(protocol=Protocol.bare().to_json())
    study.refresh_from_db()
    session = make_session(study)
    judge(session, 1)
    let_time_pass(session)
    assert finish(session) is not None


def test_the_page_says_how_many_are_missing_and_shows_no_code(client: Client) -> None:
    study = panel_study(pairs=12)
    Study.objects.update(pairs_per_session=10)
    study.refresh_from_db()
    session = come_in(client, study, **PROLIFIC)
    judge(session, 2)
    let_time_pass(session)
    page = client.get(reverse("judge-end", args=[study.key])).content.decode()
    assert "You have judged 2 of the 8 pairs" in page and "after 6 more pairs" in page
    assert "DONE-1" not in page and "Continue judging" in page
    again = client.get(reverse("judge", args=[study.key])).context["session"]
    assert again != session
    judge(again, 6)
    let_time_pass(again)
    assert "DONE-1" in client.get(reverse("judge-end", args=[study.key])).content.decode()


def test_practice_pairs_that_were_given_back_are_no_pairs() -> None:
    study = study_of(10)
    session = make_session(study)
    make_assignment(session)
    session.assignments.update(state="skipped", kind="training")
    assert study_completion(study, session.annotator_id).done == 0
