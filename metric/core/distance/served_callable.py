"""A callable for another process: `python -m metric.core.distance.served_callable MODULE:FUNCTION`.

Pictures come on the standard input, two at a time, and a line of JSON goes back for each. What the callable
prints goes to the standard error.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import signal
import sys
import threading
import time
from typing import IO, Any

import numpy as np


def load(name: str) -> Any:
    """The callable. Raises ValueError with the reason where there is none."""
    module, _, attribute = name.partition(":")
    try:
        loaded = importlib.import_module(module)
        for part in attribute.split("."):
            loaded = getattr(loaded, part)
    except (Exception, SystemExit) as error:  # the import of a stranger's module may raise anything
        raise ValueError(f"{name} cannot be imported ({one_line(error)})") from error
    if not callable(loaded):
        raise ValueError(f"{name} is not callable: it must take two H×W×3 uint8 arrays and return a number")
    return loaded


def as_number(answer: Any) -> float:
    """What a callable returned, as one number that float32 can hold. Raises ValueError with the reason."""
    try:
        result = np.asarray(answer)
    except Exception as error:  # a tensor that records gradients, lists of several lengths
        raise ValueError(f"it returned no number ({one_line(error)}): return a Python float") from error
    if result.size != 1 or result.dtype.kind not in "fiu":
        raise ValueError(f"it returned {result.dtype} of shape {result.shape}, not one number")
    value = float(result.reshape(-1)[0])
    if not abs(value) <= float(np.finfo(np.float32).max):
        raise ValueError(f"it returned {value} for a picture")
    return value


def one_line(error: BaseException) -> str:
    """An error's type and message, without line breaks: it stands in a row of a table."""
    return " ".join(f"{type(error).__name__}: {error}".split()).rstrip(":")


def serve(name: str, pictures: IO[bytes], replies: IO[bytes]) -> None:
    """Say whether the callable can be used and which way it points, then answer pairs until there are no more."""

    def reply(**words: Any) -> None:
        replies.write(json.dumps(words).encode() + b"\n")
        replies.flush()

    try:
        compare = load(name)
        reply(higher_is_better=bool(getattr(compare, "higher_is_better", False)))
    except ValueError as error:
        reply(reason=str(error))
        return
    while True:
        pair = [_picture(pictures) for _ in range(2)]
        if pair[1] is None:  # the other side has ended
            return
        try:
            value = compare(*pair)
        except BaseException as error:  # SystemExit and KeyboardInterrupt are its own too
            reply(reason=f"it failed on a picture ({one_line(error)})")
            continue
        try:
            reply(value=as_number(value))
        except ValueError as error:
            reply(reason=str(error))


def _picture(pictures: IO[bytes]) -> np.ndarray[Any, np.dtype[np.uint8]] | None:
    """The next one, as `own_process` sends it: its shape in a line, and its bytes. None at the end."""
    line = pictures.readline()
    if not line:
        return None
    shape = tuple(json.loads(line))
    content = pictures.read(math.prod(shape))
    if len(content) < math.prod(shape):
        return None
    return np.frombuffer(bytearray(content), dtype=np.uint8).reshape(shape)


def _end_with_the_parent(parent: int) -> None:
    """A callable that hangs does not outlive the process that it was started for, nor do those that it started."""
    while os.getppid() == parent:
        time.sleep(1)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def main() -> None:
    pictures, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    threading.Thread(target=_end_with_the_parent, args=(os.getppid(),), daemon=True).start()
    serve(sys.argv[1], pictures, replies)


if __name__ == "__main__":
    main()
