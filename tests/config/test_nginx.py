"""docker/nginx.conf in a real nginx, in front of two small servers that say what they were sent."""

import http.client
import http.server
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.kit.nginx import nginx_before

PICTURE = b"\x89PNG, as good as"


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with its port and the address and headers that it got, or names a file for nginx to send."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps({"port": self.server.server_address[1], "path": self.path, **self.headers}).encode()
        self.send_response(200)
        if "X-Test-Redirect" in self.headers and self.path == "/any.png":
            self.send_header("X-Accel-Redirect", self.headers["X-Test-Redirect"])
            self.send_header("Content-Type", "image/png")
            self.send_header("Cache-Control", "private, max-age=3600")
            body = b""
        for name in ("ETag", "Last-Modified", "x-amz-request-id"):
            self.send_header(name, "says-which-file-it-is")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Keeps the tests' output free of it."""


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an nginx with our configuration and two servers behind it."""
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "pictures" / "ab").mkdir(parents=True)
    (folder / "pictures" / "ab" / "cd.png").write_bytes(PICTURE)
    with ExitStack() as stack:
        behind = [stack.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)) for _ in "12"]
        for server in behind:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
            stack.callback(server.shutdown)
        ports = [server.server_address[1] for server in behind]
        yield stack.enter_context(nginx_before(ports, folder, pictures=folder / "pictures"))


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


def get(port: int, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()
    finally:
        connection.close()


def test_a_picture_that_closer_names_is_sent_without_a_word_about_its_file(proxy: int) -> None:
    status, headers, content = get(proxy, "/any.png", **{"X-Test-Redirect": "/_pictures/ab/cd.png"})
    assert (status, content) == (200, PICTURE)
    assert (headers["Content-Type"], headers["Cache-Control"]) == ("image/png", "private, max-age=3600")
    assert not {"ETag", "Last-Modified", "X-Accel-Redirect"} & set(headers)


def test_a_picture_in_a_bucket_is_fetched_by_its_signed_address(proxy: int) -> None:
    host = f"127.0.0.1:{ask(proxy)[1]['port']}"
    address = f"/_bucket/http/{host}/shelf/shown/ab/cd.png?X-Amz-Signature=a%2Fb&X-Amz-Expires=60"
    secrets = {"X-Test-Redirect": address, "Cookie": "sessionid=secret", "Authorization": "Token secret"}
    status, headers, content = get(proxy, "/any.png", **secrets)
    assert status == 200
    seen = json.loads(content)
    assert seen["path"] == "/shelf/shown/ab/cd.png?X-Amz-Signature=a%2Fb&X-Amz-Expires=60"
    assert seen["Host"] == host
    assert not {"Cookie", "Authorization"} & set(seen)
    assert not {"ETag", "Last-Modified", "x-amz-request-id"} & set(headers)


@pytest.mark.parametrize("path", ["/_pictures/ab/cd.png", "/_bucket/http/127.0.0.1:1/key"])
def test_nobody_reaches_the_files_by_themselves(proxy: int, path: str) -> None:
    assert get(proxy, path)[0] == 404
