"""Slow, silent and greedy clients, over real sockets: nobody else waits for them, and each has its time."""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
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
        heads: of those who were asked whether they may send so much.
        lengths: of each request, what its head says and how many bytes of its body came.
        gate: requests for /wait and /wait.png are answered once it is open.
    """

    def __init__(self) -> None:
        self.lengths: list[tuple[str, int]] = []
        self.heads: list[Environ] = []
        self.gate = threading.Event()

    def admits(self, head: Environ) -> bool:
        """Whether this is the one who may send much."""
        self.heads.append(head)
        if head["PATH_INFO"] == "/broken":
            raise RuntimeError("the database is not available")
        return "known" in head.get("HTTP_COOKIE", "") + head.get("HTTP_AUTHORIZATION", "")

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
    server = Server(site, bound, **{"admits": site.admits, "threads": 2, "picture_threads": 1, **options})
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


def file_of_body(server: Server, connection: socket.socket) -> Any:
    """The file of a body of which a megabyte and a half of two have come."""
    until(lambda: bool(server.active_channels), within=5, what="it is connected")
    (client,) = server.active_channels.values()
    connection.sendall(b"x" * (LARGE - 2**19))
    # There is no request while its first line is not read.
    until(lambda: client.request and client.request.body_bytes_received > 2**20, within=5, what="it arrives")
    return client.request.body_rcv.getbuf().buf.file


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
    except OSError as error:
        return not isinstance(error, TimeoutError)


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


LARGE = STRANGERS_MOST_BYTES + 1
SENDERS = [
    (b"", 0),
    (b"Cookie: a=b\r\n", 0),
    (b"Cookie: sessionid=forged\r\n", 0),
    (b"Authorization: Token forged\r\n", 0),
    (b"Cookie: sessionid=known\r\n", 1),
    (b"Authorization: Token known\r\n", 1),
]


def large_head(more: bytes, path: bytes = b"/") -> bytes:
    return b"POST %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %d\r\n\r\n" % (path, more, LARGE)


@pytest.mark.parametrize(("more", "kept"), SENDERS)
def test_a_large_body_is_kept_of_those_who_may_send_it(site: Site, more: bytes, kept: int) -> None:
    with serving(site) as (_, port), begin(port, large_head(more)) as connection:
        if kept:
            connection.sendall(b"x" * LARGE)
        answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert (b"Connection: close" in answer) is not kept
    assert site.lengths == [(str(LARGE), kept * LARGE)]


@pytest.mark.parametrize(("more", "kept"), SENDERS)
def test_who_asks_first_is_told_to_continue_only_where_the_body_is_wanted(
    site: Site, more: bytes, kept: int
) -> None:
    head = large_head(more + b"Expect: 100-continue\r\n")
    with serving(site) as (_, port), begin(port, head) as connection:
        first = connection.recv(4096)
        assert first.startswith(b"HTTP/1.1 100 Continue" if kept else b"HTTP/1.1 200 OK")
        if kept:
            connection.sendall(b"x" * LARGE)
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")
    assert site.lengths == [(str(LARGE), kept * LARGE)]


def test_nothing_is_read_while_it_is_not_known_who_sends(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, gate = threading.Event(), threading.Event()

    def slowly(head: Environ) -> bool:
        wanted.set()
        return gate.wait(10)

    monkeypatch.setattr(site, "admits", slowly)
    with serving(site) as (server, port), begin(port, large_head(b"Cookie: sessionid=a\r\n")) as connection:
        connection.setblocking(False)
        assert wanted.wait(5)
        with pytest.raises(BlockingIOError):
            while True:
                connection.send(b"x" * 2**16)
        (client,) = server.active_channels.values()
        assert client.request.body_bytes_received < 2**17
        assert answered(port) < 2
        gate.set()


def test_what_came_of_a_body_is_removed_when_its_sender_goes(site: Site) -> None:
    with serving(site) as (server, port):
        with begin(port, large_head(b"Cookie: sessionid=known\r\n")) as connection:
            kept = file_of_body(server, connection)
            assert not kept.closed
        until(lambda: kept.closed, within=5, what="the file is closed")


def test_what_came_of_a_body_is_removed_when_the_server_ends(site: Site) -> None:
    with ExitStack() as afterwards:
        with serving(site, grace=0.1) as (server, port):
            connection = afterwards.enter_context(begin(port, large_head(b"Cookie: sessionid=known\r\n")))
            kept = file_of_body(server, connection)
        assert kept.closed


def test_trouble_in_finding_out_who_sends_discards_the_body(site: Site) -> None:
    head = large_head(b"Cookie: sessionid=known\r\n", b"/broken")
    with serving(site) as (_, port), begin(port, head) as connection:
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")
    assert site.lengths == [(str(LARGE), 0)]


def test_who_sends_little_is_not_looked_up(site: Site) -> None:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nCookie: sessionid=a\r\nContent-Length: 3\r\n\r\nabc"
    with serving(site) as (_, port), begin(port, head) as connection:
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")
    assert site.lengths == [("3", 3)] and not site.heads


@pytest.mark.parametrize(("name", "kept"), [(b"forged", 0), (b"known", 1)])
def test_an_endless_body_is_asked_about_at_the_limit(site: Site, name: bytes, kept: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nCookie: sessionid=%s\r\n\r\n"
    with serving(site) as (_, port), begin(port, head % name) as connection:
        with suppress(OSError):
            for _ in range(40):
                connection.sendall(b"10000\r\n" + b"x" * 2**16 + b"\r\n")
            connection.sendall(b"0\r\n\r\n")
        until(lambda: bool(site.lengths), within=5, what="it is answered")
    assert len(site.heads) == 1
    assert site.lengths[0][1] == kept * 40 * 2**16


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
