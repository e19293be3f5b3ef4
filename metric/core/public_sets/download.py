"""A file from the network, in parts if need be: a download that was cut off continues where it ended."""

from __future__ import annotations

import http.client
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from metric.core.public_sets.sets import SetError

# Bytes that are there, and all of them; None where the server does not say.
Progress = Callable[[int, int | None], None]

TIMEOUT_SECONDS = 30
BLOCK = 1 << 20
AGAIN = "Run the same command again to continue."


def download(url: str, path: Path, progress: Progress) -> None:
    """Fetch `url` to `path`, continuing what is there of an earlier attempt if the server still has the same file.

    Raises SetError where it cannot be reached, ends early or does not fit on the disk; what has come stays.
    """
    tag = path.with_name(f"{path.name}.etag")
    have = path.stat().st_size if path.exists() and tag.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "closer", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", tag.read_text("utf-8"))
    try:
        with _opener().open(request, timeout=TIMEOUT_SECONDS) as answer:
            _receive(answer, url, path, tag, progress, have if answer.status == 206 else 0)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and have:  # there is no more of it, or it has changed: the hash decides
            return
        raise SetError(f"{url} answered {error.code} {error.reason}.") from error
    except (OSError, http.client.HTTPException) as error:
        raise SetError(f"{url} could not be fetched ({error}). {AGAIN}") from error


def _receive(
    answer: http.client.HTTPResponse, url: str, path: Path, tag: Path, progress: Progress, have: int
) -> None:
    length = answer.headers.get("Content-Length")
    total = have + int(length) if length and length.isdecimal() else None
    if total is not None and total - have > shutil.disk_usage(path.parent).free:
        raise SetError(f"{url} has {total - have:,} bytes, and {path.parent} has less room.")
    # Without a word by which the server knows its file again, nothing can be continued.
    if mark := answer.headers.get("ETag") or answer.headers.get("Last-Modified"):
        tag.write_text(mark, encoding="utf-8")
    else:
        tag.unlink(missing_ok=True)
    with path.open("ab" if have else "wb") as file:
        while block := answer.read(BLOCK):
            file.write(block)
            have += len(block)
            progress(have, total)
    if total is not None and have < total:
        raise SetError(f"{url} ended after {have:,} of {total:,} bytes. {AGAIN}")


class _StaySafe(urllib.request.HTTPRedirectHandler):
    """Follows redirections to HTTP addresses alone, and none from an encrypted one to a plain one."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        scheme = urlsplit(newurl).scheme
        if scheme != "https" and (scheme != "http" or urlsplit(req.full_url).scheme == "https"):
            fp.close()
            raise SetError(f"{req.full_url} leads to {newurl}, which is not followed.")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_StaySafe)
