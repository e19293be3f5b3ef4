"""Slow, silent and greedy clients, over real sockets: nobody else waits for them, and each has its time."""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from typing import Any

import pytest

from config.limits import STRANGERS_MOST_BYTES
from config.run import buffering
from config.run.buffering import Server
from config.run.web import listen
from tests.config.run.test_supervisor import until

Environ = dict[str, Any]
Start = Callable[[str, list[tuple[str, str]]], object]


class Site:
    """A small application and what happened to it.

    Attributes:
        lengths: of each request, what its head says and how many bytes of its body came.
        gate: requests for /wait and /wait.png are answered once it is open.
    """

    def __init__(self) -> None:
        self.lengths: list[tuple[str, int]] = []
        self.gate = threading.Event()

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        self.lengths.append((environ.get("CONTENT_LENGTH", ""), len(environ["wsgi.input"].read())))
        path = environ["PATH_INFO"]
        if path.startswith("/wait"):
            self.gate.wait(10)
        body = b"x" * (20 * 2**20 if path.startswith("/large") else 5)
        start("200 OK", [("Content-Length", str(len(body)))])
        return environ["wsgi.file_wrapper"](BytesIO(body)) if path == "/large-file" else [body]


@pytest.fixture
def site() -> Site:
    return Site()


@contextmanager
def serving(site: Site, **options: Any) -> Iterator[tuple[Server, int]]:
    """The site on a port of its own, with two threads."""
    bound = listen("127.0.0.1", 0)
    port = bound.getsockname()[1]
    server = Server(site, bound, **{"threads": 2, "picture_threads": 1, **options})
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server, port
    finally:
        site.gate.set()
        server.stop()
        thread.join(timeout=10)
        assert not thread.is_alive()


def begin(port: int, sent: bytes) -> socket.socket:
    """A connection on which so much was sent."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(sent)
    return connection


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def answered(port: int, path: str = "/") -> float:
    """Seconds that a whole request took."""
    began = time.monotonic()
    with begin(port, get(path)) as connection:
        assert connection.recv(64).startswith(b"HTTP/1.1 200 OK")
    return time.monotonic() - began


def is_closed(connection: socket.socket) -> bool:
    """Whether the server has closed it."""
    connection.settimeout(0.05)
    try:
        return connection.recv(2**16) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


SLOW = {
    "silent": b"",
    "half a head": b"GET / HTTP/1.1\r\nHost: loc",
    "half a body": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{",
    "half a chunk": b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
    "reads nothing": get("/large"),
    "reads no file": get("/large-file"),
}


@pytest.mark.parametrize("how", SLOW)
def test_a_slow_client_holds_no_thread(site: Site, how: str) -> None:
    with serving(site) as (_, port), ExitStack() as open_ones:
        for _ in range(8):
            open_ones.enter_context(begin(port, SLOW[how]))
        time.sleep(0.1)
        assert max(answered(port) for _ in range(4)) < 2


@pytest.mark.parametrize("how", ["silent", "half a head", "half a body", "half a chunk", "reads nothing"])
def test_a_slow_client_is_given_up(site: Site, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("HEAD_WITHIN", "BODY_WITHIN", "IDLE_FOR"):
        monkeypatch.setattr(buffering, limit, 1.0)
    with serving(site) as (server, port), begin(port, SLOW[how]):
        until(lambda: bool(server.active_channels), within=2, what="it is connected")
        until(lambda: not server.active_channels, within=8, what="it was closed")


def test_a_body_that_keeps_coming_is_not_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffering, "BODY_WITHIN", 0.5)
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n"
    with serving(site) as (_, port), begin(port, head) as connection:
        for _ in range(6):
            connection.sendall(b"x" * 10_000)
            time.sleep(0.6)
        assert connection.recv(64).startswith(b"HTTP/1.1 200 OK")
    assert site.lengths == [("60000", 60_000)]


def test_work_that_takes_long_is_not_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("HEAD_WITHIN", "BODY_WITHIN", "IDLE_FOR"):
        monkeypatch.setattr(buffering, limit, 0.2)
    with serving(site) as (_, port), begin(port, get("/wait")) as connection:
        time.sleep(3)
        site.gate.set()
        assert connection.recv(64).startswith(b"HTTP/1.1 200 OK")


def test_who_has_been_quiet_longest_makes_room(site: Site) -> None:
    with serving(site, most_connections=3) as (_, port), begin(port, b"") as first:
        time.sleep(0.05)
        with begin(port, b"G") as second, begin(port, b"G") as third:
            time.sleep(0.1)
            assert answered(port) < 2
            assert is_closed(first)
            assert not is_closed(second)
            assert not is_closed(third)


def test_pictures_wait_for_pictures_alone(site: Site) -> None:
    with serving(site) as (_, port), begin(port, get("/wait.png")), begin(port, get("/wait.png")):
        time.sleep(0.1)
        assert answered(port) < 2


@pytest.mark.parametrize(
    ("more", "kept"),
    [(b"", 0), (b"Cookie: a=b\r\n", 0), (b"Cookie: sessionid=b\r\n", 1), (b"Authorization: Token b\r\n", 1)],
)
def test_a_strangers_large_body_is_not_kept(site: Site, more: bytes, kept: int) -> None:
    length = STRANGERS_MOST_BYTES + 1
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\n" + more + b"Content-Length: %d\r\n\r\n" % length
    with serving(site) as (_, port), begin(port, head) as connection:
        if kept:
            connection.sendall(b"x" * length)
        answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert (b"Connection: close" in answer) is not kept
    assert site.lengths == [(str(length), kept * length)]


def test_an_endless_body_of_a_stranger_ends_at_the_limit(site: Site) -> None:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with serving(site) as (_, port), begin(port, head) as connection, pytest.raises(OSError):
        while not site.lengths:
            connection.sendall(b"10000\r\n" + b"x" * 2**16 + b"\r\n")
        connection.sendall(b"x" * 2**24)
    assert site.lengths[0][1] == 0
    assert int(site.lengths[0][0]) > STRANGERS_MOST_BYTES


def test_requests_in_hand_are_finished_at_the_end(site: Site) -> None:
    with serving(site, grace=5) as (server, port), begin(port, get("/wait")) as connection:
        until(lambda: len(site.lengths) == 1, within=2, what="it is being answered")
        server.stop()
        time.sleep(0.2)
        with pytest.raises(OSError):
            begin(port, get("/")).recv(1)
        site.gate.set()
        assert connection.recv(64).startswith(b"HTTP/1.1 200 OK")
