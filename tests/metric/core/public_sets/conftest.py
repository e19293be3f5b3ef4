"""A server of sets, and lists of what it has."""

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


def zipped(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/"), text)
    return buffer.getvalue()


@dataclass
class Site:
    """What the server has, what was requested, and after how many bytes it hangs up."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: list[str | None] = field(default_factory=list)
    hang_up_after: int | None = None
    redirect: str = ""


@pytest.fixture
def site() -> Iterator[Site]:
    here = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here.ranges.append(self.headers.get("Range"))
            content = here.files.get(self.path)
            if here.redirect:
                self.send_response(302)
                self.send_header("Location", here.redirect)
                self.end_headers()
                return
            if content is None:
                self.send_error(404)
                return
            tag = f'"{hashlib.sha256(content).hexdigest()[:8]}"'
            start = 0
            if self.headers.get("Range") and self.headers.get("If-Range") == tag:
                start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            self.send_response(206 if start else 200)
            self.send_header("ETag", tag)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start : here.hang_up_after])

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        here.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield here
        server.shutdown()
        thread.join()


ANSWERS = zipped(labels__a_csv="source,a,b,choice\n")


def listed(
    tmp_path: Path, site: Site, *, sha256: str = "", terms: str = "", path: str = "/set.zip"
) -> list[str]:
    """Arguments of `fetch` for a list with one set called "ours"."""
    sets = tmp_path / "sets.toml"
    sets.write_text(
        f'[ours]\ntitle = "Ours"\npage = "p"\nlicence = "CC0"\nuse = "look at {{folder}}"\nterms = "{terms}"\n'
        f'[[ours.files]]\nurl = "{site.address}{path}"\nsha256 = "{sha256}"\nunpack = true\n'
    )
    return ["fetch", "ours", "--sets", str(sets), "--to", str(tmp_path / "to")]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
