"""HEAD has no body, and a head that can't be read is refused with 400."""

from collections.abc import Iterable

import pytest

from tests.config.run.test_buffering import Environ, Site, Start, begin, serving
from tests.config.run.test_supervisor import until


class Sized(Site):
    """A site whose response has no length at /unsized, and which counts the bodies that were begun."""

    begun = 0

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/unsized":
            return super().__call__(environ, start)
        start("200 OK", [])
        return self.parts()

    def parts(self) -> Iterable[bytes]:
        self.begun += 1
        yield b"body"


def response_to(port: int, sent: bytes) -> bytes:
    """All that comes until the server closes the connection."""
    with begin(port, sent) as connection:
        return b"".join(iter(lambda: connection.recv(2**16), b""))


def request(line: bytes, more: bytes = b"") -> bytes:
    return line + b" HTTP/1.1\r\nHost: localhost\r\n" + more + b"\r\n"


@pytest.mark.parametrize(
    ("path", "length"), [(b"/", b"5"), (b"/large-file", b"20971520"), (b"/unsized", None)]
)
def test_head_has_the_head_of_get_and_no_body(path: bytes, length: bytes | None) -> None:
    site = Sized()
    with serving(site) as (_, port):
        response = response_to(port, request(b"HEAD " + path, b"Connection: close\r\n"))
    head, _, body = response.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK") and body == b"" and site.begun == 0
    assert (length is None) == (b"Content-Length" not in head)
    assert length is None or b"Content-Length: " + length in head


def test_the_next_response_on_the_connection_begins_where_it_should(site: Site) -> None:
    with serving(site) as (_, port):
        both = response_to(port, request(b"HEAD /") + request(b"GET /", b"Connection: close\r\n"))
    first, second, body = both.split(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 200") and second.startswith(b"HTTP/1.1 200") and body == b"xxxxx"


@pytest.fixture
def site() -> Site:
    return Site()


UNREADABLE = {
    "a method in small letters": request(b"get /"),
    "a path that is not ASCII": request("GET /stüdies".encode()),
    "a space before the colon": request(b"GET /", b"Content-Length : 5\r\n"),
    "a zero byte": request(b"GET /", b"X: a\x00b\r\n"),
}


@pytest.mark.parametrize("sent", UNREADABLE.values(), ids=UNREADABLE)
def test_a_head_that_cannot_be_read_is_a_400(site: Site, sent: bytes) -> None:
    with serving(site) as (_, port):
        assert response_to(port, sent).startswith((b"HTTP/1.0 400 ", b"HTTP/1.1 400 "))
    assert site.lengths == []


def test_what_is_logged_of_a_client_has_no_address(site: Site) -> None:
    with serving(site) as (server, port), begin(port, b"GET"):
        until(lambda: bool(server.active_channels), within=5, what="it is connected")
        (client,) = server.active_channels.values()
        assert "127.0.0.1" not in repr(client)
