"""A database that stops answering: the web answers 503 within seconds and says so, and works again once it is back."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from config.postgres.base import Connection
from tests.kit.databases import MigratedPostgres
from tests.kit.services import free_port, wait_for

ROOT = Path(__file__).resolve().parents[2]


class Relay:
    """Stands between the web server and Postgres; silent, it takes everything and hands nothing on."""

    def __init__(self, behind: str) -> None:
        self._behind = behind
        self.talks = threading.Event()
        self.talks.set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._connect, args=self._server.accept()[:1], daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            self.talks.wait()
            split = urlsplit(self._behind)
            with socket.create_connection((split.hostname or "", split.port or 5432)) as database:
                back = threading.Thread(target=self._copy, args=(database, client), daemon=True)
                back.start()
                self._copy(client, database)

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(2**16):
                self.talks.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def database_url(migrated_postgres: MigratedPostgres) -> str:
    return migrated_postgres.copy("silent")


@pytest.fixture
def relay(database_url: str) -> Iterator[Relay]:
    made = Relay(database_url)
    yield made
    made.talks.set()
    made.close()


def through(relay: Relay, url: str) -> str:
    split = urlsplit(url)
    return split._replace(netloc=f"{split.username}@127.0.0.1:{relay.port}").geturl()


@contextmanager
def web(url: str, folder: Path, port: int) -> Iterator[None]:
    """The web server as it is run, on that database."""
    own = {"DATABASE_URL": url, "VAR_DIR": str(folder), "DEBUG": "false", "SECRET_KEY": "x" * 50}
    environment = os.environ | own
    static = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(static, cwd=ROOT, env=environment, check=True, capture_output=True)
    command = [sys.executable, "-m", "config.run.web", "--port", str(port), "--threads", "2", "--grace", "1"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: get(port, "/healthz")[0] == 200, "the web server")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def get(port: int, path: str) -> tuple[int, str | None, str]:
    """Status, Retry-After and body; (0, None, "") where nobody answers within 20 s."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers={"Host": "localhost", "Cookie": "sessionid=somebody"})
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Retry-After"), answer.read().decode()
    except OSError:
        return 0, None, ""
    finally:
        connection.close()


@pytest.mark.slow
@pytest.mark.postgres
def test_pages_and_probe_say_it_within_seconds_and_recover(
    database_url: str, relay: Relay, tmp_path: Path
) -> None:
    port = free_port()
    with web(through(relay, database_url), tmp_path, port):
        for path in ("/studies/", "/api/v1/studies/", "/studies/", "/api/v1/studies/"):
            assert get(port, path)[0] in (302, 401)  # both threads have their connection
        relay.talks.clear()
        for path in ("/studies/", "/api/v1/studies/"):
            began = time.monotonic()
            status, again, body = get(port, path)
            assert (status, again) == (503, "10") and "database" in body
            assert time.monotonic() - began < 15
        status, again, body = get(port, "/readyz")
        assert (status, again) == (503, "10") and '"database": {"ok": false' in body
        assert get(port, "/healthz")[0] == 200
        relay.talks.set()
        assert get(port, "/studies/")[0] == 302


@pytest.mark.postgres
def test_a_slow_statement_is_ended_on_the_server_too(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as watching:
        slow = Connection.connect(postgres_url)
        pid = slow.info.backend_pid
        slow.answer_within = 0.5
        began = time.monotonic()
        with pytest.raises(psycopg.OperationalError, match="no answer within"):
            slow.execute("SELECT pg_sleep(30)")
        assert time.monotonic() - began < 3 and slow.closed
        active = "SELECT pid FROM pg_stat_activity WHERE pid = %s AND state = 'active'"
        wait_for(lambda: not watching.execute(active, [pid]).fetchone(), "the end of the statement")


@pytest.mark.postgres
def test_a_statement_without_a_limit_may_take_its_time(postgres_url: str) -> None:
    with Connection.connect(postgres_url) as connection:
        assert connection.execute("SELECT pg_sleep(0.5), 7").fetchone() == ("", 7)
