"""`manage.py prepare`: says what is missing before anything is changed, and makes the first account once."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import FileSystemStorage
from django.core.management import call_command
from django.core.management.base import CommandError

from config.run.broker import embedded_url

pytestmark = pytest.mark.django_db
GOOD = "a long and odd passphrase"


@pytest.fixture(autouse=True)
def _broker(settings: Any, valkey_url: str) -> None:
    settings.REDIS_URL = valkey_url
    settings.STATIC_ROOT = Path("/srv/closer/static")  # of an image: it was collected when that was built


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Any:
    def set_account(name: str, password: str) -> None:
        monkeypatch.setenv("FIRST_ACCOUNT_NAME", name)
        monkeypatch.setenv("FIRST_ACCOUNT_PASSWORD", password)

    return set_account


def prepare() -> str:
    out = StringIO()
    call_command("prepare", stdout=out, verbosity=0)
    return out.getvalue()


def test_the_first_account_is_made_once(account: Any) -> None:
    account("ada", GOOD)
    assert "ada was created" in prepare()
    ada = User.objects.get()
    assert ada.is_staff and ada.is_superuser and ada.check_password(GOOD)
    account("eve", GOOD)
    assert "account: exists" in prepare()
    assert User.objects.count() == 1


def test_without_a_name_it_says_how_to_make_one() -> None:
    assert "createsuperuser" in prepare()
    assert not User.objects.exists()


@pytest.mark.parametrize(("name", "password"), [("ada", "12345678"), ("", GOOD), ("a/da", GOOD), ("ada", "")])
def test_an_account_that_would_be_weak_is_refused(account: Any, name: str, password: str) -> None:
    account(name, password)
    with pytest.raises(CommandError, match="FIRST_ACCOUNT"):
        prepare()
    assert not User.objects.exists()


def test_the_embedded_broker_need_not_run_yet(settings: Any) -> None:
    settings.REDIS_URL = embedded_url(settings.VAR_DIR)
    assert "broker: embedded; the supervisor starts it" in prepare()


def test_static_files_are_collected_below_var(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[str] = []
    module = "config.management.commands.prepare"
    monkeypatch.setattr(f"{module}.call_command", lambda name, **_: commands.append(name))
    settings.STATIC_ROOT = settings.VAR_DIR / "static"
    assert "static files: collected" in prepare()
    assert commands == ["migrate", "collectstatic"]
    settings.STATIC_ROOT = settings.VAR_DIR / "of an image"
    assert "static files: ready" in prepare()
    settings.DEBUG = True
    assert "with DEBUG" in prepare()
    assert commands.count("collectstatic") == 1


def test_a_broker_that_is_away_is_named(settings: Any, tmp_path: Path) -> None:
    settings.REDIS_URL = f"redis+socket://{tmp_path}/nothing.sock"
    with pytest.raises(CommandError, match="broker: It does not answer.*REDIS_URL"):
        prepare()


def test_a_storage_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> str:
        raise PermissionError("no")

    monkeypatch.setattr(FileSystemStorage, "_save", refuse)
    with pytest.raises(
        CommandError, match="storage: It does not answer .PermissionError.. May this user write"
    ):
        prepare()
