"""The JSON endpoints: what an annotator's program and a researcher's script see."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from annotation.models import Annotator, Assignment, Judgment, Session, Study
from annotation.services.sessions import session_progress
from annotation.services.tokens import make_token
from imaging.pixels import pixels_sha256
from imaging.png import decode_png
from tests.kit.factories import make_session, make_source, make_study, make_timing, make_triplet

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    study = make_study()
    for bpp in (0.37, 1.0):
        make_triplet(study, source=make_source(study), level=bpp)
    return study


def post(client: Client, path: str, body: object = None, **headers: str) -> Any:
    return client.post(path, json.dumps(body or {}), content_type="application/json", headers=headers)


def begin(client: Client, study: Study, *, headers: dict[str, str] | None = None, **body: object) -> Any:
    return post(client, "/api/v1/sessions/", {"study": study.key, **body}, **(headers or {}))


def authorised(user: User) -> dict[str, str]:
    return {"Authorization": f"Token {make_token(user=user)[1]}"}


def next_pair(client: Client, key: str, *holding: str) -> Any:
    return post(client, f"/api/v1/sessions/{key}/next/", {"holding": list(holding)})


def submit(client: Client, key: str, assignment: str, *, pk: str | None = None, **body: object) -> Any:
    output = {"assignment": assignment, "answer": "left", "timing": make_timing()} | body
    return client.put(
        f"/api/v1/judgments/{pk or uuid.uuid4()}/",
        json.dumps(output),
        content_type="application/json",
        headers={"X-Closer-Session": key},
    )


def test_from_sitting_down_to_the_last_pair(client: Client, study: Study) -> None:
    key = begin(client, study).json()["key"]
    for done in (1, 2):
        result = next_pair(client, key).json()
        answer = submit(client, key, result["assignment"]["id"])
        assert answer.status_code == 201
        assert answer.json()["progress"] == {"answered": done, "total": 2, "stage": "judging"}
    assert next_pair(client, key).json()["status"] == "nothing_left"
    assert Judgment.objects.count() == 2


def test_the_next_pair_can_be_claimed_while_one_is_in_hand(client: Client, study: Study) -> None:
    key = begin(client, study).json()["key"]
    first = next_pair(client, key).json()["assignment"]["id"]
    assert next_pair(client, key, first).json()["assignment"]["id"] != first
    assert Assignment.objects.count() == 2


def test_images_are_lossless_and_their_addresses_tell_nothing(client: Client, study: Study) -> None:
    key = begin(client, study).json()["key"]
    images = next_pair(client, key).json()["assignment"]["images"]
    for slot, address in images.items():
        response = client.get(address)
        assert response.headers["Content-Type"] == "image/png"
        assert response.content.startswith(b"\x89PNG")
        output = f"{address} {dict(response.headers)}".lower()
        assert not any(word in output for word in ("jpeg", "webp", "recon", "etag", "last-modified"))
        assert slot in address


def test_the_three_files_are_of_one_size_and_hold_the_stored_pixels(client: Client, study: Study) -> None:
    key = begin(client, study).json()["key"]
    pair = next_pair(client, key).json()["assignment"]
    sent = {slot: client.get(address).content for slot, address in pair["images"].items()}
    assert len({len(content) for content in sent.values()}) == 1
    triplet = Assignment.objects.get(pk=pair["id"]).triplet
    assert pixels_sha256(decode_png(sent["original"])) == triplet.source.sha256
    shown = {pixels_sha256(decode_png(sent[slot])) for slot in ("left", "right")}
    assert shown == {triplet.first.sha256, triplet.second.sha256}


def test_a_repeated_answer_counts_once(client: Client, study: Study) -> None:
    key = begin(client, study).json()["key"]
    assignment, pk = next_pair(client, key).json()["assignment"]["id"], str(uuid.uuid4())
    answers = [submit(client, key, assignment, pk=pk).status_code for _ in range(3)]
    assert answers == [201, 200, 200]
    assert Judgment.objects.count() == 1


def test_refusals_say_what_happened(client: Client, study: Study) -> None:
    key, other = (begin(client, study).json()["key"] for _ in range(2))
    assignment = next_pair(client, key).json()["assignment"]["id"]
    stolen = submit(client, other, assignment)
    assert (stolen.status_code, stolen.json()["code"]) == (403, "not_yours")
    submit(client, key, assignment)
    changed = submit(client, key, assignment, answer="right")
    assert (changed.status_code, changed.json()["code"]) == (409, "already_answered")
    late = next_pair(client, key).json()["assignment"]["id"]
    Assignment.objects.filter(pk=late).update(expires_at=timezone.now() - timedelta(seconds=1))
    expired = submit(client, key, late)
    assert (expired.status_code, expired.json()["code"]) == (410, "lease_expired")
    assert Judgment.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        {"answer": "maybe"},
        {"timing": {}},
        {"timing": "fast"},
        {"timing": make_timing(answer=-5)},
        {"timing": make_timing(events=[{"t": 1, "type": "key"}] * 30_000)},
    ],
)
def test_nonsense_is_a_400_and_changes_nothing(client: Client, study: Study, body: dict[str, object]) -> None:
    key = begin(client, study).json()["key"]
    assignment = next_pair(client, key).json()["assignment"]["id"]
    response = submit(client, key, assignment, **body)
    assert response.status_code == 400
    assert response.json()
    assert not Judgment.objects.exists()


def test_an_assignment_must_be_named_by_its_id(client: Client, study: Study) -> None:
    key = begin(client, study).json()["key"]
    assert submit(client, key, "the one I see").status_code == 400


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"x"', b'{"assignment": null}', b"\xff\xfe"])
def test_broken_json_is_a_400(client: Client, study: Study, content: bytes) -> None:
    key = begin(client, study).json()["key"]
    path = f"/api/v1/judgments/{uuid.uuid4()}/"
    response = client.put(path, content, "application/json", headers={"X-Closer-Session": key})
    assert response.status_code == 400


def test_a_study_that_is_not_open_says_why(client: Client) -> None:
    study = make_study(state=Study.State.CLOSED)
    response = begin(client, study)
    assert response.status_code == 409
    assert response.json()["code"] == "study_not_open"
    assert "closed" in response.json()["detail"]


def test_a_pair_that_cannot_be_shown_goes_back(client: Client, study: Study) -> None:
    key = begin(client, study).json()["key"]
    assignment = next_pair(client, key).json()["assignment"]["id"]
    output = {"cause": "image_failed", "slot": "left", "detail": "decode error"}
    response = post(client, f"/api/v1/assignments/{assignment}/skip/", output, **{"X-Closer-Session": key})
    assert response.status_code == 200
    row = Assignment.objects.select_related("triplet").get(pk=assignment)
    assert (row.state, row.skip_cause) == ("skipped", "image_failed left decode error")
    assert row.triplet.served == 0
    assert next_pair(client, key).json()["assignment"]["id"] != assignment


def test_a_claim_and_an_answer_cost_a_few_queries_however_many_triplets(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    study = make_study()
    source = make_source(study)
    for number in range(30):
        make_triplet(study, source=source, level=0.1 + number / 100)
    session = make_session(study)
    session_progress(session)  # how many pairs it has is kept for a while
    with django_assert_max_num_queries(10 + 2):  # and the test's own savepoint
        result = next_pair(client, session.key).json()
    with django_assert_max_num_queries(8 + 2):
        submit(client, session.key, result["assignment"]["id"])


def test_an_answer_brings_the_next_pair_where_that_is_asked(client: Client, study: Study) -> None:
    key = begin(client, study).json()["key"]
    first = next_pair(client, key).json()["assignment"]["id"]
    messages = submit(client, key, first, holding=[]).json()
    assert messages["next"]["status"] == "pair" and messages["next"]["assignment"]["id"] != first
    assert messages["progress"]["answered"] == messages["next"]["progress"]["answered"] == 1
    second = messages["next"]["assignment"]["id"]
    assert next_pair(client, key).json()["assignment"]["id"] == second
    over = submit(client, key, second, holding=[]).json()
    assert over["next"]["status"] == "nothing_left"
    assert "next" not in submit(client, begin(client, study).json()["key"], first).json()


def test_an_answer_to_a_paused_study_counts_and_says_why_nothing_follows(
    client: Client, study: Study
) -> None:
    key = begin(client, study).json()["key"]
    pair = next_pair(client, key).json()["assignment"]["id"]
    Study.objects.update(state="paused")
    messages = submit(client, key, pair, holding=[])
    assert (messages.status_code, messages.json()["next"]["status"]) == (201, "refused")
    assert messages.json()["next"]["code"] == "study_not_open" and Judgment.objects.count() == 1


def test_simulated_annotators_are_marked(client: Client, study: Study, owner: User) -> None:
    key = begin(client, study, simulated=True, headers=authorised(owner)).json()["key"]
    submit(client, key, next_pair(client, key).json()["assignment"]["id"])
    assert Judgment.objects.get().simulated
    assert Session.objects.get().annotator.simulated


def test_simulated_sessions_need_a_researcher(client: Client, study: Study, stranger: User) -> None:
    for headers, status in (({}, 403), (authorised(stranger), 403), ({"Authorization": "Token no"}, 401)):
        refused = begin(client, study, simulated=True, headers=headers)
        assert (refused.status_code, Session.objects.count()) == (status, 0)
        assert "Authorization: Token" in refused.json()["detail"]


def test_a_person_cannot_go_on_as_a_program(client: Client, study: Study, owner: User) -> None:
    person = begin(client, study).json()["annotator"]
    key = Annotator.objects.get(pk=person).key
    program = begin(client, study, annotator_key=key, simulated=True, headers=authorised(owner)).json()
    assert program["annotator"] != person and program["simulated"]


class TestForStaff:
    """Studies and snapshots need a token."""

    @pytest.fixture
    def token(self, owner: User) -> dict[str, str]:
        return {"Authorization": f"Token {make_token(user=owner)[1]}"}

    def test_a_login_is_exchanged_for_a_token(self, client: Client, owner: User) -> None:
        login = {"username": "owner", "password": "not a common one"}
        token = post(client, "/api/v1/token/", login).json()["token"]
        assert client.get("/api/v1/studies/", headers={"Authorization": f"Token {token}"}).status_code == 200
        assert post(client, "/api/v1/token/", login | {"password": "wrong"}).status_code == 400

    def test_without_a_token_the_door_is_shut(self, client: Client, study: Study) -> None:
        response = client.get("/api/v1/studies/")
        assert response.status_code == 401
        assert "Authorization: Token" in response.json()["detail"]

    def test_a_login_without_rights_is_not_enough(self, client: Client, stranger: User) -> None:
        headers = {"Authorization": f"Token {make_token(user=stranger)[1]}"}
        assert client.get("/api/v1/studies/", headers=headers).status_code == 403

    def test_studies_are_listed_in_a_fixed_number_of_queries(
        self,
        client: Client,
        token: dict[str, str],
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(5):
            make_study()
        with django_assert_max_num_queries(4):
            listed = client.get("/api/v1/studies/", headers=token).json()["results"]
        assert len(listed) == 5
        assert listed[0]["judgments_by_people"] == 0

    def test_a_snapshot_of_too_little_is_refused(
        self, client: Client, token: dict[str, str], study: Study
    ) -> None:
        response = post(client, "/api/v1/snapshots/", {"study": study.slug}, **token)
        assert (response.status_code, response.json()["code"]) == (409, "snapshot_refused")
        assert "at least 20" in response.json()["detail"]

    def test_the_schema_is_public_and_names_every_endpoint(self, client: Client) -> None:
        schema = client.get("/api/v1/schema/", {"format": "json"}).json()
        named = set(schema["paths"])
        assert {"/api/v1/sessions/{key}/next/", "/api/v1/judgments/{id}/", "/api/v1/distance"} <= named
