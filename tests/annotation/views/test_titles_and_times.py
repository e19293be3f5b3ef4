"""Titles tell tabs apart; times in UTC have the local ones beside them."""

import re
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import get_resolver, reverse
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from annotation.core.protocol import Protocol
from annotation.models import Study
from annotation.templatetags.figures import moment
from tests.kit.factories import make_judged_study


def title_of(page: str) -> str:
    result = re.search(r"<title>(.*?)</title>", page, flags=re.DOTALL)
    return result[1] if result else ""


@pytest.mark.django_db
def test_no_two_pages_of_a_study_have_one_title(owner_client: Client) -> None:
    study = make_judged_study(people=3)
    titles: dict[str, str] = {}
    for pattern in get_resolver().url_patterns[-1].url_patterns:  # type: ignore[union-attr]
        name = str(pattern.name)
        if list(pattern.pattern.converters) != ["slug"]:
            continue
        page = owner_client.get(reverse(name, args=[study.slug]))
        if page.status_code == 200 and page.headers["Content-Type"].startswith("text/html"):
            titles[name] = title_of(page.content.decode())
    assert len(titles) > 8
    assert len(set(titles.values())) == len(titles), titles
    assert all(study.name in title for title in titles.values()), titles


def test_a_time_says_utc_once_and_where_it_is_missing_a_dash() -> None:
    at = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert (
        moment(at) == '<time datetime="2026-03-04T05:06:07+00:00" data-local>4 March 2026, 05:06 UTC</time>'
    )
    assert ">2026-03-04 05:06</time>" in moment(at, "table")
    assert moment(None) == "–"


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("zone", "beside"),
    [("Asia/Kolkata", " (2 Jun, 04:30 local)"), ("America/New_York", " (19:00 local)"), ("UTC", "")],
)
def test_the_local_time_stands_beside(
    zone: str, beside: str, browser: Browser, live_server: LiveServer, owner_client: Client
) -> None:
    study = make_judged_study(people=3)
    Study.objects.filter(pk=study.pk).update(opened_at=datetime(2026, 6, 1, 23, tzinfo=UTC))
    context = browser.new_context(timezone_id=zone)
    cookie = owner_client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    page = context.new_page()
    page.goto(live_server.url + reverse("study-settings", args=[study.slug]))
    time = page.locator("time", has_text="1 June 2026, 23:00 UTC").first
    assert time.inner_text() == f"1 June 2026, 23:00 UTC{beside}"
    context.close()


@pytest.mark.parametrize("address", ["/studies/nowhere/", "/account/", "/help/"])
def test_the_menu_stays_where_it_is_on_an_error_page(owner_client: Client, address: str) -> None:
    assert '<body class="wide">' in owner_client.get(address).content.decode()


def test_thanks_are_said_once_at_the_end() -> None:
    assert not Protocol().debrief.startswith("Thank")
