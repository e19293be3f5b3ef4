"""Distances and vectors that a study's runs computed, kept in the project's storage for every worker.

A worker's own cache (`VAR_DIR/cache/features`) is filled before a run with what earlier runs stored, on whatever
machine, and gives back what it computed. Entries are known by the pixels of their pictures and by the code and weights
that computed them, so that a changed formula or other weights find nothing. Packs are only ever added; when there are
many, they are merged into one.
"""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import structlog
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from annotation.models import Study
from annotation.transient import is_transient
from metric.core.distance.cache import Vector, VectorCache, content_key
from metric.core.distance.packs import PackError, pack, unpack

log = structlog.get_logger(__name__)

Say = Callable[[str], None]
Result = TypeVar("Result")

FOLDER = "vectors"
MOST_PACKS = 16
# Of one study in storage; when packs are merged, the oldest entries beyond it go.
MOST_BYTES = 1_000_000_000
# What a worker computed is stored at least so often: all that is lost when it is killed.
SECONDS = 300.0
# Marks a pack as read by this machine.
READ = np.empty(0, dtype=np.float32)


def local_folder() -> Path:
    """This machine's own cache."""
    folder: Path = settings.VAR_DIR / "cache" / "features"
    return folder


@contextmanager
def shared_vectors(*, study: Study, say: Say) -> Iterator[VectorCache]:
    """The worker's cache with all that runs on the study's photographs stored; what is new is stored at the end.

    Damaged packs and entries are reported, and computed again. So is a storage that is away; it stops nothing.
    """
    with closing(VectorCache(local_folder())) as cache:
        _fetch(cache, study, say)
        keeper = _Keeper(study, say, cache.newest())
        try:
            yield cache
        finally:
            keeper.end()
            _merge_if_many(study, say)


class _Keeper:
    """Stores what any process on this machine put into the cache since `place`: now and then, and at the end."""

    def __init__(self, study: Study, say: Say, place: int) -> None:
        self._study, self._say, self._place = study, say, place
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._now_and_then, daemon=True, name=f"vectors-{study.pk}")
        self._thread.start()

    def end(self) -> None:
        """Stores the rest."""
        self._ended.set()
        self._thread.join()
        self._store()

    def _now_and_then(self) -> None:
        try:
            while not self._ended.wait(SECONDS):
                self._store()
        finally:
            connection.close()  # this thread's own, on which it may have reported something

    def _store(self) -> None:
        with closing(VectorCache(local_folder())) as cache:
            newest = cache.newest()
            entries = cache.stored_after(self._place if newest >= self._place else 0)
            entries = {key: vector for key, vector in entries.items() if vector.size}
            if entries and _attempt(self._say, lambda: _save(cache, self._study, entries)) is None:
                return
            self._place = newest


def _fetch(cache: VectorCache, study: Study, say: Say) -> None:
    """Puts the packs that this machine has not read yet into its cache."""
    names = _attempt(say, lambda: _packs_about(study)) or []
    mark = {name: content_key("pack", name) for name in names}
    read = cache.get_many(list(mark.values()))
    fetched = 0
    for name in names:
        if mark[name] in read:
            continue
        entries = _read(name, say)
        if entries is not None:
            cache.put(entries | {mark[name]: READ})
            fetched += len(entries)
    if fetched:
        say(f"{fetched} distances and vectors of earlier runs came from storage")


def _read(name: str, say: Say) -> dict[str, Vector] | None:
    """The sound entries of a pack; None for one that cannot be read now, or was merged meanwhile."""
    try:
        content = _attempt(say, lambda: _content(name))
        if content is None:
            return None
        entries, damaged = unpack(content)
    except FileNotFoundError:
        return None
    except PackError as error:
        say(f"{name} is damaged ({error}): its contents are computed again")
        return {}
    if damaged:
        say(f"{damaged} of {damaged + len(entries)} entries of {name} are damaged and are computed again")
    return entries


def _content(name: str) -> bytes:
    with default_storage.open(name, "rb") as file:
        return bytes(file.read())


def _packs_about(study: Study) -> list[str]:
    """Packs of this study and of all that share a photograph with it, the oldest first."""
    shared = Study.objects.filter(sources__studies=study).values_list("pk", flat=True).distinct()
    names = [f"{_folder(pk)}/{name}" for pk in {study.pk, *shared} for name in _names(pk)]
    return sorted(names, key=lambda name: name.rpartition("/")[2])


def _names(pk: int) -> list[str]:
    try:
        return sorted(name for name in default_storage.listdir(_folder(pk))[1] if name)
    except FileNotFoundError:
        return []


def _folder(pk: int) -> str:
    return f"{FOLDER}/study-{pk}"


def _save(cache: VectorCache, study: Study, entries: dict[str, Vector]) -> str:
    """One more pack, which this machine need not read again; its name."""
    name = f"{_folder(study.pk)}/{timezone.now():%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}.pack"
    saved = default_storage.save(name, ContentFile(pack(entries)))
    cache.put({content_key("pack", saved): READ})
    return saved


def _merge_if_many(study: Study, say: Say) -> None:
    """One pack in the place of many, the newest entries first, up to MOST_BYTES."""
    with closing(VectorCache(local_folder())) as cache:
        _attempt(say, lambda: _merge(cache, study, say))


def _merge(cache: VectorCache, study: Study, say: Say) -> None:
    names = _names(study.pk)
    if len(names) <= MOST_PACKS:
        return
    read = {name: _read(f"{_folder(study.pk)}/{name}", say) for name in reversed(names)}
    kept: dict[str, Vector] = {}
    room = MOST_BYTES
    for entries in read.values():
        for key, vector in reversed((entries or {}).items()):
            if key not in kept and vector.nbytes <= room:
                kept[key] = vector
                room -= vector.nbytes
    _save(cache, study, dict(reversed(kept.items())))
    for name in (name for name, entries in read.items() if entries is not None):
        default_storage.delete(f"{_folder(study.pk)}/{name}")


def _attempt(say: Say, work: Callable[[], Result]) -> Result | None:
    """What it gives; None for a storage that is away or full, which costs time later and not the run."""
    try:
        return work()
    except FileNotFoundError:
        raise
    except Exception as error:
        if not (is_transient(error) or isinstance(error, OSError)):
            raise
        log.warning("vectors not shared", error=f"{type(error).__name__}: {error}")
        say(
            "the storage of distances and vectors is not available: anything not cached on this machine "
            "is computed again"
        )
        return None
