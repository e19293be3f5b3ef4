"""Private servers for tests: a Postgres and a Valkey that nobody else knows, gone with the test run."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest

from config.run import broker

# Tests throw their databases away: nothing has to survive a power cut.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB")


def missing(what: str, how: str) -> NoReturn:
    """Skip the test because the machine lacks something; in CI, which installs it, fail instead."""
    message = f"{what} is not on this machine; {how}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The DATABASE_URL of an empty database in a private Postgres."""
    binaries = postgres_binaries()
    if binaries is None:
        missing("Postgres", "on Debian: apt-get install postgresql")
    with private_postgres(binaries) as url:
        yield url


@pytest.fixture
def valkey_url() -> Iterator[str]:
    """The REDIS_URL of a private, empty broker; one for each test."""
    with private_valkey() as url:
        yield url


def postgres_binaries() -> Path | None:
    """The folder of the newest Postgres server's programs, None where there is none."""
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(debian, key=lambda result: float(result.parts[-3]), default=None)
    result = str(newest) if newest else shutil.which("initdb")
    return Path(result).resolve().parent if result else None


@contextmanager
def private_postgres(binaries: Path) -> Iterator[str]:
    """Serve an empty database on a free port of this machine; yields its DATABASE_URL."""
    with temporary_folder() as folder:
        owner = "postgres" if os.getuid() == 0 else None
        if owner:  # Postgres refuses to run as root
            shutil.chown(folder, owner)
        data = folder / "data"
        initdb = [str(binaries / "initdb"), "-D", str(data), "-U", "closer", "-A", "trust", "-E", "UTF8"]
        options = ["--locale", "C", "--no-sync"]
        subprocess.run([*initdb, *options], check=True, capture_output=True, user=owner, cwd=folder)
        port = free_port()
        settings = [f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", *FAST]
        options = [word for setting in settings for word in ("-c", setting)]
        with running([str(binaries / "postgres"), "-D", str(data), *options], user=owner, cwd=folder):
            server = f"postgres://closer@127.0.0.1:{port}"
            wait_for(lambda: accepts(f"{server}/postgres"), "Postgres")
            with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
                connection.execute("CREATE DATABASE closer")
            yield f"{server}/closer"


@contextmanager
def private_valkey() -> Iterator[str]:
    """Serve an empty broker on a unix socket; yields its REDIS_URL."""
    with temporary_folder() as folder, running(broker.server_command(folder), cwd=folder):
        wait_for(lambda: broker.answers(folder), "Valkey")
        yield broker.embedded_url(folder)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder with a short path, as sockets need one, that another user may be given."""
    with tempfile.TemporaryDirectory(prefix="closer-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def running(command: list[str], *, cwd: Path, user: str | None = None) -> Iterator[None]:
    """Keep a server running; it ends here, or with this process when that is killed.

    SIGINT is what makes Postgres end without waiting for its clients; Valkey takes it as well.
    """
    with_us = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    log = (cwd / "server.log").open("wb")
    with log, subprocess.Popen([*with_us, *command], stdout=log, stderr=log, user=user, cwd=cwd) as server:
        try:
            yield
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(timeout=5)
            except subprocess.TimeoutExpired:
                server.kill()


def wait_for(condition: Callable[[], bool], what: str, *, within: float = 20.0) -> None:
    """Return once the condition holds; fail the test when it does not within so many seconds."""
    until = time.monotonic() + within
    while not condition():
        if time.monotonic() > until:
            pytest.fail(f"{what} did not answer within {within:g} s")
        time.sleep(0.02)


def accepts(url: str) -> bool:
    """Whether a Postgres server lets us in."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def free_port() -> int:
    """A port of this machine that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port
