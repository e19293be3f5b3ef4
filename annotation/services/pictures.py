"""The pictures of a pair as they go to a screen: every file as long as any other of its size, none like another.

What is stored is compressed, so that it says how smooth a picture is; and the same reconstruction stands in several
pairs, on both sides of an identical one, and again in a repeat. So each side of each assignment gets bytes of its own.
"""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.files.storage import default_storage

from annotation.models import Assignment
from codecs_zoo.contract import Pixels
from imaging.png import decode_png, plain_png

# Decoded pictures that one process keeps: about a hundred of the usual size.
CACHE_BYTES = 64 * 2**20
NAMES = {
    "left": ("triplet__first__image", "triplet__second__image"),
    "right": ("triplet__second__image", "triplet__first__image"),
    "original": ("triplet__source__image",) * 2,
}


@dataclass(frozen=True)
class Shown:
    """What stands in a slot of an assignment: the `name` of the stored picture, and a number that is the slot's own."""

    name: str
    seed: int

    def content(self, *, seed: int) -> bytes:
        """The PNG file for a screen; other bytes for another seed."""
        return plain_png(_cache.pixels(self.name), seed=seed)


def shown_picture(assignment: UUID, slot: str) -> Shown:
    """What stands in a slot. Raises Assignment.DoesNotExist where there is no such pair, or its time is over."""
    first, second = NAMES[slot]
    rows = Assignment.objects.viewable().values_list("first_on_left", first, second)
    first_on_left, name, other = rows.get(pk=assignment)
    digest = hashlib.sha256(f"{assignment}:{slot}".encode()).digest()
    return Shown(name if first_on_left else other, int.from_bytes(digest[:8], "big"))


def picture_bytes(assignment: UUID, slot: str) -> bytes:
    """The PNG file of a slot of an assignment; the same at every call. Raises Assignment.DoesNotExist."""
    shown = shown_picture(assignment, slot)
    return shown.content(seed=shown.seed)


def read_stored(name: str) -> bytes:
    """The content of a stored file, by one request where the store can do that."""
    whole: Any = getattr(default_storage, "read_whole", None)
    if whole:
        return bytes(whole(name))
    with default_storage.open(name, "rb") as file:
        return bytes(file.read())


class PixelCache:
    """The pixels of stored pictures, which never change: those requested last."""

    def __init__(self, most_bytes: int) -> None:
        self._most, self._bytes = most_bytes, 0
        self._rows: OrderedDict[str, Pixels] = OrderedDict()
        self._lock = threading.Lock()

    def pixels(self, name: str) -> Pixels:
        """uint8 HxWx3 of a stored PNG; not to be written to."""
        with self._lock:
            if name in self._rows:
                self._rows.move_to_end(name)
                return self._rows[name]
        pixels = decode_png(read_stored(name))  # without the lock: it may take as long as a network does
        with self._lock:
            if name not in self._rows and pixels.nbytes <= self._most:
                self._rows[name] = pixels
                self._bytes += pixels.nbytes
            while self._bytes > self._most:
                self._bytes -= self._rows.popitem(last=False)[1].nbytes
        return pixels


_cache = PixelCache(CACHE_BYTES)
