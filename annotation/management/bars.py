"""Progress of long work in a terminal."""

import sys
from typing import Any

from tqdm import tqdm


class Bars:
    """A progress bar for each stage, on stderr where that is a terminal."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None
        self._stage = ""

    def __enter__(self) -> "Bars":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, stage: str, done: int, total: int) -> None:
        if self._bar is None or self._stage != stage:
            self.__exit__()
            self._stage = stage
            self._bar = tqdm(total=total, desc=stage, disable=None, file=sys.stderr)
        self._bar.total = total
        self._bar.update(done - self._bar.n)
