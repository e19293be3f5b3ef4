"""docker/nginx.conf in a real nginx, in front of two small servers that say what they were sent."""

import http.client
import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.kit.services import free_port as port_for
from tests.kit.services import missing, wait_for

CONF = Path(__file__).parents[2] / "docker" / "nginx.conf"


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the port that it serves and the headers that it got."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps({"port": self.server.server_address[1], **self.headers}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Keeps the tests' output free of it."""


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an nginx with our configuration and two servers behind it."""
    binary = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if binary is None:
        missing("nginx", "on Debian: apt-get install nginx-light")
    folder = tmp_path_factory.mktemp("nginx")
    port = port_for()
    with ExitStack() as stack:
        behind = [stack.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)) for _ in "12"]
        for server in behind:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
            stack.callback(server.shutdown)
        (folder / "nginx.conf").write_text(_around(CONF.read_text(), folder, port, behind))
        command = [binary, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
        nginx = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        stack.callback(nginx.terminate)
        wait_for(lambda: _answers(port), "nginx")
        yield port


def _around(ours: str, folder: Path, port: int, behind: list[http.server.ThreadingHTTPServer]) -> str:
    """Our server with another port, and a group in the place of Docker's name for the web containers."""
    assert "set $closer web:8000;" in ours
    assert "listen 80;" in ours
    ours = ours.replace("web:8000", "behind").replace("listen 80;", f"listen 127.0.0.1:{port};")
    servers = " ".join(f"server 127.0.0.1:{server.server_address[1]};" for server in behind)
    paths = " ".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off; worker_processes 1; pid {folder}/pid; events {{ worker_connections 512; }}\n"
        f"http {{ {paths} upstream behind {{ {servers} }}\n{ours}\n}}\n"
    )


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def ask(port: int, path: str = "/", **headers: str) -> tuple[int, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        return answer.status, json.loads(body) if answer.status == 200 else {}
    finally:
        connection.close()


def test_requests_are_spread_over_all_web_containers(proxy: int) -> None:
    assert len({ask(proxy)[1]["port"] for _ in range(4)}) == 2


def test_what_a_client_claims_about_itself_is_replaced(proxy: int) -> None:
    claims = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Request-ID": "forged-forged",
        "Host": "closer.example:8000",
    }
    _, seen = ask(proxy, **claims)
    assert seen["X-Forwarded-For"] == "127.0.0.1"
    assert len(seen["X-Request-ID"]) == 32
    assert seen["Host"] == "closer.example:8000"
    assert seen["X-Forwarded-Proto"] == "http"


def test_a_proxy_in_front_that_ended_tls_is_heard(proxy: int) -> None:
    assert ask(proxy, **{"X-Forwarded-Proto": "https"})[1]["X-Forwarded-Proto"] == "https"


@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/readyz", 404), ("/metrics", 404)])
def test_pages_for_machines_are_not_for_strangers(proxy: int, path: str, status: int) -> None:
    assert ask(proxy, path)[0] == status


def test_a_photograph_passes_and_what_is_larger_than_the_limit_does_not(proxy: int) -> None:
    for length, status in ((100 * 2**20, b""), (3 * 2**30, b"HTTP/1.1 413")):
        with socket.create_connection(("127.0.0.1", proxy), timeout=1) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % length)
            try:
                answer = connection.recv(100)
            except TimeoutError:  # it waits for the rest
                answer = b""
            assert answer[:12] == status


def test_half_open_connections_reach_no_web_container(proxy: int) -> None:
    with ExitStack() as crowd:
        for _ in range(80):
            connection = crowd.enter_context(socket.create_connection(("127.0.0.1", proxy), timeout=5))
            connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf")
        assert ask(proxy)[0] == 200
