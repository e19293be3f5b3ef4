"""What every test starts from: files in a folder of its own, a broker in memory, named people."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from celery import current_app
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from tests.kit.factories import make_user
from tests.kit.storage import storages_in

pytest_plugins = ["tests.kit.services", "tests.kit.databases", "tests.browser"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--alone",
        choices=["only", "never"],
        help="only: those that measure time in a browser or kill processes; never: those that may run beside others",
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores, for `-n auto`: at any time some test waits for a process, a lease or a browser."""
    return min(len(os.sched_getaffinity(0)) + 1, 5)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves modules out that have nothing for `--alone only`: to import them all takes longer than some tests."""
    if config.getoption("--alone") != "only" or not collection_path.match("test_*.py"):
        return None
    if "processes" in collection_path.parts or "mark.alone" in collection_path.read_text():
        return None
    return True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what the other of `make test`'s two runs has; begins with the slow ones, so that none is last."""
    wanted = config.getoption("--alone")
    if wanted is None:
        return
    left_out = [item for item in items if _alone(item) != (wanted == "only")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = sorted(
        (item for item in items if _alone(item) == (wanted == "only")),
        key=lambda item: item.get_closest_marker("slow") is None,
    )


def _alone(item: pytest.Item) -> bool:
    return item.get_closest_marker("alone") is not None or "processes" in item.path.parts


@pytest.fixture(scope="session")
def shared() -> Path:
    """Photographs and weights that lie beside a checkout, for experiments; the project never needs them."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("there is no ../shared folder beside this checkout")
    return folder


@pytest.fixture(scope="session")
def base_url() -> None:
    """None: browser tests open whole addresses. pytest-playwright's own fixture warns under this pytest."""


@pytest.fixture(autouse=True)
def _files_in_a_folder_of_their_own(settings: Settings, tmp_path: Path) -> None:
    settings.STORAGES = storages_in(tmp_path / "files")
    settings.VAR_DIR = tmp_path
    in_memory = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": in_memory, "LOCATION": str(tmp_path)}}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.WHITENOISE_AUTOREFRESH = True  # nothing was collected into STATIC_ROOT


@pytest.fixture(autouse=True)
def _no_heartbeat_within_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's open transaction would hold up the heartbeat of the work that it does, and that SQLite's 20 s."""
    monkeypatch.setattr("annotation.leases.LEASE", timedelta(hours=1))


@contextmanager
def broker_at(url: str) -> Iterator[None]:
    """Messages of this process go to the broker there."""
    before = current_app.conf.broker_url
    current_app.conf.broker_url = url
    current_app._after_fork()  # forgets the connections that it has
    yield
    current_app.conf.broker_url = before
    current_app._after_fork()


@pytest.fixture(scope="session", autouse=True)
def _broker_in_memory() -> Iterator[None]:
    """Messages are sent for real, to a queue that nobody reads; tests of workers use `valkey_url`."""
    with broker_at("memory://"):
        yield


@pytest.fixture
def broker_away(tmp_path: Path) -> Iterator[None]:
    """Nobody is where the broker should be."""
    with broker_at(f"redis+socket://{tmp_path}/nothing.sock"):
        yield


@pytest.fixture
def owner(db: None) -> User:
    """A researcher who may do everything; `tests/annotation/views/test_roles.py` is about those who may less."""
    return make_user("owner", superuser=True)


@pytest.fixture
def stranger(db: None) -> User:
    """Somebody with a login and no rights."""
    return make_user("stranger", staff=False)


@pytest.fixture
def owner_client(owner: User) -> Client:
    """A researcher's browser."""
    client = Client()
    client.force_login(owner)
    return client
