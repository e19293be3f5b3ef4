"""Failed log-ins are in the log by account and without an address; ten lock the account for that client alone."""

from typing import Any

import pytest
import structlog
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db
PASSWORD = "a long and odd passphrase"  # noqa: S105


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", password=PASSWORD, is_staff=True)


def log_in(name: str, password: str, address: str = "10.0.0.7", proxy: str = "") -> int:
    forwarded = {"x-forwarded-for": address} if proxy else {}
    answer = Client().post(
        "/login/", {"username": name, "password": password}, headers=forwarded, REMOTE_ADDR=proxy or address
    )
    return answer.status_code


def test_a_failure_is_logged_by_account_and_without_its_address(ada: User) -> None:
    with structlog.testing.capture_logs() as lines:
        log_in("ada", "wrong")
        log_in("my password typed here", "ada")
    said = [line for line in lines if line["event"] == "log-in failed"]
    assert [line["account"] for line in said] == ["ada", "unknown"]
    assert "10.0.0.7" not in str(lines)
    assert "typed here" not in str(lines)


@pytest.mark.parametrize("proxy", ["", "127.0.0.1"])
def test_ten_failures_lock_the_account_for_that_client_alone(ada: User, proxy: str, settings: Any) -> None:
    with structlog.testing.capture_logs() as lines:
        for _ in range(10):
            log_in("ada", "wrong", "198.51.100.7", proxy)
    assert {"event": "log-in locked", "account": "ada", "log_level": "warning"} in lines
    assert log_in("ada", PASSWORD, "198.51.100.7", proxy) == 429
    assert log_in("ada", PASSWORD, "203.0.113.9", proxy) == 302
