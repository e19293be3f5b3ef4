"""Running a study by program: each endpoint does what its page does."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from annotation.models import CodecReach, Invitation, Membership, Reconstruction, Study
from annotation.services.studies import create_study
from annotation.services.study_files import export_study
from annotation.services.tokens import make_token
from tests.kit.factories import (
    make_judgment,
    make_png,
    make_session,
    make_source,
    make_study,
    make_triplet,
    make_user,
)

pytestmark = pytest.mark.django_db


class Program:
    """A program with a researcher's token."""

    def __init__(self, user: User) -> None:
        self.headers = {"Authorization": f"Token {make_token(user=user)[1]}"}

    def get(self, endpoint: str, study: Study, *more: Any) -> Any:
        return Client().get(reverse(endpoint, args=[study.slug, *more]), headers=self.headers)

    def post(self, endpoint: str, study: Study, *more: Any, **body: Any) -> Any:
        address = reverse(endpoint, args=[study.slug, *more])
        return Client().post(address, body, content_type="application/json", headers=self.headers)


@pytest.fixture
def program(owner: User) -> Program:
    return Program(owner)


def draft(owner: User) -> Study:
    return create_study(owner=owner, name="Draft", codecs=["jpeg", "webp"], target_bpps=[0.5])


def test_progress_is_that_of_the_page(program: Program, owner_client: Client) -> None:
    study = make_study()
    make_triplet(study)
    make_judgment(make_session(study))
    answered = program.get("api-study-progress", study).json()
    assert answered == owner_client.get(reverse("study-status", args=[study.slug])).json()
    assert answered["state"] == "open" and {"done", "total", "words"} == set(
        next(iter(answered["meters"].values()))
    )


def test_a_photograph_is_added_once(program: Program, owner: User) -> None:
    study = draft(owner)
    address = reverse("api-study-photographs", args=[study.slug])

    def send() -> Any:
        file = SimpleUploadedFile("sunset.png", make_png(3, width=96, height=80))
        return Client().post(address, {"photograph": file, "licence": "CC BY 4.0"}, headers=program.headers)

    made = send()
    assert made.status_code == 201, made.content
    use = study.uses.get()
    assert (use.name, use.licence) == ("sunset.png", "CC BY 4.0")
    assert made.json() == {"name": "sunset.png", "sha256": use.source.sha256, "width": 96, "height": 80}
    again = send()
    assert (again.status_code, again.json()["code"]) == (409, "duplicate_photograph")


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """(photograph's pixels, codec) of each measurement of a codec's reach that goes to the workers."""
    sent: list[tuple[str, str]] = []

    def send(pks: list[int]) -> None:
        rows = CodecReach.objects.filter(pk__in=pks)
        sent.extend(rows.order_by("pk").values_list("source__sha256", "codec"))

    monkeypatch.setattr("annotation.tasks.send_reaches", send)
    return sent


