"""Simulated answers in a study that people judge, over HTTP: whatever a program sends, nothing of people's changes."""

import csv
import io
import json
import uuid
import zipfile
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from annotation.core.protocol import Protocol
from annotation.models import Annotator, Assignment, Judgment, Membership, Session, Study, Triplet
from annotation.reports.export import export
from annotation.services.allocation.ranking import refresh_ranking
from annotation.services.annotator_quality import refresh_quality
from annotation.services.stopping import apply_stop_rules
from annotation.services.tokens import make_token
from tests.kit.factories import (
    SPLITS_OF_FOUR,
    make_source_in,
    make_study,
    make_timing,
    make_triplet,
    make_user,
)

pytestmark = pytest.mark.django_db
API = "/api/v1/"
PEOPLE, PROGRAMS = 5, 6
# What a page, a file or an endpoint is asked for of people; every answer must stay as it was.
OF_PEOPLE = ("results/?population=people", "figures/?population=people")
# Every export gives rows other names.
PSEUDONYMS = ("judgment", "assignment", "annotator", "triplet", "session", "repeats", "supersedes")
COUNTERS = ("pk", "served", "lefts", "votes", "priority", "held_out", "role", "known")


@pytest.fixture
def study(owner: User) -> Study:
    """Pairs of four photographs for a ranking, five people of whom have judged each."""
    rules = Protocol.bare().replace(allocation="ranking", held_out_percent=0.0, stop_halfwidth=0.5)
    study = make_study(votes_per_triplet=PEOPLE + 1, protocol=rules.to_json())
    Membership.objects.create(study=study, user=owner, role=Membership.Role.OWNER)
    for split in SPLITS_OF_FOUR:
        make_triplet(study, source=make_source_in(study, split))
    for number in range(PEOPLE):
        judge(Client(), study, answers=["left", "left", "right", "left" if number else "right"])
    refresh_ranking(study=study)
    refresh_quality(study)
    return study


def post(client: Client, path: str, body: object, **headers: str) -> Any:
    return client.post(f"{API}{path}", json.dumps(body), content_type="application/json", headers=headers)


def answer(client: Client, key: str, pair: str, side: str = "right", **fields: object) -> Any:
    content = {"assignment": pair, "answer": side, "timing": make_timing(), **fields}
    address = f"{API}judgments/{uuid.uuid4()}/"
    return client.put(address, json.dumps(content), "application/json", headers={"X-Closer-Session": key})


def judge(client: Client, study: Study, *, answers: list[str], token: str = "", **fields: object) -> str:
    """One new annotator answers pairs; with `token` a simulated one. Returns the session's key."""
    headers = {"Authorization": f"Token {token}"} if token else {}
    begun = post(client, "sessions/", {"study": study.key, "simulated": bool(token), **fields}, **headers)
    assert begun.status_code == 201, begun.content
    key = str(begun.json()["key"])
    for side in answers:
        pair = post(client, f"sessions/{key}/next/", {"holding": []}).json()
        assert answer(client, key, pair["assignment"]["id"], side).status_code == 201
    return key


def token_of(user: User) -> str:
    return make_token(user=user)[1]


def _rows(response: Any) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return list(csv.DictReader(io.StringIO(content.decode())))


