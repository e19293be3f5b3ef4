"""Failed log-ins are in the log by account and without an address; ten lock the account for that client alone."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db
PASSWORD = "a long and odd passphrase"  # noqa: S105


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", password=PASSWORD, is_staff=True)


def events(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What the log-in logger wrote, however often logging was set up before."""
    return [dict(record.msg) for record in caplog.records if record.name == "closer.login"]  # type: ignore[arg-type]


def log_in(name: str, password: str, address: str = "10.0.0.7", proxy: str = "") -> int:
    forwarded = {"x-forwarded-for": address} if proxy else {}
    answer = Client().post(
        "/login/", {"username": name, "password": password}, headers=forwarded, REMOTE_ADDR=proxy or address
    )
    return answer.status_code


def test_a_failure_is_logged_by_account_and_without_its_address(
    ada: User, caplog: pytest.LogCaptureFixture
) -> None:
    log_in("ada", "wrong")
    log_in("my password typed here", "ada")
    lines = events(caplog)
    assert [(line["event"], line["account"]) for line in lines] == [
        ("log-in failed", "ada"),
        ("log-in failed", "unknown"),
    ]
    assert "10.0.0.7" not in str(lines)
    assert "typed here" not in str(lines)


@pytest.mark.parametrize("proxy", ["", "127.0.0.1"])
def test_ten_failures_lock_the_account_for_that_client_alone(
    ada: User, proxy: str, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(10):
        log_in("ada", "wrong", "198.51.100.7", proxy)
    assert [line["account"] for line in events(caplog) if line["event"] == "log-in locked"] == ["ada"]
    assert log_in("ada", PASSWORD, "198.51.100.7", proxy) == 429
    assert log_in("ada", PASSWORD, "203.0.113.9", proxy) == 302
