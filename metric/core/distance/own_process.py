"""Callables that users name, each in a process of its own: one that hangs, exits, crashes or prints harms nothing."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
import weakref
from contextlib import suppress
from typing import IO, Any, cast

from imaging.pixels import Pixels

# Importing torch on a busy machine takes half a minute.
SECONDS_TO_START = 120.0
# From the end of its pipe to that of the process.
SECONDS_TO_END = 5.0


class ProcessFailed(Exception):
    """The callable has no value for a pair, or cannot be used; the message is the reason, for a row of a table."""


class OwnProcess:
    """The callable `module:function`, imported and called in another process, with this one's import path.

    The process starts here, and again after a pair at which it ended. It leads a group: those that the callable starts
    end with it. Raises ProcessFailed for a name that leads to no callable.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._start()

    def _start(self) -> None:
        path = os.pathsep.join(place or os.getcwd() for place in sys.path)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "metric.core.distance.served_callable", self.name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, start_new_session=True,
            env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
        os.set_blocking(_pipe(self._process.stdin).fileno(), False)
        self._end = weakref.finalize(self, _end, self._process, os.getpid())
        try:
            reply = self._reply(_Limit(SECONDS_TO_START, "to be imported"))
        except ProcessFailed:
            self._end()
            raise
        self.higher_is_better = bool(reply["higher_is_better"])

    def value(self, reference: Pixels, distorted: Pixels, seconds: float) -> float:
        """What it returns for two pictures within so many seconds. Raises ProcessFailed."""
        if not self._end.alive:
            self._start()
        limit = _Limit(seconds, "for one pair")
        try:
            for picture in (reference, distorted):
                self._send(json.dumps(picture.shape).encode() + b"\n" + picture.tobytes(), limit)
        except OSError as error:
            raise self._ended() from error
        return float(self._reply(limit)["value"])

    def _send(self, message: bytes, limit: _Limit) -> None:
        pipe, rest = _pipe(self._process.stdin), memoryview(message)
        while rest:
            self._wait(pipe, selectors.EVENT_WRITE, limit)
            rest = rest[pipe.write(rest) or 0 :]

    def _reply(self, limit: _Limit) -> dict[str, Any]:
        pipe = _pipe(self._process.stdout)
        self._wait(pipe, selectors.EVENT_READ, limit)
        line = pipe.readline()
        if not line:
            raise self._ended()
        reply: dict[str, Any] = json.loads(line)
        if "reason" in reply:
            raise ProcessFailed(reply["reason"])
        return reply

    def _wait(self, pipe: IO[bytes], event: int, limit: _Limit) -> None:
        """Until the pipe is ready. Ends the process, and raises ProcessFailed, where it is not within the limit."""
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, event)
            if not selector.select(limit.rest()):
                self._end()
                raise ProcessFailed(f"it took more than {limit.seconds:.0f} s {limit.for_what}")

    def _ended(self) -> ProcessFailed:
        """What to raise where the process, or its pipe, is gone."""
        try:
            status = self._process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            return ProcessFailed("it closed the pipe of its process")
        finally:
            self._end()
        how = f"exit status {status}" if status >= 0 else signal.Signals(-status).name
        return ProcessFailed(f"it ended its process ({how})")


class _Limit:
    """So many seconds from now on, and what they are for."""

    def __init__(self, seconds: float, for_what: str) -> None:
        self.seconds, self.for_what = seconds, for_what
        self._until = time.monotonic() + seconds

    def rest(self) -> float:
        """Seconds that are left, 0 at least."""
        return max(0.0, self._until - time.monotonic())


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    return cast(IO[bytes], pipe)


def _end(process: subprocess.Popen[bytes], owner: int) -> None:
    """Ends the process and its group; does nothing in a fork of the process that started it."""
    if os.getpid() != owner:
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
