"""A stranger's request is refused by its length, before anything is read or written."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from annotation.models import Source
from config.middleware import STRANGERS_MOST_BYTES
from config.parsing import LARGEST_BYTES
from tests.factories import make_png, make_study

pytestmark = pytest.mark.django_db
TOO_MUCH = b"a" * (STRANGERS_MOST_BYTES + 1)
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("address", ["/login/", "/judge/anything/step/consent/", "/api/v1/token/"])
@pytest.mark.parametrize("kind", [FORM, "multipart/form-data; boundary=x", "text/plain"])
def test_a_stranger_sends_no_more_than_two_megabytes(client: Client, address: str, kind: str) -> None:
    refused = client.post(address, TOO_MUCH, content_type=kind)
    assert refused.status_code == 413
    assert "Log in first" in refused.text


def test_the_api_says_so_in_json(client: Client) -> None:
    refused = client.post("/api/v1/token/", TOO_MUCH, content_type=FORM)
    assert refused.json()["code"] == "too_large"


@pytest.mark.parametrize(("length", "status"), [("x", 200), ("-1", 400), ("²", 200), ("", 200)])
def test_a_length_that_is_none_is_nobodys_failure(client: Client, length: str, status: int) -> None:
    assert client.post("/login/", {}, CONTENT_LENGTH=length).status_code == status


def test_a_researcher_sends_photographs_of_any_size(owner_client: Client) -> None:
    study = make_study(state="draft")
    noisy = SimpleUploadedFile("large.png", make_png(width=96, height=80) + TOO_MUCH, "image/png")
    sent = owner_client.post(f"/studies/{study.slug}/setup/stimuli/", {"photographs": [noisy]})
    assert sent.status_code == 302 and Source.objects.count() == 1


def test_a_form_for_a_token_is_bounded(client: Client) -> None:
    refused = client.post("/api/v1/token/", b"username=" + b"a" * LARGEST_BYTES, content_type=FORM)
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")


def test_who_only_claims_a_token_is_asked_for_it_first(client: Client) -> None:
    claim = {"Authorization": "Token nobody"}
    refused = client.post(
        "/api/v1/distance", TOO_MUCH, content_type="multipart/form-data; boundary=x", headers=claim
    )
    assert refused.status_code == 401
