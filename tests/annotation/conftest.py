"""Fixtures of the judging page's tests."""

from collections.abc import Callable, Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Page, Request
from pytest_django.live_server_helper import LiveServer

from annotation.models import Study
from tests.browser import until


@pytest.fixture
def sit_down(page: Page, live_server: LiveServer) -> Iterator[Callable[[Study], None]]:
    """Opens the study's link, as an annotator does; ends when the server has answered all that was asked."""
    under_way: set[Request] = set()
    page.on("request", lambda request: under_way.add(request))  # Playwright takes no built-in methods
    for event in ("requestfinished", "requestfailed"):
        page.on(event, lambda request: under_way.discard(request))

    def go(study: Study) -> None:
        page.goto(live_server.url + reverse("judge", args=[study.key]))

    yield go
    until(page, lambda: not under_way, "the end of all requests")
    page.close()
