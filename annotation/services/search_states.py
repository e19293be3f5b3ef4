"""What a search in an encoder needs to go on after a kill, kept on the worker's own disk until its row has an end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from codecs_zoo.encode_progress import following

# A row that another machine took over leaves its state behind here; nobody needs it so many seconds later.
LEFT_BEHIND_AFTER = 7 * 24 * 3600.0


@contextmanager
def continuing(pk: int) -> Iterator[None]:
    """Encodes inside keep their state, and go on from the one that a killed worker left here for the same row.

    The state goes with the end of the row, whatever it is; only a kill leaves it.
    """
    folder: Path = settings.VAR_DIR / "cache" / "searches"
    folder.mkdir(parents=True, exist_ok=True)
    _forget_what_was_left(folder)
    state = folder / f"{pk}.search"
    try:
        with following(state=state):
            yield
    except Exception:
        state.unlink(missing_ok=True)
        raise
    state.unlink(missing_ok=True)


def _forget_what_was_left(folder: Path) -> None:
    for state in folder.glob("*.search"):
        try:
            if time.time() - state.stat().st_mtime > LEFT_BEHIND_AFTER:
                state.unlink()
        except FileNotFoundError:  # its own worker has just removed it
            continue
