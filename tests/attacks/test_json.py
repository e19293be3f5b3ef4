"""JSON that was never meant to be sent: always a 4xx, in JSON, with a `detail` that a person can read."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from annotation.models import Annotator, Session
from config.parsing import DEEPEST, LARGEST_BYTES
from tests.kit.factories import make_assignment, make_session, make_study, make_timing, make_triplet

pytestmark = pytest.mark.django_db

BEGIN = "/api/v1/sessions/"


def send(client: Client, body: bytes | str, path: str = BEGIN, **headers: str) -> Any:
    return client.post(path, body, content_type="application/json", headers=headers)


def require_problem(response: Any, status: int) -> None:
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"].startswith("application/json")
    assert len(response.json()["detail"]) > 10


@pytest.mark.parametrize(
    "value",
    [
        *("NaN", "-Infinity", "1e999", "9" * 30, "-" + "9" * 30, "9" * 5000),
        *('"\\u0000"', '"\\ud800"', '{"\\ud800": 1}', '["\\u0000"]'),
        *("[" * 100_000, "[" * 960 + "]" * 960, "[" * DEEPEST + "]" * DEEPEST, '{"a":' * 50_000),
    ],
    ids=lambda value: f"{value[:12]}-{len(value)}",
)
def test_json_that_would_break_further_on(client: Client, value: str) -> None:
    study = make_study()
    require_problem(send(client, f'{{"study": "{study.key}", "screen": {{"a": {value}}}}}'), 400)
    assert not Annotator.objects.exists()


@pytest.mark.parametrize(
    "body", [b"{", b"null", b"[]", b"5", b'"x"', b"\xff\xfe\x00", b"\xef\xbb\xbf{}", b"\x00"]
)
def test_what_is_no_object(client: Client, body: bytes) -> None:
    require_problem(send(client, body), 400)


def test_a_body_without_end(client: Client) -> None:
    require_problem(send(client, b" " * LARGEST_BYTES + b"{}"), 413)


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "image/png"],
)
def test_another_kind_of_body(client: Client, kind: str) -> None:
    require_problem(client.post(BEGIN, b"study=x", content_type=kind), 415)


def test_every_field_is_named(client: Client) -> None:
    response = send(client, json.dumps({"screen": []}))
    require_problem(response, 400)
    output = response.json()
    assert output["code"] == "invalid"
    assert set(output["fields"]) == {"study", "screen"}
    assert "study: " in output["detail"]


@pytest.mark.parametrize("onset", [10**18, -1, -0.5, "1", None, True, [], {}, 1e300])
def test_timing_that_cannot_be(client: Client, onset: object) -> None:
    session, assignment = judging()
    output = {"assignment": str(assignment), "answer": "left", "timing": make_timing(onset=onset)}
    response = client.put(
        f"/api/v1/judgments/{uuid.uuid4()}/",
        json.dumps(output),
        content_type="application/json",
        headers={"X-Closer-Session": session.key},
    )
    require_problem(response, 400)
    assert response.json()["code"] == "bad_timing"


def judging() -> tuple[Session, uuid.UUID]:
    study = make_study()
    make_triplet(study)
    session = make_session(study)
    return session, make_assignment(session).pk


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/nothing/",
        "/api/v1/judgments/not-a-uuid/",
        f"/api/v1/assignments/{'-' * 36}/left.png",
        "/api/v1/assignments/5c3a4f0e-6d0b-4c7e-9a51-0d2f4f2b6c11/middle.png",
        "/api/v1/assignments/5c3a4f0e-6d0b-4c7e-9a51-0d2f4f2b6c11/left.png",
    ],
)
def test_an_address_of_nothing(client: Client, path: str) -> None:
    require_problem(client.get(path), 404)


def test_another_host(client: Client) -> None:
    response = client.get("/api/v1/studies/", headers={"Host": "evil.example"})
    require_problem(response, 400)
    assert "code" not in response.json()  # to the judging page a code is the API's last word
