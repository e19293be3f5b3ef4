"""Pictures of pairs as files that the reverse proxy sends: Python checks the request, and names the file.

A picture is written as it goes to a screen at its first use, in a few versions whose bytes differ, and sent again
wherever it stands in a pair. The three places of a pair have versions of their own: no two files of a pair are equal,
and the original as a side is another file than the original in the middle. Names follow from a secret.
"""

import hashlib
import hmac
import os
import threading
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from annotation.services.pictures import SLOTS, Shown, Turns, shown_pictures
from imaging.files import write_atomic

# How many versions a picture has in each place of a pair.
VERSIONS = 4
BUCKET = "bucket"
# Copies unused for so long are deleted; the time of a copy is looked up again after KNOWN_FOR_S.
LIFETIME = timedelta(days=7)
KNOWN_FOR_S = 3600.0
MOST_KNOWN = 100_000
# Seconds for which an address in a bucket is good: the proxy uses it at once.
ADDRESS_LASTS_S = 60

_known: dict[str, float] = {}
_lock = threading.Lock()
_writing = Turns[None]()


def pictures_are_proxied() -> bool:
    """Whether the proxy sends pictures."""
    return bool(settings.PICTURES_BY_PROXY)


def address_of(assignment: UUID, slot: str) -> str:
    """What X-Accel-Redirect says for a slot of an assignment; the same file at every call.

    The first request for a pair writes all its files, so that its time does not say which of them were there.
    Raises Assignment.DoesNotExist, and errors of the store.
    """
    shown = shown_pictures(assignment)
    return _address({place: _copy(place, shown[place]) for place in SLOTS}[slot])


def _copy(place: str, shown: Shown) -> str:
    """The name of a picture's copy for a place, which is there now."""
    version = VERSIONS * SLOTS.index(place) + shown.seed % VERSIONS
    secret = f"{settings.SECRET_KEY}:pictures".encode()
    name = hmac.new(secret, f"{shown.name}:{version}".encode(), hashlib.sha256).hexdigest()[:40]
    key = f"{name[:2]}/{name}.png"
    if not _is_known(key):
        _writing.do(key, lambda: _keep(key, shown, seed=int(name[:15], 16)))
    return key


def _keep(key: str, shown: Shown, *, seed: int) -> None:
    if not _is_fresh(key):
        _write(key, shown.content(seed=seed))
    _remember(key)


def remove_unused() -> int:
    """Deletes the copies in the folder that were not used lately; returns how many. A bucket has a rule of its own."""
    if not pictures_are_proxied() or settings.PICTURES_BY_PROXY == BUCKET:
        return 0
    before = time.time() - LIFETIME.total_seconds()
    unused = [
        file for file in Path(settings.PICTURES_BY_PROXY).glob("??/*.png") if file.stat().st_mtime < before
    ]
    for file in unused:
        file.unlink(missing_ok=True)
    return len(unused)


def _is_known(key: str) -> bool:
    return _known.get(key, 0.0) > time.monotonic()


def _remember(key: str) -> None:
    with _lock:
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[key] = time.monotonic() + KNOWN_FOR_S


def _is_fresh(key: str) -> bool:
    """Whether the copy is there, and stays for as long as it will be known. In a folder this counts as a use."""
    try:
        if settings.PICTURES_BY_PROXY != BUCKET:
            os.utime(Path(settings.PICTURES_BY_PROXY) / key)
            return True
        return bool(default_storage.get_modified_time(f"shown/{key}") > timezone.now() - LIFETIME / 2)
    except FileNotFoundError:
        return False


def _write(key: str, content: bytes) -> None:
    if settings.PICTURES_BY_PROXY == BUCKET:
        default_storage.save(f"shown/{key}", ContentFile(content))
        return
    path = Path(settings.PICTURES_BY_PROXY) / key
    path.parent.mkdir(exist_ok=True)
    path.parent.chmod(0o755)
    write_atomic(path, content)
    path.chmod(0o644)  # the proxy is another user


def _address(key: str) -> str:
    if settings.PICTURES_BY_PROXY != BUCKET:
        return f"/_pictures/{key}"
    # The bucket's own address with its signature, for the proxy alone: a browser gets no address but ours.
    parts = urlsplit(default_storage.url(f"shown/{key}", expire=ADDRESS_LASTS_S))  # type: ignore[call-arg]
    return f"/_bucket/{parts.scheme}/{parts.netloc}{parts.path}?{parts.query}"
