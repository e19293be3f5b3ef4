"""Many answer at once, each with the next pair in one transaction: no deadlock on rows that they share."""

import json
import time
import uuid
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from annotation.core.protocol import Protocol
from annotation.models import Assignment, Judgment, Session, Triplet
from annotation.services.pool import take
from annotation.services.serving import Serving
from tests.kit.answers import record_judgment
from tests.kit.factories import (
    make_assignment,
    make_session,
    make_source,
    make_study,
    make_timing,
    make_triplet,
)
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def first_pair(client: Client, session: Session) -> Any:
    body = json.dumps({"holding": []})
    return client.post(f"/api/v1/sessions/{session.key}/next/", body, content_type="application/json").json()


def judge_to_the_end(session: Session) -> list[int]:
    """The status of each of its answers; the next pair comes with the answer to the one before."""
    client, statuses = Client(raise_request_exception=False), list[int]()
    following = first_pair(client, session)
    while following["status"] in ("pair", "nothing_free"):
        if following["status"] == "nothing_free":
            time.sleep(0.02)
            following = first_pair(client, session)
            continue
        pair = following["assignment"]["id"]
        sent = client.put(
            f"/api/v1/judgments/{uuid.uuid4()}/",
            json.dumps({"assignment": pair, "answer": "left", "timing": make_timing(), "holding": []}),
            content_type="application/json",
            headers={"X-Closer-Session": session.key},
        )
        statuses.append(sent.status_code)
        following = sent.json().get("next", {"status": "none"})
    return statuses


def test_checks_that_everybody_is_shown_are_answered_without_a_deadlock() -> None:
    """Postgres verifies foreign keys at the end: what a claim locks for itself alone kept answers to it waiting."""
    rules = Protocol.bare().replace(sentinel_percent=30, repeat_percent=20)
    study = make_study(votes_per_triplet=6, protocol=rules.to_json())
    for number in range(8):
        source = make_source(study)
        make_triplet(study, source=source)
        if number < 2:
            make_triplet(study, source=source, level=1.0, role="sentinel", known="first")
    sessions = [make_session(study) for _ in range(8)]
    statuses = at_once(*(lambda session=session: judge_to_the_end(session) for session in sessions))
    assert {status for each in statuses for status in each} == {201}
    assert sum(map(len, statuses)) == Judgment.objects.count() == Assignment.objects.count()
    pairs = Triplet.objects.filter(role="pair")
    assert sum(pairs.values_list("votes", flat=True)) == Judgment.objects.filter(counted=True).count() == 48


@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite has one writer at a time, and locks no rows"
)
def test_a_claim_keeps_no_answer_to_a_check_waiting() -> None:
    study = make_study()
    triplet = make_triplet(study)
    session = make_session(study)
    make_assignment(session)
    Triplet.objects.filter(pk=triplet.pk).update(role=Triplet.Role.SENTINEL, known="first")
    session.assignments.update(kind=Assignment.Kind.SENTINEL)

    def answered_without_waiting() -> Judgment:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '1s'")
        return make_answer(session)

    with transaction.atomic():
        triplet.refresh_from_db()
        assert take(Serving(triplet, True, Assignment.Kind.SENTINEL), simulated=False)
        (judgment,) = at_once(answered_without_waiting)
    assert judgment.assignment.triplet == triplet


def make_answer(session: Session) -> Judgment:
    """To the pair that the session holds."""
    (assignment,) = session.assignments.all()
    answer = {"session": session, "judgment_id": uuid.uuid4(), "assignment_id": assignment.pk}
    return record_judgment(**answer, answer="left", timing=make_timing()).judgment
