"""A client of the API for notebooks and scripts. It needs the standard library only, and no settings of Django.

    from annotation.client import Closer

    closer = Closer("http://127.0.0.1:8000", token="…")     # a token from the page Account
    study = closer.create("laboratory", "Six codecs")
    study.add_photograph("sunset.png", licence="CC BY 4.0")
    study.open()
    print(study.progress()["meters"]["judged"]["words"])
    study.save_figure("ranking-at-0.37", "pdf", "ranking.pdf")

What the server refuses is a Refusal with its sentence. `get` and `post` reach every other endpoint (docs/api.md). A
server that sends nothing for five minutes ends a call with TimeoutError.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

Send = Callable[[Request], Any]
Files = Mapping[str, str | Path]
# Some figures take minutes; a server that is gone must not hold a notebook.
SILENCE_S = 300.0


class _NoRedirects(HTTPRedirectHandler):
    """urllib would send the token to whichever host a redirect names, and what was posted not at all."""

    def redirect_request(self, *redirect: Any) -> None:
        """None: the redirect is an error."""


_open_once: Send = partial(build_opener(_NoRedirects).open, timeout=SILENCE_S)


class Refusal(Exception):
    """An answer other than 2xx: its status, the code for programs, and all that the server sent with it."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(body.get("detail") or f"The server answered {status}.")
        self.status, self.code, self.body = status, str(body.get("code", "")), body


class Closer:
    """A site, with the rights of a token's researcher. `send` opens a request, as urllib's urlopen does."""

    def __init__(self, site: str, token: str, *, send: Send = _open_once) -> None:
        self._root, self._token, self._send = f"{site.rstrip('/')}/api/v1/", token, send

    def get(self, path: str, **query: str | float) -> Any:
        """The JSON at a path below /api/v1/. Raises Refusal."""
        return json.loads(self.content(path, **query))

    def post(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        files: Files | None = None,
        method: str = "POST",
    ) -> Any:
        """Sends JSON, or a form where there are files; the JSON of the answer, None where it has none.

        Raises Refusal.
        """
        data, kind = (
            _form(body or {}, files) if files else (json.dumps(body or {}).encode(), "application/json")
        )
        content = self._open(path, data, method, {"Content-Type": kind})
        return json.loads(content) if content else None

    def content(self, path: str, **query: str | float) -> bytes:
        """The bytes at a path: a figure, a table, an archive. Raises Refusal."""
        return self._open(f"{path}?{urlencode(query)}" if query else path, None, "GET", {})

    def studies(self) -> list[dict[str, Any]]:
        """Every study that you may see, newest first."""
        rows: list[dict[str, Any]] = []
        page = self.get("studies/")
        while True:
            rows += page["results"]
            if not page["next"]:
                return rows
            page = self.get(page["next"].partition("/api/v1/")[2])

    def study(self, slug: str) -> "Study":
        """A study by the last part of its address; nothing is sent yet."""
        return Study(self, slug)

    def create(self, preset: str, name: str, title: str = "") -> "Study":
        """A draft from a preset: laboratory, panel, … (GET studies/presets/). Raises Refusal."""
        made = self.post("studies/", {"preset": preset, "name": name, **({"title": title} if title else {})})
        return Study(self, made["slug"])

    def create_from_file(self, file: str | Path, archive: str | Path | None = None) -> "Study":
        """A draft from a study file (TOML), with a zip of the files that it names by path. Raises Refusal."""
        made = self.post("studies/", files={"file": file, **({"archive": archive} if archive else {})})
        return Study(self, made["slug"])

    def _open(self, path: str, data: bytes | None, method: str, headers: dict[str, str]) -> bytes:
        request = Request(
            self._root + path, data, headers | {"Authorization": f"Token {self._token}"}, method=method
        )
        try:
            with self._send(request) as answer:
                return bytes(answer.read())
        except HTTPError as error:
            raise Refusal(error.code, _object(error.read()) or _redirect(error)) from error


