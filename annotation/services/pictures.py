"""The pictures of a pair as they go to a screen: every file as long as any other of its size, none like another.

What is stored is compressed, so that it says how smooth a picture is; and the same reconstruction stands in several
pairs, on both sides of an identical one, and again in a repeat. So each side of each assignment gets bytes of its own.
The time that a file takes says nothing either: the first request for a pair reads all its pictures. A picture that is
seldom shown, as those of checks are, would come later than one that was read for another pair.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.core.files.storage import default_storage

from annotation.models import Assignment
from codecs_zoo.contract import Pixels
from imaging.png import decode_png, plain_png

# Decoded pictures that one process keeps: about a hundred of the usual size.
CACHE_BYTES = 64 * 2**20
SLOTS = ("left", "original", "right")

Result = TypeVar("Result")


@dataclass(frozen=True)
class Shown:
    """What stands in a slot of an assignment.

    Attributes:
        name: the stored picture.
        pair: all pictures of the assignment.
        seed: a number that is the slot's own.
    """

    name: str
    pair: tuple[str, ...]
    seed: int

    def content(self, *, seed: int) -> bytes:
        """The PNG file for a screen; other bytes for another seed."""
        return plain_png(_cache.pixels(self.name, pair=self.pair), seed=seed)


def shown_pictures(assignment: UUID) -> dict[str, Shown]:
    """What stands in each slot. Raises Assignment.DoesNotExist where there is no such pair, or its time is over."""
    images = ("triplet__first__image", "triplet__second__image", "triplet__source__image")
    row = Assignment.objects.viewable().values_list("first_on_left", *images).get(pk=assignment)
    first_on_left, first, second, source = row
    names = (first, source, second) if first_on_left else (second, source, first)
    return {
        slot: Shown(name, (first, second, source), _seed(assignment, slot))
        for slot, name in zip(SLOTS, names, strict=True)
    }


def picture_bytes(assignment: UUID, slot: str) -> bytes:
    """The PNG file of a slot of an assignment; the same at every call. Raises Assignment.DoesNotExist."""
    shown = shown_pictures(assignment)[slot]
    return shown.content(seed=shown.seed)


def _seed(assignment: UUID, slot: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{assignment}:{slot}".encode()).digest()[:8], "big")


def read_stored(name: str) -> bytes:
    """The content of a stored file, by one request where the store can do that."""
    whole: Any = getattr(default_storage, "read_whole", None)
    if whole:
        return bytes(whole(name))
    with default_storage.open(name, "rb") as file:
        return bytes(file.read())


class Turns(Generic[Result]):
    """Work that several threads need at once is done by one of them; the others get its result, or its error."""

    def __init__(self) -> None:
        self._running: dict[str, Future[Result]] = {}
        self._lock = threading.Lock()

    def do(self, name: str, work: Callable[[], Result]) -> Result:
        """What `work` returns or raises, which is the same for each thread that asks by this name meanwhile."""
        with self._lock:
            others = self._running.get(name)
            mine = self._running.setdefault(name, Future())
        if others is not None:
            return others.result()
        try:
            mine.set_result(work())
        except BaseException as error:
            mine.set_exception(error)
        finally:
            with self._lock:
                del self._running[name]
        return mine.result()


class PixelCache:
    """The pixels of stored pictures, which never change: those requested last.

    Those of a pair are kept together or, where three of their size have no room, not at all.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most, self._bytes = most_bytes, 0
        self._rows: OrderedDict[str, Pixels] = OrderedDict()
        self._lock = threading.Lock()
        self._reading = Turns[Pixels]()

    def pixels(self, name: str, *, pair: Iterable[str] = ()) -> Pixels:
        """uint8 HxWx3 of a stored PNG, once the others of its `pair` are here too; not to be written to."""
        pixels = self._one(name)
        if self._has_room_for_pairs_of(pixels):
            for other in pair:
                self._one(other)
        return pixels

    def _one(self, name: str) -> Pixels:
        with self._lock:
            if name in self._rows:
                self._rows.move_to_end(name)
                return self._rows[name]
        return self._reading.do(name, lambda: self._read(name))

    def _read(self, name: str) -> Pixels:
        pixels = decode_png(read_stored(name))  # without the lock: it may take as long as a network does
        with self._lock:
            if name not in self._rows and self._has_room_for_pairs_of(pixels):
                self._rows[name] = pixels
                self._bytes += pixels.nbytes
            while self._bytes > self._most:
                self._bytes -= self._rows.popitem(last=False)[1].nbytes
        return pixels

    def _has_room_for_pairs_of(self, pixels: Pixels) -> bool:
        return len(SLOTS) * pixels.nbytes <= self._most


_cache = PixelCache(CACHE_BYTES)