def _named(rows: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    return [{name: cell for name, cell in row.items() if name not in PSEUDONYMS} for row in rows]


def _of_people(row: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in row.items() if "simulated" not in name}


@pytest.fixture
def seen(study: Study, owner_client: Client, tmp_path: Any) -> Callable[[], dict[str, Any]]:
    """All that a researcher or a worker sees of people."""

    def look() -> dict[str, Any]:
        study.refresh_from_db()
        base = f"{API}studies/{study.slug}/"
        whole = {path: owner_client.get(base + path).content for path in OF_PEOPLE}
        assert b"judgments" in whole[OF_PEOPLE[0]]
        pack = owner_client.get(f"{base}paper-pack/?population=people")
        with zipfile.ZipFile(io.BytesIO(b"".join(pack.streaming_content))) as file:  # type: ignore[attr-defined]
            files = {name.split("/", 1)[1]: file.read(name) for name in file.namelist()}
        people = study.enrolments.filter(annotator__simulated=False)
        folder = tmp_path / uuid.uuid4().hex
        manifest = export(study=study, out=folder, simulated=False, until=until, number=1)
        judgments = _rows(owner_client.get(f"{base}judgments/"))
        return {
            **whole,
            **{name: content for name, content in files.items() if name.endswith((".svg", ".tex"))},
            **{
                name: _named(csv.DictReader(io.StringIO(files[name].decode())))
                for name in files
                if name.endswith(".csv")
            },
            "snapshot": (manifest["sha256"], manifest["counts"]),
            "judgments": _named(row for row in judgments if row["simulated"] == "False"),
            "pairs": [_of_people(row) for row in _rows(owner_client.get(f"{base}pairs/"))],
            "triplets": list(Triplet.objects.filter(study=study).order_by("pk").values_list(*COUNTERS)),
            "state": study.state,
            "plan": owner_client.get(f"/studies/{study.slug}/plan/").status_code,
            "people": list(people.order_by("pk").values("figures", "signs", "excluded_by")),
            "leases": list(Assignment.objects.filter(annotator__simulated=False).order_by("pk").values()),
        }

    until = timezone.now()
    return look


def beat(study: Study) -> None:
    """What workers do every few minutes."""
    refresh_quality(study)
    refresh_ranking(study=study)
    apply_stop_rules()


def test_programs_with_a_token_change_nothing_of_people(
    study: Study, owner: User, seen: Callable[[], dict[str, Any]]
) -> None:
    before = seen()
    for _ in range(PROGRAMS):
        judge(Client(), study, answers=["right"] * 4, token=token_of(owner))
    beat(study)
    after = seen()
    assert Judgment.objects.filter(simulated=True).count() == 4 * PROGRAMS
    for name, value in before.items():
        assert after[name] == value, name
    # Every place that people had is still there: the next person is served each pair.
    judge(Client(), study, answers=["left"] * 4)


def test_without_a_token_of_who_runs_the_study_no_program_comes_in(study: Study) -> None:
    body = {"study": study.key, "simulated": True}
    viewer, other = make_user("viewer", viewer=study), make_user("other")
    nobody = make_user("nobody", staff=False)
    headers = [{}, {"Authorization": "Token invented"}]
    headers += [{"Authorization": f"Token {token_of(user)}"} for user in (viewer, other, nobody)]
    for one in headers:
        assert post(Client(), "sessions/", body, **one).status_code in (401, 403)
    for value in ("true", 1, "yes"):
        assert post(Client(), "sessions/", {**body, "simulated": value}).status_code in (400, 403)
    assert not Annotator.objects.filter(simulated=True).exists()


def test_keys_of_one_population_open_nothing_of_the_other(study: Study, owner: User) -> None:
    person = Annotator.objects.filter(simulated=False).earliest("created_at")
    token = token_of(owner)
    key = judge(Client(), study, answers=["right"], token=token, annotator_key=person.key)
    program = Session.objects.get(key=key).annotator
    assert program != person and program.simulated
    theirs = judge(Client(), study, answers=[], annotator_key=program.key)
    assert not Session.objects.get(key=theirs).annotator.simulated
    # The cookie of a browser, signed, cannot name a program either: the page makes a person of who opens it.
    assert Session.objects.get(key=theirs).annotator != program


def test_a_program_neither_answers_nor_skips_nor_undoes_what_is_a_persons(study: Study, owner: User) -> None:
    client = Client()
    theirs = judge(client, study, answers=["left"])
    pair = post(client, f"sessions/{theirs}/next/", {"holding": []}).json()["assignment"]["id"]
    given = Judgment.objects.get(assignment__session__key=theirs)
    key = judge(Client(), study, answers=["right"], token=token_of(owner))
    own = post(Client(), f"sessions/{key}/next/", {"holding": [pair]}).json()["assignment"]["id"]
    assert own != pair
    assert answer(Client(), key, pair).status_code in (403, 404)
    assert answer(Client(), key, str(given.assignment_id), supersedes=str(given.pk)).status_code in (403, 404)
    assert answer(Client(), key, own, supersedes=str(given.pk)).status_code in (400, 403, 404, 409)
    skipped = post(Client(), f"assignments/{pair}/skip/", {"cause": "broken"}, **{"X-Closer-Session": key})
    assert skipped.status_code in (400, 403, 404)
    given.refresh_from_db()
    assert given.stands and given.counted
    assert Assignment.objects.get(pk=pair).state == Assignment.State.LEASED


def test_a_program_that_skips_or_stalls_takes_no_pair_from_people(
    study: Study, owner: User, seen: Callable[[], dict[str, Any]]
) -> None:
    before = seen()
    for _ in range(PROGRAMS):
        key = judge(Client(), study, answers=[], token=token_of(owner))
        pair = post(Client(), f"sessions/{key}/next/", {"holding": []}).json()["assignment"]["id"]
        post(Client(), f"assignments/{pair}/skip/", {"cause": "load_failed"}, **{"X-Closer-Session": key})
        post(Client(), f"sessions/{key}/next/", {"holding": []})
    beat(study)
    after = seen()
    for name, value in before.items():
        assert after[name] == value, name
    assert not study.triplets.filter(role=Triplet.Role.EXCLUDED).exists()
