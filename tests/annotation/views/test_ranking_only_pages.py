"""Pages of a study of names: results as of any other; where pictures would be, names or a sentence."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from annotation.models import Membership, Reconstruction, Source, Study
from annotation.services import ranking_only
from annotation.services.ranking_only import import_ranking
from psychometrics.answers import read_answer_rows
from tests.kit.factories import make_study, make_user

pytestmark = pytest.mark.django_db

ANSWERS = "source,a,b,choice,annotator\n" + "\n".join(
    f"photo {n % 3},{pair},{'ab'[n % 3 == 0]},ann {n % 4}"
    for n, pair in enumerate(("x@1,y@1", "x@1,original", "y@1,y@2", "bare,x@1") * 6)
)


def upload(client: Client, name: str = "Names", answers: str = ANSWERS) -> object:
    file = SimpleUploadedFile("responses.csv", answers.encode())
    return client.post(reverse("api-study-import-answers"), {"name": name, "answers": file})


@pytest.fixture
def study(tmp_path: Path, owner: User) -> Study:
    (tmp_path / "answers.csv").write_text(ANSWERS)
    return import_ranking(answers=read_answer_rows(tmp_path / "answers.csv"), name="Names", owner=owner).study


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("study", "imported without pictures"),
        ("study-pairs", "photographs and conditions are names"),
        ("study-gallery", "No pictures"),
        ("study-snapshots", "a snapshot holds pictures"),
        ("study-results", "24"),
        ("study-breakdown", "photo 0"),
        ("study-people", "People"),
        ("study-settings", "Names"),
        ("study-flags", "Flags"),
        ("study-plan", "Planner"),
        ("study-figures", "ranking-joined"),
        ("study-pairs-csv", "photo 1"),
        ("study-gallery-csv", "photo 1"),
        ("study-judgments", "y"),
        ("study-file", "photo 2"),
        ("study-paper-pack", ""),
    ],
)
def test_each_page_is_there_without_pictures(owner: User, study: Study, name: str, words: str) -> None:
    client = Client()
    client.force_login(owner)
    response = client.get(reverse(name, args=[study.slug]))
    assert response.status_code == 200, re.findall(r"class=.fault.*|<li>.*", response.content.decode())[:20]
    content = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
    if words:
        text = content.decode()
        assert words in text and "<img" not in text and "image.png" not in text


def test_an_annotator_and_the_list_of_studies(owner: User, study: Study) -> None:
    client = Client()
    client.force_login(owner)
    who = study.enrolments.order_by("pk")[0].annotator_id
    text = client.get(reverse("study-annotator", args=[study.slug, who])).content.decode()
    assert "photo 0" in text and "<img" not in text
    assert "<img" not in client.get(reverse("study-list")).content.decode()


def test_addresses_of_pictures_that_are_not_there(owner: User, study: Study) -> None:
    client = Client()
    client.force_login(owner)
    source, picture = Source.objects.order_by("pk")[0].pk, Reconstruction.objects.order_by("pk")[0].pk
    for name, args in (
        ("source-image", [source]),
        ("source-thumbnail", [source, "crop"]),
        ("reconstruction-image", [picture]),
        ("reconstruction-thumbnail", [picture, "crop"]),
    ):
        assert client.get(reverse(name, args=args)).status_code == 404


def test_a_preview_says_that_there_is_nothing_to_show(owner: User, study: Study) -> None:
    client = Client()
    client.force_login(owner)
    response = client.get(reverse("study-preview-judge", args=[study.slug]))
    assert response.status_code == 409 and "imported without pictures" in response.content.decode()
    assert client.get(reverse("study-preview-picture", args=[study.slug, 1, "left"])).status_code == 409


def test_an_upload_with_a_long_name_is_read(owner: User) -> None:
    client = Client()
    client.force_login(owner)
    file = SimpleUploadedFile(f"{'答' * 200}.csv", ANSWERS.encode())
    response = client.post(reverse("api-study-import-answers"), {"name": "Long", "answers": file})
    assert response.status_code == 201, response.content


def test_by_upload(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    client.force_login(owner)
    response = upload(client)
    assert response.status_code == 201, response.content
    content = response.json()
    assert (content["answers"], content["new"], content["annotators"]) == (24, 24, 4)
    assert Membership.objects.get(study__slug=content["study"]).user == owner
    assert upload(client).json()["new"] == 0
    refused = upload(client, answers="source,a,b,choice\np,x,y,c\n").json()
    assert refused["detail"].startswith("Line 2 of responses.csv: the choice is 'c'")
    monkeypatch.setattr(ranking_only, "MOST_ROWS", 23)
    assert "import_judgments --ranking-only" in upload(client).json()["detail"]


def test_by_upload_nobody_adds_to_the_study_of_somebody_else(owner: User, study: Study) -> None:
    stranger = make_user("stranger")
    client = Client()
    client.force_login(stranger)
    content = upload(client).json()
    assert content["new"] == 24 and content["study"] != study.slug
    Membership.objects.create(study=study, user=stranger, role="analyst")
    Study.objects.get(slug=content["study"]).memberships.all().delete()
    assert upload(client).json()["study"] not in (study.slug, content["study"])
    assert study.memberships.count() == 2


def test_a_study_that_was_judged_here_takes_no_imported_answers() -> None:
    make_user("editor", editor=make_study(name="Judged"))
    client = Client()
    client.force_login(User.objects.get(username="editor"))
    assert "judged here" in upload(client, name="Judged").json()["detail"]
