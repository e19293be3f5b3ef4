"""A real browser for tests: Debian's chromium if it is there, Playwright's own otherwise."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from playwright.sync_api import BrowserType, Page
from pytest_django.live_server_helper import LiveServer

from tests.kit.services import missing

# A test's browser talks to the test's server and to nobody else.
QUIET = (
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--force-color-profile=srgb",
)


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any], browser_type: BrowserType
) -> Iterator[dict[str, Any]]:
    """How the browser is started; skips, or fails in CI, where there is none."""
    result = shutil.which("chromium") or browser_type.executable_path
    if not Path(result).exists():
        missing("A chromium", "apt-get install chromium, or: .venv/bin/playwright install chromium")
    # Playwright runs an event loop in this thread, and Django takes that for asynchronous code.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield {**browser_type_launch_args, "executable_path": result, "args": list(QUIET)}


@pytest.fixture(scope="session")
def _static_files_from_their_folders() -> Iterator[None]:
    """The live server is built once, before any test's own settings hold."""
    with override_settings(WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture(scope="session")
def live_server(_static_files_from_their_folders: None, live_server: LiveServer) -> LiveServer:
    """Closer on a port of this machine."""
    return live_server


@pytest.fixture
def logged_in(page: Page, live_server: LiveServer, owner_client: Client) -> str:
    """Where the site is; the browser is logged in as its owner."""
    cookie = owner_client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
    )
    return str(live_server.url)


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the page's console says in errors and warnings, violations of the security policy among it."""
    heard: list[str] = []
    page.on(
        "console", lambda output: heard.append(output.text) if output.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard


def until(page: Page, condition: Callable[[], bool], what: str, *, within: float = 15.0) -> None:
    """Return once the condition holds, with the browser going on meanwhile; fail after so many seconds."""
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"{what}: not within {within:g} s")
        page.wait_for_timeout(20)
