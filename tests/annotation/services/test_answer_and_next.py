"""An answer that brings the next pair: one transaction for both, in which the answer stands whatever becomes of it."""

import json
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotation.core.protocol import Protocol
from annotation.errors import Refused
from annotation.models import Assignment, Enrolment, Judgment, Session, Study
from annotation.services.claims import claim_in_turn
from annotation.services.judging import Answer, record
from annotation.services.sessions import require_open, session_progress
from tests.kit.answers import claim_next
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
    study = make_study()
    for _ in range(3):
        make_triplet(study, source=make_source(study))
    return study


def answer(
    session: Session,
    pair: Assignment,
    then: Callable[[Session, Enrolment], Any],
    **more: Any,
) -> Any:
    given = Answer(uuid.uuid4(), pair.pk, "left", make_timing(), **more)
    return record(sessions=Session.objects.filter(pk=session.pk), given=given, then=then)


def put(client: Client, session: Session, pair: Assignment) -> Any:
    content = {"assignment": str(pair.pk), "answer": "left", "timing": make_timing(), "holding": []}
    return client.put(
        f"/api/v1/judgments/{uuid.uuid4()}/",
        json.dumps(content),
        content_type="application/json",
        headers={"X-Closer-Session": session.key},
    ).json()


following = partial(claim_in_turn, holding=[], require=require_open)


def test_the_rows_are_read_once_and_without_what_is_long(client: Client, study: Study) -> None:
    session = make_session(study)
    pair = make_assignment(session)
    session_progress(session)  # kept for a while
    with CaptureQueriesContext(connection) as queries:
        assert put(client, session, pair)["next"]["status"] == "pair"
    statements = [query["sql"] for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(statements) <= 12
    for table in ("session", "enrolment"):
        assert sum(f'FROM "annotation_{table}"' in sql for sql in statements) == 1
    long = ("listed_pairs", "questionnaire", "instructions", "figures", 'screen"')
    assert not [sql for sql in statements if sql.startswith("SELECT") and any(name in sql for name in long)]


@pytest.mark.parametrize("error", [Refused("No."), IntegrityError("no"), KeyError("a fault")])
def test_what_follows_may_fail_and_the_answer_stands(study: Study, error: Exception) -> None:
    session = make_session(study)
    pair = make_assignment(session)

    def fail(session: Session, enrolment: Enrolment) -> None:
        assert claim_in_turn(session, enrolment, holding=[], require=require_open)
        raise error

    recorded = answer(session, pair, fail)
    assert recorded.created and recorded.followed is None and Judgment.objects.count() == 1
    assert Assignment.objects.count() == 1  # the lease is rolled back


def test_an_excluded_annotator_gets_nothing_in_the_same_transaction(study: Study) -> None:
    session = make_session(study)
    pair = make_assignment(session)
    Enrolment.objects.update(excluded_by="sentinels")
    assert answer(session, pair, following).followed is None
    assert Assignment.objects.count() == 1


def test_leases_that_ran_out_are_swept_in_a_transaction_of_their_own() -> None:
    study = make_study(votes_per_triplet=1)
    for _ in range(2):
        make_triplet(study, source=make_source(study))
    session, other = make_session(study), make_session(study)
    mine, lost = make_assignment(session), make_assignment(other)
    Assignment.objects.filter(pk=lost.pk).update(expires_at=lost.issued_at)
    assert answer(session, mine, following).followed is None
    third = make_session(study)
    assert claim_next(session=third) and Assignment.objects.get(pk=lost.pk).state == "expired"


def test_an_undone_answer_brings_its_pair_by_itself(study: Study) -> None:
    session = make_session(study)
    pair = make_assignment(session)
    first = answer(session, pair, following)
    assert first.followed.outcome.pk != pair.pk
    assert answer(session, pair, following, supersedes=first.judgment.pk).followed is None


def test_whoever_fails_the_training_gets_no_pair_with_the_last_answer(client: Client) -> None:
    rules = Protocol.bare().replace(training_pairs=5, training_pass=5, training_tries=1)
    study = make_study(protocol=rules.to_json())
    source = make_source(study)
    make_triplet(study, source=source)
    make_triplet(study, source=source, level=1.0, role="training", known="first", priority=1.0)
    session = make_session(study)
    pair = make_assignment(session)
    for last in (False, False, False, False, True):
        Assignment.objects.filter(pk=pair.pk).update(first_on_left=False)
        given = put(client, session, pair)["next"]
        assert given["status"] == ("training_failed" if last else "pair")
        pair = pair if last else Assignment.objects.get(pk=given["assignment"]["id"])
    assert Assignment.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_was_rolled_back_with_what_followed_is_not_reported_as_recorded(study: Study) -> None:
    """A full disk, or a server that is gone, ends the whole transaction and not its last part alone."""
    session = make_session(study)
    pair = make_assignment(session)

    def fail(session: Session, enrolment: Enrolment) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")
        raise OperationalError("database or disk is full")

    with pytest.raises(DatabaseError, match="rolled back"):
        answer(session, pair, fail)
    assert not Judgment.objects.exists()
