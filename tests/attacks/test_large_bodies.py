"""A stranger's request is refused by its length, before anything is read or written."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.parsers import MultiPartParser

from annotation.models import Membership, Source, Study
from annotation.services.tokens import make_token
from config.admission import UPLOADS, admits
from config.limits import DISCARDED
from config.parsing import LARGEST_BYTES
from tests.kit.factories import make_png, make_study

pytestmark = pytest.mark.django_db
TOO_MUCH = b"a" * (2 * 2**20 + 1)
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


@pytest.fixture(autouse=True)
def one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's transaction is in its one connection to the database, which is not to be closed."""
    monkeypatch.setattr("config.admission.close_old_connections", lambda: None)


DISCARDED_HEADER = {DISCARDED.removeprefix("HTTP_").replace("_", "-"): "1"}
UPLOAD = "/studies/{}/setup/stimuli/"
API_UPLOAD = "/api/v1/studies/{}/photographs/"


def head(path: str, cookie: str | None = "", token: str = "", method: str = "POST") -> dict[str, str]:
    """What the web server knows of a request before its body is read."""
    names = {"REQUEST_METHOD": method, "PATH_INFO": path, "SERVER_NAME": "localhost", "SERVER_PORT": "80"}
    cookies = {"HTTP_COOKIE": f"sessionid={cookie}"} if cookie else {}
    return names | cookies | ({"HTTP_AUTHORIZATION": f"Token {token}"} if token else {})


def researcher_with_role(study: Study, role: str) -> User:
    """Another researcher, with a role in the study unless it is empty."""
    researcher = User.objects.create_user(f"role-{role}", password="a long passphrase", is_staff=True)  # noqa: S106
    if role:
        Membership.objects.create(study=study, user=researcher, role=role)
    return researcher


@pytest.mark.parametrize(
    ("role", "admitted"),
    [("editor", True), ("owner", True), ("analyst", False), ("viewer", False), ("", False)],
)
def test_a_body_is_read_of_those_whose_role_reaches_so_far(role: str, admitted: bool) -> None:
    study = make_study(state="draft")
    researcher = researcher_with_role(study, role)
    client = Client()
    client.force_login(researcher)
    session, token = client.session.session_key, make_token(user=researcher)[1]
    assert admits(head(UPLOAD.format(study.slug), cookie=session)) is admitted
    assert admits(head(API_UPLOAD.format(study.slug), token=token)) is admitted
    refused = client.post(UPLOAD.format(study.slug), TOO_MUCH, "multipart/form-data; boundary=x")
    assert (refused.status_code == 413) is not admitted


@pytest.mark.parametrize("path", ["/studies/new/from-file/", "/api/v1/distance"])
def test_an_account_that_is_no_researcher_s_admits_nobody(path: str) -> None:
    account = User.objects.create_user("annotator", password="a long passphrase")  # noqa: S106
    client = Client()
    client.force_login(account)
    assert not admits(head(path, cookie=client.session.session_key))
    assert not admits(head(path, token=make_token(user=account)[1]))


@pytest.mark.parametrize("path", [UPLOAD, API_UPLOAD, "/studies/new/from-file/", "/api/v1/distance"])
def test_forged_and_absent_credentials_admit_nobody(path: str) -> None:
    path = path.format(make_study(state="draft").slug)
    assert not admits(head(path))
    assert not admits(head(path, cookie="forged"))
    assert not admits(head(path, token="forged"))
    assert not admits(head(path, cookie="forged", token="forged"))


def test_a_forged_token_is_not_helped_by_a_session(owner_client: Client) -> None:
    study = make_study(state="draft")
    session = owner_client.session.session_key
    assert admits(head(API_UPLOAD.format(study.slug), cookie=session))
    assert not admits(head(API_UPLOAD.format(study.slug), cookie=session, token="forged"))


@pytest.mark.parametrize(
    "path", ["/login/", "/studies/", "/api/v1/studies/no-such-study/photographs/", "/nowhere/"]
)
def test_addresses_that_take_no_uploads_take_none_of_anybody(owner_client: Client, path: str) -> None:
    assert not admits(head(path, cookie=owner_client.session.session_key))


def test_who_ended_is_admitted_no_more(owner: User, owner_client: Client) -> None:
    path = UPLOAD.format(make_study(state="draft").slug)
    session, token = owner_client.session.session_key, make_token(user=owner)[1]
    assert admits(head(path, cookie=session))
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert not admits(head(path, cookie=session))
    assert not admits(head("/api/v1/distance", token=token))


def test_a_body_that_was_discarded_is_to_be_sent_again(owner_client: Client) -> None:
    path = UPLOAD.format(make_study(state="draft").slug)
    answer = owner_client.post(path, TOO_MUCH, "multipart/form-data; boundary=x", headers=DISCARDED_HEADER)
    assert answer.status_code == 503 and answer.headers["Retry-After"] == "10"


def test_every_address_that_takes_files_is_admitted_to() -> None:
    parts = list(_patterns(get_resolver()))
    with_files = {part.name for part in parts if _takes_files(part.callback)}
    assert with_files and with_files <= set(UPLOADS) and set(UPLOADS) <= {part.name for part in parts}


def _takes_files(view: Any) -> bool:
    """Whether an endpoint takes POST with files."""
    made_by = getattr(view, "cls", None)
    parsers = getattr(view, "initkwargs", {}).get("parser_classes", getattr(made_by, "parser_classes", ()))
    methods = getattr(view, "actions", None) or vars(made_by or object)
    return MultiPartParser in parsers and "post" in methods


def _patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for one in resolver.url_patterns:
        if isinstance(one, URLPattern):
            yield one
        else:
            yield from _patterns(one)
