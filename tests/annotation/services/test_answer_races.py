"""Many answer at once, each with the next pair in one transaction: no deadlock on rows that they share."""

import json
import time
import uuid
from typing import Any

import pytest
from django.test import Client

from annotation.core.protocol import Protocol
from annotation.models import Assignment, Judgment, Session, Triplet
from tests.kit.factories import make_session, make_source, make_study, make_timing, make_triplet
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
