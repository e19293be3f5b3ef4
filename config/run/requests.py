"""A request as it arrives at the web server, with a large body only of a sender who may send one."""

from typing import Any

from waitress.parser import HTTPRequestParser

from config.limits import DISCARDED, STRANGERS_MOST_BYTES

# Headers that identify the sender.
SENDER_HEADERS = {"AUTHORIZATION", "COOKIE", "HOST"}


class Request(HTTPRequestParser):  # type: ignore[misc]
    """A request as it arrives. A large body is kept only of a sender who was admitted: Django refuses its length.

    Attributes:
        admitted: whether the sender may send a large body; None before that was checked.
        is_undecided: whether the body waits for that answer.
    """

    completed: bool
    expect_continue: bool
    admitted: bool | None = None
    is_undecided = False
    _expects = False

    def received(self, data: bytes) -> int:
        """Take in the next bytes; returns how many belong to this request."""
        consumed: int = super().received(data)
        if self.headers_finished and not self.completed and not self.admitted and self._is_large():
            if self.claims_to_be_known():
                # No `100 Continue` has been sent yet, either.
                self.is_undecided, self._expects = True, self._expects or self.expect_continue
                self.expect_continue = False
            else:
                self.discard()
        return consumed

    def claims_to_be_known(self) -> bool:
        """Whether there is a token or a session to look up."""
        return "AUTHORIZATION" in self.headers or "sessionid=" in self.headers.get("COOKIE", "")

    def decide(self, admitted: bool) -> None:
        """Let the body come, or discard it."""
        self.admitted, self.is_undecided = admitted, False
        self.expect_continue = admitted and self._expects
        if not admitted:
            self.discard()

    def discard(self) -> None:
        """Keep nothing of the body, and read no more of it: the request is complete without."""
        self.close()
        self.body_rcv = None
        self.headers.setdefault("CONTENT_LENGTH", str(self.body_bytes_received))
        self.headers[DISCARDED.removeprefix("HTTP_")] = "1"
        self.expect_continue = False
        self.connection_close = self.completed = True

    def head(self) -> dict[str, Any]:
        """What its head says, as WSGI names it, as far as that tells who sends and what for."""
        return {
            "REQUEST_METHOD": self.command.upper(),
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path,
            "QUERY_STRING": self.query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            **{f"HTTP_{name}": value for name, value in self.headers.items() if name in SENDER_HEADERS},
        }

    def _is_large(self) -> bool:
        return bool(max(self.content_length, self.body_bytes_received) > STRANGERS_MOST_BYTES)
