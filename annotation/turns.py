"""Writers of the embedded database in one line: who came first is first.

SQLite lets one transaction write at a time, and whoever finds it taken sleeps and looks again, ever more rarely: under
load some are overtaken for seconds. The threads of a web process wait here instead, in their order, and are woken the
moment it is their turn. Other databases have queues of their own, and other processes are few.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


class Line:
    """A lock that is handed over in the order in which it was asked for; a thread may take it again while it has it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._holder: int | None = None
        self._depth = 0

    def enter(self) -> None:
        """Wait for one's turn."""
        me = threading.get_ident()
        with self._guard:
            if self._holder in (None, me):
                self._holder, self._depth = me, self._depth + 1
                return
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait()  # whoever leaves has made us the holder of one turn
        self._holder = me

    def leave(self) -> None:
        """Hand it to whoever has waited longest."""
        with self._guard:
            self._depth -= 1
            if self._depth:
                return
            self._holder = None
            if self._waiting:
                # Taken for the one that is woken, so that nobody comes in between.
                self._holder, self._depth = -1, 1
                self._waiting.popleft().set()


_line = Line()


@contextmanager
def atomic_in_turn() -> Iterator[None]:
    """A transaction that writes, begun when it is this thread's turn."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    _line.enter()
    try:
        with transaction.atomic():
            yield
    finally:
        _line.leave()
