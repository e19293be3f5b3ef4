"""What a search in an encoder needs to go on after a kill, kept on the worker's own disk until the row is made."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from codecs_zoo.encode_progress import continuing

# A row that failed, or that another machine took over, leaves its state here; nobody needs it so many seconds later.
LEFT_BEHIND_AFTER = 7 * 24 * 3600.0


@contextmanager
def continuing_row(pk: int) -> Iterator[None]:
    """Encodes inside keep their state, and go on from the one that an attempt of the same row left on this machine."""
    folder: Path = settings.VAR_DIR / "cache" / "searches"
    folder.mkdir(parents=True, exist_ok=True)
    _forget_what_was_left(folder)
    with continuing(folder / f"{pk}.search"):
        yield


def _forget_what_was_left(folder: Path) -> None:
    for state in folder.glob("*.search"):
        try:
            if time.time() - state.stat().st_mtime > LEFT_BEHIND_AFTER:
                state.unlink()
        except FileNotFoundError:  # its own worker has just removed it
            continue