class Study:
    """A study of a site; each method is one endpoint below studies/SLUG/ and raises Refusal."""

    def __init__(self, closer: Closer, slug: str) -> None:
        self.closer, self.slug = closer, slug

    def get(self, path: str = "", **query: str | float) -> Any:
        """The JSON below the study."""
        return self.closer.get(self._path(path), **query)

    def post(self, path: str, body: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """Sends JSON or files below the study."""
        return self.closer.post(self._path(path), body, **options)

    def save(self, path: str, to: str | Path, **query: str | float) -> Path:
        """Writes what is below the study to a file; returns where."""
        content = self.closer.content(self._path(path), **query)
        Path(to).write_bytes(content)
        return Path(to)

    def add_photograph(self, file: str | Path, *, licence: str = "", attribution: str = "") -> Any:
        """Adds a photograph to a draft."""
        words = {"licence": licence, "attribution": attribution}
        return self.post("photographs/", words, files={"photograph": file})

    def add_pictures(self, archive: str | Path, *, allow_missing: bool = False) -> Any:
        """Adds own pictures, a zip as docs/studies.md lays it out, to a draft: all of them or none."""
        return self.post("pictures/", {"allow_missing": allow_missing}, files={"archive": archive})

    def open(self) -> Any:
        """Opens a draft or a paused study."""
        return self.post("state/", {"state": "open"})

    def pause(self) -> Any:
        """Pauses an open study."""
        return self.post("state/", {"state": "paused"})

    def close(self) -> Any:
        """Closes the study permanently."""
        return self.post("state/", {"state": "closed"})

    def copy(self, name: str = "") -> "Study":
        """A draft with the same rules, photographs and pictures."""
        return Study(self.closer, self.post("copy/", {"name": name} if name else {})["slug"])

    def delete(self) -> None:
        """Deletes a draft."""
        self.post("delete/")

    def progress(self) -> Any:
        """How far encoding, judging and people are."""
        return self.get("progress/")

    def flags(self) -> Iterator[dict[str, Any]]:
        """The pairs that annotators flagged with their flags, the newest pair first, read a page at a time."""
        page = self.get("flags/")
        yield from page["pairs"]
        while page["next"]:
            page = self.closer.get(page["next"].partition("/api/v1/")[2])
            yield from page["pairs"]

    def results(self, population: str = "people") -> Any:
        """Rankings, differences and agreement; `population` is people or simulated."""
        return self.get("results/", population=population)

    def figures(self, population: str = "people") -> list[dict[str, Any]]:
        """The figures and tables that can be saved, with their forms; `population` as for results."""
        return list(self.get("figures/", population=population)["figures"])

    def save_figure(self, name: str, form: str, to: str | Path, **query: str | float) -> Path:
        """Writes a figure or table as svg, pdf, csv or tex."""
        return self.save(f"figures/{quote(name)}.{form}", to, **query)

    def save_paper_pack(self, to: str | Path, **query: str | float) -> Path:
        """Writes the paper pack, a zip."""
        return self.save("paper-pack/", to, **query)

    def save_judgments(self, to: str | Path) -> Path:
        """Writes every judgment as CSV."""
        return self.save("judgments/", to)

    def _path(self, path: str) -> str:
        return f"studies/{quote(self.slug)}/{path}"


def _object(content: bytes) -> dict[str, Any]:
    """The JSON object of a refusal; {} where a proxy or a page answered."""
    try:
        value = json.loads(content)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _redirect(error: HTTPError) -> dict[str, Any]:
    """What to do about a redirect; {} where the answer is none."""
    address = error.headers.get("Location")
    return {"detail": f"The server redirects to {address}: use that address."} if address else {}


def _form(fields: Mapping[str, Any], files: Files) -> tuple[bytes, str]:
    """A multipart form of plain fields and files, and its media type."""
    boundary, parts = uuid.uuid4().hex, []
    for name, value in fields.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        parts.append(f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode())
    for name, file in files.items():
        shown = Path(file).name.replace('"', "%22")
        head = f'Content-Disposition: form-data; name="{name}"; filename="{shown}"\r\n\r\n'
        parts.append(head.encode() + Path(file).read_bytes() + b"\r\n")
    begin = f"--{boundary}\r\n".encode()
    body = b"".join(begin + part for part in parts) + f"--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"