def test_what_codecs_reach_is_measured_on_each_photograph_that_is_added(
    program: Program,
    owner: User,
    measured: list[tuple[str, str]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    study = draft(owner)
    address = reverse("api-study-photographs", args=[study.slug])
    added = []
    for seed in (3, 4):
        file = SimpleUploadedFile(f"{seed}.png", make_png(seed, width=96, height=80))
        with django_capture_on_commit_callbacks(execute=True):
            added.append(
                Client().post(address, {"photograph": file}, headers=program.headers).json()["sha256"]
            )
    assert measured == [(sha256, codec) for sha256 in added for codec in ("jpeg", "webp")]


def test_what_codecs_reach_is_measured_in_a_copy_and_in_a_study_from_a_file(
    program: Program, measured: list[tuple[str, str]], django_capture_on_commit_callbacks: Any
) -> None:
    study = make_study(codecs=["jpeg"])
    source = make_source(study)
    with django_capture_on_commit_callbacks(execute=True):
        program.post("api-study-copy", study)
    assert measured == [(source.sha256, "jpeg")]
    Study.objects.filter(pk=study.pk).update(codecs=["jpeg", "webp"])
    study.refresh_from_db()
    file = SimpleUploadedFile("study.toml", export_study(study, panel_codes=True).encode())
    with django_capture_on_commit_callbacks(execute=True):
        made = Client().post(reverse("api-study-list"), {"file": file}, headers=program.headers)
    assert made.status_code == 201, made.content
    # What was sent for another study is not sent again.
    assert measured == [(source.sha256, "jpeg"), (source.sha256, "webp")]


def test_a_study_is_copied_and_the_copy_deleted(program: Program, owner: User) -> None:
    study = make_study()
    make_triplet(study)
    copy = Study.objects.get(slug=program.post("api-study-copy", study, name="Once more").json()["slug"])
    assert (copy.name, copy.state) == ("Once more", "draft") and copy.sources.count() == study.sources.count()
    assert program.post("api-study-delete", copy).status_code == 204
    assert not Study.objects.filter(pk=copy.pk).exists()
    assert program.post("api-study-delete", study).json()["code"] == "study_frozen"


def test_only_closed_studies_go_to_the_archive(program: Program) -> None:
    study = make_study()
    assert program.post("api-study-archive", study, archived=True).status_code == 409
    Study.objects.filter(pk=study.pk).update(state=Study.State.CLOSED)
    for archived in (True, False):
        assert program.post("api-study-archive", study, archived=archived).json() == {"archived": archived}
        study.refresh_from_db()
        assert (study.archived_at is not None) is archived


def test_a_codec_joins_and_failures_are_tried_again(
    program: Program, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[list[int]] = []
    monkeypatch.setattr("annotation.api_running.tasks.enqueue_encodings", sent.append)
    study = make_study(codecs=["jpeg"])
    triplet = make_triplet(study)
    with django_capture_on_commit_callbacks(execute=True):
        joined = program.post("api-study-codecs", study, codec="webp")
    assert joined.status_code == 200 and joined.json()["reconstructions"] == len(sent[0]) > 0
    study.refresh_from_db()
    assert "webp" in study.codecs
    assert program.post("api-study-codecs", study, codec="nothing").status_code == 400
    Reconstruction.objects.filter(pk=triplet.first_id).update(state=Reconstruction.State.FAILED)
    with django_capture_on_commit_callbacks(execute=True):
        assert program.post("api-study-retry", study).json() == {"reconstructions": 1}
    assert sent[1] == [triplet.first_id]
    assert program.post("api-study-retry", study).json() == {"reconstructions": 0}


def test_judgments_are_the_table_of_the_page(program: Program, owner_client: Client) -> None:
    study = make_study()
    make_triplet(study)
    make_judgment(make_session(study))
    table = b"".join(program.get("api-study-judgments", study).streaming_content)
    assert table == b"".join(
        owner_client.get(reverse("study-judgments", args=[study.slug])).streaming_content
    )  # type: ignore[attr-defined]
    assert table.count(b"\n") == 2


def test_personal_links_are_made_and_listed(program: Program) -> None:
    study = make_study()
    made = program.post("api-study-invitations", study, number=2, note="course")
    assert made.status_code == 201 and [one["note"] for one in made.json()] == ["course 1", "course 2"]
    key = Invitation.objects.order_by("pk").first().key  # type: ignore[union-attr]
    assert made.json()[0]["link"].endswith(f"{reverse('judge', args=[study.key])}?invitation={key}")
    assert [one["note"] for one in program.get("api-study-invitations", study).json()] == [
        "course 2",
        "course 1",
    ]
    assert program.post("api-study-invitations", study, number=0).status_code == 400


def test_members_get_a_role_another_one_and_none(owner: User) -> None:
    study = draft(owner)
    program, ada = Program(owner), make_user("ada")
    for role in ("viewer", "editor"):
        answered = program.post("api-study-member-set", study, username="ada", role=role).json()
        assert {"username": "ada", "role": role} in answered
        assert Membership.objects.get(study=study, user=ada).role == role
    assert program.get("api-study-members", study).json() == answered
    assert len(program.post("api-study-member-set", study, username="ada", role=None).json()) == 1
    assert program.post("api-study-member-set", study, username="nobody", role="viewer").status_code == 400
    # Somebody has to own it.
    assert program.post("api-study-member-set", study, username=owner.username, role=None).status_code == 400


def test_a_results_link_works_until_it_is_taken_back(program: Program) -> None:
    study = make_study()
    made = program.post("api-study-share", study, note="co-authors").json()
    assert program.get("api-study-share", study).json() == [made]
    path = "/" + made["link"].split("/", 3)[3]
    assert Client().get(path).status_code == 200
    assert program.post("api-study-share-end", study, made["id"]).status_code == 204
    assert program.get("api-study-share", study).json() == []
    assert Client().get(path).status_code != 200
    assert program.post("api-study-share-end", study, made["id"]).status_code == 400
