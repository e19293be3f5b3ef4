"""Answers while the web server is killed: what the database has is confirmed at the next try, and counted once."""

import http.client
import json
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from django.db import connections

from annotation.models import Assignment, Judgment, Session, Triplet
from tests.kit.factories import (
    make_assignment,
    make_session,
    make_source,
    make_study,
    make_timing,
    make_triplet,
)
from tests.processes.conftest import Deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

# The id that the browser chose, and what it answers.
Answer = tuple[uuid.UUID, Assignment]


def connect(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)


def send(connection: http.client.HTTPConnection, answer: Answer) -> None:
    """Ask for the answer to be recorded, without waiting for the confirmation."""
    pk, assignment = answer
    output = {"assignment": str(assignment.pk), "answer": "left", "timing": make_timing()}
    headers = {"Content-Type": "application/json", "X-Closer-Session": assignment.session.key}
    connection.request("PUT", f"/api/v1/judgments/{pk}/", json.dumps(output), headers)


def insist(url: str, answer: Answer) -> int:
    """Send the same request until something answers, as a browser's outbox does; returns the status."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        connection = connect(url)
        try:
            send(connection, answer)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        finally:
            connection.close()
    pytest.fail("no confirmation within two minutes")


@pytest.fixture
def sessions(deployment: Deployment) -> list[Session]:
    """Four sessions with twenty pairs to judge."""
    study = make_study()
    source = make_source(study)
    for number in range(20):
        make_triplet(study, source=source, level=0.1 + number / 10)
    return [make_session(study) for _ in range(4)]


@pytest.fixture
def web(deployment: Deployment) -> Iterator[Deployment]:
    """With the web server up."""
    deployment.start("web")
    deployment.wait_for(lambda: deployment.is_ready("web"), "the web server's answer")
    yield deployment


def test_an_answer_whose_confirmation_was_lost_counts_once(web: Deployment, sessions: list[Session]) -> None:
    answer = (uuid.uuid4(), make_assignment(sessions[0]))
    connection = connect(web.url)
    send(connection, answer)
    web.wait_for(Judgment.objects.filter(pk=answer[0]).exists, "the row")
    web.kill("web")
    connection.close()  # nobody read what the server may have said
    web.start("web")
    assert insist(web.url, answer) == 200
    assert Judgment.objects.count() == 1
    assert Triplet.objects.get(pk=answer[1].triplet_id).votes == 1


def test_a_web_server_killed_again_and_again_loses_no_answer(
    web: Deployment, sessions: list[Session]
) -> None:
    statuses: list[int] = []

    def sit(session: Session) -> list[Answer]:
        answers = []
        for _ in range(20):
            answers.append((uuid.uuid4(), make_assignment(session)))
            statuses.append(insist(web.url, answers[-1]))
        connections.close_all()
        return answers

    with ThreadPoolExecutor(len(sessions)) as pool:
        sessions = [pool.submit(sit, session) for session in sessions]
        for confirmed in (15, 40):
            web.wait_for(lambda confirmed=confirmed: len(statuses) >= confirmed, "confirmations")
            web.kill("web")
            web.start("web")
        answers = [session.result() for session in sessions]
    assert len(statuses) == 80 and set(statuses) <= {200, 201}
    assert set(Judgment.objects.values_list("pk", flat=True)) == {pk for own in answers for pk, _ in own}
    assert not Triplet.objects.exclude(votes=4, served=4).exists()
