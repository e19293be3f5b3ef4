"""Callables that users name, each in a process of its own: one that hangs, exits, crashes or prints harms nothing."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import weakref
from typing import IO, Any, cast

from imaging.pixels import Pixels

# Importing torch on a busy machine takes half a minute.
SECONDS_TO_START = 120.0


class ProcessFailed(Exception):
    """The callable has no value for a pair, or cannot be used; the message is the reason, for a row of a table."""


class OwnProcess:
    """The callable `module:function`, imported and called in another process, with this one's import path.

    The process starts here, and again after a pair at which it ended. Raises ProcessFailed for a name that leads to no
    callable.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._start()

    def _start(self) -> None:
        path = os.pathsep.join(place or os.getcwd() for place in sys.path)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "metric.core.distance.served_callable", self.name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
        self._end = weakref.finalize(self, _end, self._process)
        reply = self._reply(SECONDS_TO_START, "to be imported")
        self.higher_is_better = bool(reply["higher_is_better"])

    def value(self, reference: Pixels, distorted: Pixels, seconds: float) -> float:
        """What it returns for two pictures within so many seconds. Raises ProcessFailed."""
        if not self._end.alive:
            self._start()
        try:
            for picture in (reference, distorted):
                self._send(json.dumps(picture.shape).encode() + b"\n" + picture.tobytes())
        except OSError as error:
            raise self._ended() from error
        return float(self._reply(seconds, "for one pair")["value"])

    def _send(self, message: bytes) -> None:
        rest = memoryview(message)
        while rest:
            rest = rest[cast(IO[bytes], self._process.stdin).write(rest) :]

    def _reply(self, seconds: float, for_what: str) -> dict[str, Any]:
        output = cast(IO[bytes], self._process.stdout)
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            if not selector.select(seconds):
                self._end()
                raise ProcessFailed(f"it took more than {seconds:.0f} s {for_what}")
        line = output.readline()
        if not line:
            raise self._ended()
        reply: dict[str, Any] = json.loads(line)
        if "reason" in reply:
            raise ProcessFailed(reply["reason"])
        return reply

    def _ended(self) -> ProcessFailed:
        """What to raise where the process is gone."""
        status = self._process.wait()
        self._end()
        how = f"exit status {status}" if status >= 0 else signal.Signals(-status).name
        return ProcessFailed(f"it ended its process ({how})")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
