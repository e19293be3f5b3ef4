"""A response as it leaves the web server: for HEAD, only its head."""

from collections.abc import Callable, Iterable
from typing import Any

from waitress.task import WSGITask

Application = Callable[..., Iterable[bytes]]


class Response(WSGITask):  # type: ignore[misc]
    """What an application sends; for HEAD without the last chunk, which would be read as part of the next response."""

    def finish(self) -> None:
        """Write what is still to be written."""
        if self.request.command == "HEAD":
            if not self.wrote_header:
                self.write(b"")
            self.chunked_response = False
        super().finish()


def without_body_for_head(application: Application) -> Application:
    """The application; for HEAD, its body is neither generated nor sent."""

    def respond(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = application(environ, start)
        if environ["REQUEST_METHOD"] != "HEAD":
            return body
        if close := getattr(body, "close", None):
            close()
        return []

    return respond
