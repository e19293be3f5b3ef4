"""DEBUG stays on this machine, pages of researchers out of caches, secrets out of error pages, NULs out of look-ups."""

import stat
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.views.debug import ExceptionReporter

from tests.config.test_deploy import manage


@pytest.mark.parametrize(
    ("address", "status"), [("127.0.0.1", 200), ("::1", 200), ("10.0.0.7", 403), ("", 403)]
)
def test_with_debug_on_only_this_machine_is_answered(
    client: Client, settings: Any, db: None, address: str, status: int
) -> None:
    settings.DEBUG = True
    assert client.get("/login/", REMOTE_ADDR=address).status_code == status
    settings.DEBUG = False
    assert client.get("/login/", REMOTE_ADDR=address).status_code == 200


def test_debug_with_a_host_beyond_this_machine_does_not_start(tmp_path: Path) -> None:
    refused = manage("check", folder=tmp_path, DEBUG="true", ALLOWED_HOSTS="localhost,closer.example.org")
    assert refused.returncode != 0
    assert "DEBUG is on and ALLOWED_HOSTS names closer.example.org" in refused.stderr
    started = manage("check", folder=tmp_path, DEBUG="true", ALLOWED_HOSTS="localhost,127.0.0.1")
    assert started.returncode == 0, started.stderr


def test_the_folder_of_everything_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    folder.mkdir(mode=0o755)
    assert manage("check", folder=folder).returncode == 0
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_pages_of_a_researcher_are_kept_by_no_cache(client: Client, db: None) -> None:
    assert "Cache-Control" not in client.get("/").headers
    client.force_login(User.objects.create(username="ada", is_staff=True))
    assert client.get("/studies/").headers["Cache-Control"] == "private, no-store"
    answer = Client().get("/api/v1/studies/", headers={"authorization": "Token nonsense"})
    assert answer.headers["Cache-Control"] == "private, no-store"


def hidden(number: int) -> str:
    """A secret that stands in no line of this file: pages for errors quote the lines."""
    return "-".join(("hidden", str(number)))


def test_an_error_page_for_developers_shows_no_secret(rf: RequestFactory, settings: Any) -> None:
    settings.DEBUG = True
    settings.REDIS_URL = f"redis://:{hidden(1)}@host"
    settings.STORAGE_URL = f"s3://key:{hidden(2)}@host/bucket"
    settings.EMAIL_HOST_PASSWORD = hidden(3)
    settings.CACHES = settings.CACHES | {"other": {"BACKEND": "x", "LOCATION": f"redis://:{hidden(4)}@host"}}
    headers = {"x-closer-session": hidden(5), "cookie": f"sessionid={hidden(6)}"}
    request: HttpRequest = rf.get("/", headers=headers)
    del headers  # pages for errors show variables, too
    page = page_for_developers(request)
    assert "RuntimeError" in page
    assert [number for number in range(1, 7) if hidden(number) in page] == []


def page_for_developers(request: HttpRequest) -> str:
    try:
        raise RuntimeError("failed")
    except RuntimeError as error:
        return ExceptionReporter(request, type(error), error, error.__traceback__).get_traceback_html()


@pytest.mark.parametrize(
    "address",
    ["/login/?next=%00", "/studies/?find=a%00b&archive=1", "/judge/a%00/", "/api/v1/studies/?find=%00"],
)
def test_an_address_with_a_nul_is_refused_before_anything_is_looked_up(client: Client, address: str) -> None:
    refused = client.get(address)
    assert refused.status_code == 400
    assert refused.headers["Content-Type"].startswith("application/json") == address.startswith("/api/")
    assert "Content-Security-Policy" in refused.headers


def test_a_form_with_a_nul_is_refused_and_the_same_without_one_is_read(client: Client) -> None:
    refused = client.post("/login/", {"username": "a\0b", "password": "c"})
    assert (refused.status_code, refused.content) == (400, b"A field contains a NUL.\n")
    assert client.post("/login/", {"username": "ab", "password": ""}).status_code == 200
