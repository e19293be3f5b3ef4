"""Own pictures, study files and copies by page and by API: taken whole, or every fault on the page."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.core.presets import PRESETS
from annotation.models import Study
from annotation.services.study_files import describe_study, export_study
from annotation.services.tokens import make_token
from imaging.png import encode_png
from tests.annotation.services.test_own_pictures import good
from tests.kit.factories import make_source, make_study, make_user
from tests.study_form import step_of

pytestmark = pytest.mark.django_db


def packed(pictures: Mapping[str, Any]) -> SimpleUploadedFile:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        for name, pixels in pictures.items():
            package.writestr(name, encode_png(pixels))
    return SimpleUploadedFile("pictures.zip", content.getvalue())


@pytest.fixture
def draft() -> Study:
    return make_study(state="draft", codecs=[], target_bpps=[])


def test_a_zip_becomes_conditions(owner_client: Client, draft: Study) -> None:
    page = owner_client.post(
        step_of(draft, "stimuli"), {"pictures": packed(good())}, follow=True
    ).content.decode()
    assert draft.own_pictures.count() == 6
    assert "6 pictures of 2 photographs were added" in page and "<dt>mine</dt><dd>at level 1" in page
    assert "No pair shows mine@2" in owner_client.get(step_of(draft, "pairs")).content.decode()


def test_a_folder_comes_with_its_paths(owner_client: Client, draft: Study) -> None:
    pictures = good()
    files = [
        SimpleUploadedFile(name.rpartition("/")[2], encode_png(pixels)) for name, pixels in pictures.items()
    ]
    sent = {"pictures": files, "paths": [f"mine/{name}" for name in pictures]}
    owner_client.post(step_of(draft, "stimuli"), sent)
    assert draft.own_pictures.count() == 6


def test_every_fault_stands_on_the_page_and_nothing_is_taken(owner_client: Client, draft: Study) -> None:
    pictures = good()
    del pictures["dusk/original.png"]
    pictures["dawn/mine@high.png"] = pictures["dawn/mine@1.png"]
    page = owner_client.post(step_of(draft, "stimuli"), {"pictures": packed(pictures)})
    shown = page.content.decode()
    assert page.status_code == 400 and "2 things to correct" in shown
    assert "dusk has no original" in shown and "is not a number" in shown
    assert not draft.own_pictures.exists() and not draft.sources.exists()


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"pictures": SimpleUploadedFile("a.zip", b"no zip")}, "zip file cannot be used"),
        ({"pictures": SimpleUploadedFile("a.png", b"x")}, "single files do not tell which"),
        ({"pictures": SimpleUploadedFile("a.png", b"x"), "paths": "../a.png"}, "leads outside the folder"),
    ],
)
def test_what_is_no_folder_is_refused(
    owner_client: Client, draft: Study, sent: dict[str, Any], words: str
) -> None:
    page = owner_client.post(step_of(draft, "stimuli"), sent)
    assert page.status_code == 400 and words in page.content.decode()


def test_a_photograph_leaves_a_draft_with_its_pictures_and_stays_elsewhere(
    owner_client: Client, draft: Study
) -> None:
    other = make_study(state="draft", codecs=[], target_bpps=[])
    for study in (draft, other):
        owner_client.post(step_of(study, "stimuli"), {"pictures": packed(good())})
    dawn = draft.uses.get(name="dawn").source
    owner_client.post(step_of(draft, "stimuli"), {"remove": dawn.pk})
    assert (draft.sources.count(), draft.own_pictures.count()) == (1, 3)
    assert (other.sources.count(), other.own_pictures.count()) == (2, 6)
    Study.objects.filter(pk=other.pk).update(state="open", opened_at=timezone.now())
    owner_client.post(step_of(other, "stimuli"), {"remove": dawn.pk})
    assert other.sources.count() == 2


def test_a_copy_keeps_everything_but_the_answers(owner_client: Client, owner: User) -> None:
    study = make_study(state="closed")
    make_source(study)
    owner_client.post(reverse("study-copy", args=[study.slug]))
    copy = Study.objects.latest("pk")
    assert copy.name == f"{study.name} (copy)" and copy.memberships.get().user == owner
    assert describe_study(copy)["photographs"] == describe_study(study)["photographs"]


def test_a_study_file_goes_out_and_comes_in(owner_client: Client) -> None:
    study = make_study(state="draft")
    make_source(study)
    text = owner_client.get(reverse("study-file", args=[study.slug])).content
    assert text.decode() == export_study(study, panel_codes=True)
    owner_client.post(reverse("study-from-file"), {"file": SimpleUploadedFile("study.toml", text)})
    assert export_study(Study.objects.latest("pk"), panel_codes=True) == export_study(study, panel_codes=True)


def test_a_bad_study_file_makes_nothing(owner_client: Client) -> None:
    sent = {"file": SimpleUploadedFile("study.toml", b'format = "closer-study/1"\nname = "x"\nspeed = 3\n')}
    page = owner_client.post(reverse("study-from-file"), sent, follow=True)
    assert "no rule named" in page.content.decode() and not Study.objects.exists()


def test_a_draft_is_deleted_only_by_who_means_it(owner_client: Client, draft: Study) -> None:
    address = reverse("study-delete", args=[draft.slug])
    owner_client.post(address)
    assert Study.objects.filter(pk=draft.pk).exists()
    owner_client.post(address, {"sure": "on"})
    assert not Study.objects.filter(pk=draft.pk).exists()


def test_an_opened_study_is_not_deleted(owner_client: Client) -> None:
    study = make_study()
    owner_client.post(reverse("study-delete", args=[study.slug]), {"sure": "on"})
    assert Study.objects.filter(pk=study.pk).exists()


def test_the_archive_holds_closed_studies(owner_client: Client) -> None:
    study, running = make_study(state="closed", closed_at=timezone.now()), make_study()
    for one in (study, running):
        owner_client.post(reverse("study-archive", args=[one.slug]))
    address = f'href="{study.get_absolute_url()}"'
    listed = owner_client.get(reverse("study-list")).content.decode()
    assert address not in listed and running.get_absolute_url() in listed
    assert address in owner_client.get(reverse("study-list") + "?archive=1").content.decode()
    owner_client.post(reverse("study-archive", args=[study.slug]), {"back": "1"})
    assert address in owner_client.get(reverse("study-list")).content.decode()


class TestApi:
    @pytest.fixture
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Token {make_token(user=make_user('ada'))[1]}"}

    def test_a_study_from_the_file_to_its_end(self, headers: dict[str, str]) -> None:
        text = (
            b'format = "closer-study/1"\nname = "Mine"\n[protocol]\ntraining_pairs = 0\ntraining_pass = 0\n'
            b"sentinel_percent = 0\n"
        )
        client = Client(headers=headers)
        made = client.post("/api/v1/studies/", {"file": SimpleUploadedFile("s.toml", text)})
        assert (made.status_code, made.json()["state"]) == (201, "draft")
        assert "The study has no photographs yet." in made.json()["findings"]
        added = client.post("/api/v1/studies/mine/pictures/", {"archive": packed(good())})
        assert (added.status_code, added.json()["pictures"]) == (201, 6)
        findings: list[list[str]] = []
        for state in ("open", "paused", "open", "closed"):
            body = client.post(
                "/api/v1/studies/mine/state/", {"state": state}, content_type="application/json"
            )
            assert (body.status_code, body.json()["state"]) == (200, state)
            findings.append([one for one in body.json()["findings"] if "No pair shows mine@2" in one])
        assert [len(each) for each in findings] == [1, 0, 0, 0]
        refused = client.post("/api/v1/studies/mine/pictures/", {"archive": packed(good())})
        assert (refused.status_code, refused.json()["code"]) == (409, "study_frozen")
        assert (
            client.get("/api/v1/studies/mine/file/").content.decode().startswith('format = "closer-study/1"')
        )

    def test_a_study_from_a_preset(self, headers: dict[str, str]) -> None:
        client = Client(headers=headers)
        names = [one["name"] for one in client.get("/api/v1/studies/presets/").json()]
        assert names == list(PRESETS) and "paper" in names
        made = client.post("/api/v1/studies/", {"preset": "paper", "name": "Six codecs"})
        assert made.status_code == 201 and made.json()["target_bpps"] == [0.23, 0.37, 0.67, 1.0]
        assert Study.objects.get().memberships.get().user.username == "ada"

    @pytest.mark.parametrize("sent", [{}, {"preset": "king", "name": "x"}, {"preset": "paper"}])
    def test_neither_file_nor_preset_makes_nothing(
        self, headers: dict[str, str], sent: dict[str, str]
    ) -> None:
        refused = Client(headers=headers).post("/api/v1/studies/", sent)
        assert refused.status_code == 400 and not Study.objects.exists()

    def test_every_fault_is_in_the_answer(self, headers: dict[str, str]) -> None:
        study = make_study(state="draft", codecs=[], target_bpps=[])
        study.memberships.create(user=User.objects.get(username="ada"), role="editor")
        pictures = good()
        del pictures["dusk/original.png"], pictures["dawn/original.png"]
        answer = Client(headers=headers).post(
            f"/api/v1/studies/{study.slug}/pictures/", {"archive": packed(pictures)}
        )
        assert answer.status_code == 400 and len(answer.json()["faults"]) == 2
