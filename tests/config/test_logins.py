"""Failed log-ins are in the log by account and without an address; ten lock the account for that client alone, and
fifty, over all accounts, lock every account for that client.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from config.lockout import FAILURES_OF_CLIENT

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"
PASSWORD = "a long and odd passphrase"  # noqa: S105


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", password=PASSWORD, is_staff=True)


def events(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What the log-in logger wrote, however often logging was set up before."""
    return [dict(record.msg) for record in caplog.records if record.name == "closer.login"]  # type: ignore[arg-type]


def log_in(
    name: str, password: str, address: str = "10.0.0.7", proxy: str = "", page: str = "/login/"
) -> int:
    forwarded = {"x-forwarded-for": address} if proxy else {}
    typed = urlencode({"username": name, "password": password})
    response = Client().post(page, typed, FORM, headers=forwarded, REMOTE_ADDR=proxy or address)
    return response.status_code


def fail_with_many_accounts(number: int, address: str = "198.51.100.7", proxy: str = "") -> None:
    """One wrong password for each of so many names, from pages that log in in turn."""
    pages = ["/login/", "/admin/login/", "/api/v1/token/"]
    for index in range(number):
        log_in(f"name-{index}", "wrong", address, proxy, pages[index % 3])


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


@pytest.mark.parametrize("proxy", ["", "127.0.0.1"])
def test_a_client_that_tries_many_accounts_is_locked_for_all_of_them(
    ada: User, proxy: str, caplog: pytest.LogCaptureFixture
) -> None:
    fail_with_many_accounts(FAILURES_OF_CLIENT - 1, proxy=proxy)
    assert log_in("ada", PASSWORD, "198.51.100.7", proxy) == 302
    fail_with_many_accounts(1, proxy=proxy)
    assert log_in("ada", PASSWORD, "198.51.100.7", proxy) == 429
    assert log_in("ada", PASSWORD, "198.51.100.7", proxy, "/api/v1/token/") == 429
    assert log_in("ada", PASSWORD, "198.51.100.8", proxy) == 302
    assert ("log-in locked", "ada") in [(line["event"], line["account"]) for line in events(caplog)]
    assert "198.51.100" not in str(events(caplog))


def test_a_proxy_that_is_not_declared_hides_nobody(ada: User) -> None:
    for last in range(FAILURES_OF_CLIENT):
        log_in(f"name-{last}", "wrong", f"198.51.100.{last}", "203.0.113.1")
    assert log_in("ada", PASSWORD, "198.51.100.200", "203.0.113.1") == 429


def test_addresses_of_one_network_of_ipv6_are_one_client(ada: User) -> None:
    for last in range(FAILURES_OF_CLIENT):
        log_in(f"name-{last}", "wrong", f"2001:db8:0:1::{last:x}")
    assert log_in("ada", PASSWORD, "2001:db8:0:1:ffff::1") == 429
    assert log_in("ada", PASSWORD, "2001:db8:0:2::1") == 302


def test_a_lock_ends_by_itself_and_trying_on_does_not_renew_it(ada: User) -> None:
    fail_with_many_accounts(FAILURES_OF_CLIENT)
    rows = AccessAttempt.objects.count()
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14))
    assert log_in("another", "wrong", "198.51.100.7") == 429
    assert AccessAttempt.objects.count() == rows
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert log_in("ada", PASSWORD, "198.51.100.7") == 302


def test_who_is_locked_out_reads_for_how_long(ada: User) -> None:
    fail_with_many_accounts(FAILURES_OF_CLIENT)
    typed, client = {"username": "ada", "password": PASSWORD}, Client(REMOTE_ADDR="198.51.100.7")
    page = client.post("/login/", typed)
    assert "15 minutes" in page.text and page.headers["Retry-After"] == "900"
    problem = client.post("/api/v1/token/", typed, "application/json")
    assert problem.json()["code"] == "throttled" and problem.headers["Retry-After"] == "900"


def test_no_address_is_stored(ada: User) -> None:
    fail_with_many_accounts(3, "198.51.100.7")
    fail_with_many_accounts(3, "2001:db8::7")
    stored = str(list(AccessAttempt.objects.values()))
    assert AccessAttempt.objects.count() == 6
    assert "198.51.100" not in stored and "2001:db8" not in stored
