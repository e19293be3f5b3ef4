"""Judging under a laboratory's rules, over HTTP: arrival, training, undo, the end; and that checks look like pairs."""

import json
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from annotation.core.protocol import Protocol
from annotation.models import Assignment, Enrolment, Session, Study
from annotation.services.completion import finish
from annotation.services.sessions import begin_session
from tests.kit.factories import (
    make_judgment,
    make_reconstruction,
    make_session,
    make_source,
    make_study,
    make_timing,
    make_triplet,
)

pytestmark = pytest.mark.django_db


def ruled(**rules: Any) -> Study:
    fields = {name: rules.pop(name) for name in ("pairs_per_session",) if name in rules}
    return make_study(protocol=Protocol.bare().replace(**rules).to_json(), **fields)


def next_pair(client: Client, session: Session, holding: tuple[str, ...] = ()) -> Any:
    requested = json.dumps({"holding": holding})
    return client.post(f"/api/v1/sessions/{session.key}/next/", requested, content_type="application/json")


def submit(client: Client, session: Session, assignment: str, **output: Any) -> Any:
    output = {"assignment": assignment, "answer": "left", "timing": make_timing()} | output
    return client.put(
        f"/api/v1/judgments/{uuid.uuid4()}/",
        json.dumps(output),
        content_type="application/json",
        headers={"X-Closer-Session": session.key},
    )


def test_no_pairs_before_the_steps_of_arrival(client: Client) -> None:
    study = ruled(consent=True)
    make_triplet(study)
    refused = next_pair(client, begin_session(study=study))
    assert (refused.status_code, refused.json()["code"]) == (409, "not_ready")
    assert next_pair(client, begin_session(study=study, simulated=True)).json()["status"] == "pair"


def test_feedback_comes_in_training_and_nowhere_else(client: Client) -> None:
    study = ruled(training_pairs=5, training_pass=0)
    source = make_source(study)
    make_triplet(study, source=source)
    make_triplet(study, source=source, level=1.0, role="training", known="first")
    session = make_session(study)
    for number in range(5):
        result = next_pair(client, session).json()
        assert result["assignment"]["training"] is True
        assert result["progress"] == {"answered": number, "total": 5, "stage": "training"}
        messages = submit(client, session, result["assignment"]["id"]).json()
        assignment = Assignment.objects.get(pk=result["assignment"]["id"])
        closer = "left" if assignment.first_on_left else "right"
        assert messages["feedback"] == {"right": closer == "left", "closer": closer}
    result = next_pair(client, session).json()
    assert result["assignment"]["training"] is False
    assert submit(client, session, result["assignment"]["id"]).json()["feedback"] is None


def test_undo_over_http(client: Client) -> None:
    session = make_session(make_triplet().study)
    assignment = next_pair(client, session).json()["assignment"]["id"]
    first = submit(client, session, assignment).json()["id"]
    assert submit(client, session, assignment, answer="right", supersedes=first).status_code == 201
    refused = submit(client, session, assignment, answer="right", supersedes=first)
    assert (refused.status_code, refused.json()["code"]) == (409, "undo_refused")
    refused = submit(client, session, assignment, answer="right")
    assert (refused.status_code, refused.json()["code"]) == (409, "already_answered")


def test_a_megabyte_of_events_is_refused(client: Client) -> None:
    session = make_session(make_triplet().study)
    assignment = next_pair(client, session).json()["assignment"]["id"]
    events = [{"t": 1_500.0, "type": "key", "value": "ArrowLeft"}]
    refused = submit(client, session, assignment, timing=make_timing(events=events * 15_000))
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_timing")
    refused = submit(client, session, assignment, timing=make_timing(events=events * 40_000))
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert submit(client, session, assignment).status_code == 201


