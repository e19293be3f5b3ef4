"""What the embedded deployment consists of, by environment; and the real thing, up and down once."""

import http.server
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu.exceptions import OperationalError

from config.run import broker
from config.run.processes.child import Part
from config.run.processes.parts import embedded_parts, problems, web_ready, worker_ready
from config.run.supervisor import Supervisor
from tests.config.run.processes import is_running
from tests.kit.databases import MigratedSqlite
from tests.kit.services import running, wait_for

PARTS = {"broker", "web", "worker", "worker-slow", "worker-default", "beat"}
ROOT = Path(__file__).parents[3]


def parts(tmp_path: Path, **env: str) -> dict[str, Part]:
    result = embedded_parts(host="127.0.0.1", port=8000, var_dir=tmp_path, env=env)
    return {part.name: part for part in result}


def after(part: Part, option: str) -> str:
    return part.command[part.command.index(option) + 1]


def test_nothing_set_starts_a_broker_and_one_web_process(tmp_path: Path) -> None:
    result = parts(tmp_path)
    assert list(result) == ["broker", "web", "worker", "worker-slow", "worker-default", "beat"]
    assert result["broker"].stage < result["worker"].stage
    assert (after(result["web"], "--processes"), after(result["web"], "--threads")) == ("1", "8")


def test_every_queue_has_a_worker_and_periodic_work_one_of_its_own(tmp_path: Path) -> None:
    queues = {name: after(part, "-Q") for name, part in parts(tmp_path).items() if name.startswith("worker")}
    assert queues == {
        "worker": "encode",
        "worker-slow": "encode-slow,train,train-gpu",
        "worker-default": "default",
    }


def test_a_broker_of_ones_own_replaces_the_embedded_one(tmp_path: Path) -> None:
    assert "broker" not in parts(tmp_path, REDIS_URL="redis://broker:6379/0")


@pytest.mark.parametrize(
    ("url", "processes"), [("sqlite:////srv/db.sqlite3", "1"), ("postgres://closer@db/closer", "2")]
)
def test_web_processes_follow_the_database(tmp_path: Path, url: str, processes: str) -> None:
    assert after(parts(tmp_path, DATABASE_URL=url)["web"], "--processes") == processes


@pytest.fixture
def web() -> Iterator[tuple[int, list[str]]]:
    """A server whose /healthz is 200 for the host closer.example.org only; with the hosts that were asked for."""
    requested: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requested.append(self.headers["Host"])
            self.send_response(200 if requested[-1] == "closer.example.org" else 400)
            self.end_headers()
            if self.path == "/readyz":
                checks = {"disk": {"ok": True, "problem": ""}, "static": {"ok": False, "problem": "Run it."}}
                self.wfile.write(json.dumps({"checks": checks}).encode())

        def log_message(self, format: str, *arguments: object) -> None:
            """Keeps the tests' output free of it."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server.server_address[1], requested
        server.shutdown()
        thread.join()


def test_the_web_server_is_asked_under_a_name_that_it_allows(web: tuple[int, list[str]]) -> None:
    port, requested = web
    allowed = {"ALLOWED_HOSTS": ".closer.example.org,localhost"}
    for host in ("127.0.0.1", "0.0.0.0"):
        assert web_ready(host, port, allowed)() == ""
    assert "answered 400" in web_ready("127.0.0.1", port, {})()
    assert requested == ["closer.example.org", "closer.example.org", "localhost"]


def test_what_a_site_lacks_is_read_from_its_own_report(web: tuple[int, list[str]], free_port: int) -> None:
    assert problems("127.0.0.1", web[0], {}) == ["static: Run it."]
    assert problems("127.0.0.1", free_port, {}) == ["/readyz did not answer (ConnectionRefusedError)"]


def test_who_does_not_answer_is_not_ready(free_port: int, valkey_url: str) -> None:
    assert "did not answer" in web_ready("127.0.0.1", free_port, {})()
    assert "does not answer a ping" in worker_ready(valkey_url, "nobody@nowhere")()


def test_a_check_of_the_worker_says_nothing_of_it_while_the_broker_is_away(tmp_path: Path) -> None:
    check = worker_ready(broker.embedded_url(tmp_path), "nobody@nowhere")
    with pytest.raises((OSError, OperationalError)):
        check()
    with running(broker.server_command(tmp_path), cwd=tmp_path):
        wait_for(lambda: broker.answers(tmp_path), "Valkey")
        assert "does not answer a ping" in check()


@pytest.fixture
def real(
    tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch, migrated_sqlite: MigratedSqlite
) -> Supervisor:
    """The embedded deployment on a database of its own, not started."""
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    environment = {"VAR_DIR": str(tmp_path), "ALLOWED_HOSTS": "localhost"}
    migrated_sqlite.install(tmp_path)
    return Supervisor(free_port, environment, say=lambda line: None)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_real_parts_come_up_answer_and_go(real: Supervisor) -> None:
    with real as supervisor:
        pids = supervisor.pids()
        assert set(pids) == PARTS
        groups = set(pids.values())
        assert web_ready("127.0.0.1", supervisor.port, {})() == ""
        family = members_of(groups)
        began = time.monotonic()
    assert time.monotonic() - began < 10  # 5 s on a machine that has nothing else to do
    assert len(family) >= 11  # Celery's five processes are there too
    assert not [pid for pid in family if is_running(pid)]
    assert supervisor.deaths() == dict.fromkeys(pids, 0)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_site_survives_broker_and_worker_killed_in_either_order(real: Supervisor) -> None:
    with real as supervisor:
        for victims in (["broker", "worker"], ["worker", "broker"], ["beat", "broker", "web", "worker"]):
            for name in victims:
                os.kill(supervisor.pids()[name], signal.SIGKILL)
                time.sleep(0.3)  # the next one dies while this one is away
            wait_for(lambda: supervisor.ready() == PARTS, f"the site without {victims}", within=90)
            assert web_ready("127.0.0.1", supervisor.port, {})() == ""
        killed = {"broker": 3, "web": 1, "worker": 3, "beat": 1}
        assert supervisor.deaths() == dict.fromkeys(PARTS, 0) | killed


def members_of(groups: set[int]) -> list[int]:
    """All processes in the process groups."""

    def group_of(pid: int) -> int:
        try:
            return os.getpgid(pid)
        except ProcessLookupError:
            return 0

    pids = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]
    return [pid for pid in pids if group_of(pid) in groups]
