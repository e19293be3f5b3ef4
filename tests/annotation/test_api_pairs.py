"""Pairs and reconstructions by program: the tables of the pages, experts' answers, pairs put back."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from annotation.models import Reconstruction, Study, Triplet
from annotation.services.tokens import make_token
from tests.kit.factories import make_reconstruction, make_source, make_study, make_triplet

pytestmark = pytest.mark.django_db


class Program:
    """A program with the owner's token."""

    def __init__(self, user: User) -> None:
        self.headers = {"Authorization": f"Token {make_token(user=user)[1]}"}

    def table(self, endpoint: str, study: Study, **query: str) -> Any:
        return Client().get(reverse(endpoint, args=[study.slug]), query, headers=self.headers)

    def post(self, endpoint: str, study: Study, *more: Any, **body: Any) -> Any:
        address = reverse(endpoint, args=[study.slug, *more])
        return Client().post(address, body, content_type="application/json", headers=self.headers)


@pytest.fixture
def program(owner: User) -> Program:
    return Program(owner)


@pytest.mark.parametrize(
    ("endpoint", "page"),
    [("api-study-pairs", "study-pairs-csv"), ("api-study-reconstructions", "study-gallery-csv")],
)
def test_tables_are_those_of_the_pages(
    program: Program, owner_client: Client, endpoint: str, page: str
) -> None:
    study = make_study()
    make_triplet(study, source=make_source(study, name="ape"))
    make_triplet(study, source=make_source(study, name="cat"))
    for query in ({}, {"photograph": "ape"}, {"method": "no-such"}):
        ours = b"".join(program.table(endpoint, study, **query).streaming_content)
        theirs = b"".join(owner_client.get(reverse(page, args=[study.slug]), query).streaming_content)
        assert ours == theirs and (b"cat" in ours) is (query == {})


@pytest.mark.parametrize(
    ("endpoint", "query"),
    [
        ("api-study-pairs", {"votes": "many"}),
        ("api-study-reconstructions", {"show": "nice ones"}),
        ("api-study-reconstructions", {"level": "high"}),
    ],
)
def test_a_filter_that_there_is_not_is_refused(
    program: Program, endpoint: str, query: dict[str, str]
) -> None:
    answer = program.table(endpoint, make_study(), **query)
    assert answer.status_code == 400 and next(iter(query)) in answer.content.decode()


def test_an_experts_answer_is_kept_and_taken_back(program: Program) -> None:
    study = make_study()
    triplet = make_triplet(study)
    for known in ("second", ""):
        assert program.post("api-study-known", study, triplet.pk, known=known).json() == {"known": known}
        triplet.refresh_from_db()
        assert triplet.known == known
    assert program.post("api-study-known", study, triplet.pk, known="both").status_code == 400
    assert program.post("api-study-known", make_study(), triplet.pk, known="first").status_code == 404


def test_an_excluded_pair_is_put_back(program: Program) -> None:
    study = make_study()
    triplet = make_triplet(study)
    assert program.post("api-study-pair-back", study, triplet.pk).status_code == 400
    Triplet.objects.filter(pk=triplet.pk).update(role=Triplet.Role.EXCLUDED)
    assert program.post("api-study-pair-back", study, triplet.pk).json() == {"votes": 0}
    triplet.refresh_from_db()
    assert triplet.role == Triplet.Role.PAIR


def test_the_figures_of_annotators_are_ordered_from_a_worker(
    program: Program, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    ordered: list[int] = []
    monkeypatch.setattr("annotation.api_pairs.tasks.quality.delay", ordered.append)
    study = make_study()
    with django_capture_on_commit_callbacks(execute=True):
        assert program.post("api-study-people-refresh", study).status_code == 202
    assert ordered == [study.pk]


def test_a_failed_reconstruction_stands_in_the_table_with_its_reason(program: Program) -> None:
    study = make_study(codecs=["jpeg", "webp"], target_bpps=[0.37])
    source = make_source(study, name="ape")
    make_reconstruction(source, method="webp", state=Reconstruction.State.FAILED, error="Too dark.")
    answer = program.table("api-study-reconstructions", study, show="failed")
    assert "Too dark." in b"".join(answer.streaming_content).decode()