def test_a_check_looks_exactly_like_a_pair(client: Client) -> None:
    study = ruled(sentinel_percent=50.0)
    for _ in range(3):
        source = make_source(study)
        make_triplet(study, source=source)
        anchor = make_reconstruction(source, origin="coarse", method="jpeg", level=0)
        shown = source.reconstructions.exclude(pk=anchor.pk).order_by("pk")[0]
        make_triplet(study, source=source, first=shown, second=anchor, role="sentinel", known="first")
    session, seen = make_session(study), {}
    for _ in range(5):
        result = next_pair(client, session)
        pair = result.json()["assignment"]
        images = [client.get(pair["images"][slot]) for slot in ("left", "original", "right")]
        shape = (
            sorted(result.headers),
            {key: type(value).__name__ for key, value in pair.items()},
            [re.sub("[0-9a-f-]{36}", "ID", url) for url in pair["images"].values()],
            [sorted(image.headers) for image in images],
            len({len(image.content) for image in images}),
        )
        seen[Assignment.objects.get(pk=pair["id"]).kind] = shape
        messages = submit(client, session, pair["id"])
        assert messages.json()["feedback"] is None
    assert set(seen) == {"pair", "sentinel"}
    assert seen["pair"] == seen["sentinel"]


def test_images_of_a_pair_that_is_long_gone_are_not_shown(client: Client) -> None:
    session = make_session(make_triplet().study)
    image = next_pair(client, session).json()["assignment"]["images"]["left"]
    gone = timezone.now() - timedelta(days=1, minutes=1)
    session.assignments.update(expires_at=gone, state="expired")
    assert client.get(image).status_code == 404
    session.assignments.update(state="answered")
    assert client.get(image).status_code == 200
    session.assignments.update(state="skipped", expires_at=timezone.now() - timedelta(hours=23))
    assert client.get(image).status_code == 200


def test_the_first_of_a_session_warm_up_and_do_not_count() -> None:
    study = ruled(warm_up=2)
    for _ in range(5):
        make_triplet(study)
    session = make_session(study)
    counted = [make_judgment(session).counted for _ in range(4)]
    assert counted == [False, False, True, True]
    session.refresh_from_db()
    assert session.answered == 4
    again = make_session(study, annotator=session.annotator)
    assert not make_judgment(again).counted  # every session warms up
    assert sum(study.triplets.values_list("served", flat=True)) == 2


class TestTheEnd:
    """A session ends when it is complete, and only then is somebody finished."""

    def test_not_while_a_pair_is_in_hand(self, client: Client) -> None:
        study = ruled(pairs_per_session=1)
        make_triplet(study)
        session = make_session(study)
        assert finish(session) is None
        assignment = next_pair(client, session).json()["assignment"]["id"]
        assert finish(session) is None
        submit(client, session, assignment)
        done = finish(session)
        assert done and done.finished_at
        session.refresh_from_db()
        assert session.ended_at
        assert next_pair(client, session).json()["status"] == "sitting_over"

    def test_finishing_twice_keeps_the_first_moment(self) -> None:
        session = make_session(make_triplet().study)
        make_judgment(session)
        first, second = finish(session), finish(session)
        assert first and second and first.finished_at == second.finished_at

    def test_when_nothing_is_left(self) -> None:
        session = make_session(make_triplet().study)
        make_judgment(session)
        assert finish(session)

    def test_not_while_others_hold_what_is_left(self, client: Client) -> None:
        study = make_study(votes_per_triplet=1)
        make_triplet(study)
        next_pair(client, make_session(study))
        assert finish(make_session(study)) is None

    def test_after_the_longest_session(self, client: Client) -> None:
        study = ruled(sitting_minutes=30)
        for _ in range(3):
            make_triplet(study)
        session = make_session(study, ready_at=timezone.now() - timedelta(minutes=29))
        make_judgment(session)
        assert finish(session) is None
        Session.objects.update(ready_at=timezone.now() - timedelta(minutes=31))
        over = next_pair(client, session).json()
        assert over["status"] == "sitting_over" and "30 minutes" in over["detail"]
        assert finish(session)
        assert begin_session(study=study, annotator_id=session.annotator_id) != session

    def test_who_was_screened_out_never_finishes(self) -> None:
        session = make_session(make_triplet().study)
        make_judgment(session)
        Enrolment.objects.update(screened_out_by="acuity")
        assert finish(session) is None
