"""A field that an endpoint does not know is refused by name: its sender would believe that it had an effect."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from annotation.models import Study
from annotation.services.studies import create_study
from annotation.services.tokens import make_token
from tests.kit.factories import make_png, make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(owner: User) -> Study:
    return create_study(owner=owner, name="Draft", codecs=["jpeg"], target_bpps=[0.5])


def post(owner: User, address: str, body: dict[str, Any], **options: Any) -> Any:
    headers = {"Authorization": f"Token {make_token(user=owner)[1]}"}
    return Client().post(address, body, headers=headers, **options)


def test_a_misspelt_field_of_a_photograph_is_refused(owner: User, draft: Study) -> None:
    address = reverse("api-study-photographs", args=[draft.slug])
    file = SimpleUploadedFile("sunset.png", make_png(), "image/png")
    refused = post(owner, address, {"photograph": file, "license": "CC0"})
    assert refused.status_code == 400 and draft.sources.count() == 0
    assert refused.json()["fields"] == {
        "license": ["There is no such field here. Known: photograph, name, licence, attribution."]
    }
    file.seek(0)
    assert post(owner, address, {"photograph": file, "csrfmiddlewaretoken": "x"}).status_code == 201


@pytest.mark.parametrize(("typed", "name"), [("Evening", "Evening"), ("", "sunset.png")])
def test_a_photograph_has_the_name_that_was_typed_or_its_files(
    owner: User, draft: Study, typed: str, name: str
) -> None:
    address = reverse("api-study-photographs", args=[draft.slug])
    file = SimpleUploadedFile("sunset.png", make_png(), "image/png")
    assert post(owner, address, {"photograph": file, "name": typed}).json()["name"] == name
    assert draft.uses.get().name == name


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("api-study-copy", {"name": "Copy", "codecs": ["webp"]}),
        ("api-study-invitations", {"number": 1, "until": "2027-01-01"}),
        ("api-study-share", {"expires": "2027-01-01"}),
        ("api-study-archive", {"archived": True, "reason": "x"}),
    ],
)
def test_a_field_that_would_do_nothing_is_refused(
    owner: User, draft: Study, name: str, body: dict[str, Any]
) -> None:
    unknown = list(body)[-1]
    refused = post(owner, reverse(name, args=[draft.slug]), body, content_type="application/json")
    assert refused.status_code == 400
    assert "no such field" in refused.json()["fields"][unknown][0]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"file": b"name = 'A'", "name": "B"}, "name"),
        ({"file": b"name = 'A'", "title": "B"}, "title"),
        ({"preset": "laboratory", "name": "A", "archive": b"PK"}, "archive"),
    ],
)
def test_what_belongs_to_the_other_way_of_making_a_draft_is_refused(
    owner: User, body: dict[str, Any], field: str
) -> None:
    sent = {
        name: SimpleUploadedFile("x", value) if isinstance(value, bytes) else value
        for name, value in body.items()
    }
    refused = post(owner, reverse("api-study-list"), sent)
    assert refused.status_code == 400 and refused.json()["fields"][field][0].startswith("Belongs to a")
    assert not Study.objects.exists()


def test_the_judging_page_may_be_older_or_newer_than_the_server() -> None:
    body = {"study": make_study().key, "simulated": True, "what_a_later_page_sends": 1}
    begun = Client().post(reverse("session-begin"), body, content_type="application/json")
    assert begun.status_code in (201, 403)
