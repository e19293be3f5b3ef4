"""Follow an encode that takes minutes: a report now and then, and a file from which it can go on after a stop.

A codec asks for the `current()` follower and tells it how far it is; who started the encode decides what becomes of
that. Nobody has to: without a follower nothing is reported or kept.

    with continuing(Path("photograph.clz.search"), report=print):
        codec.encode(pixels, bpp=0.37, effort=3)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from codecs_zoo.rate import RateError

KEEP_EVERY = 20.0
"""Seconds between two states, at least."""


@dataclass(frozen=True)
class Progress:
    """How far an encode is: `done` of `planned` iterations, and bits per pixel and PSNR (dB) as they are."""

    done: int
    planned: int
    bpp: float
    psnr: float


@dataclass
class Follower:
    """What becomes of progress and state."""

    report: Callable[[Progress], None] = lambda progress: None
    state: Path | None = None
    _kept: float = field(default_factory=time.monotonic)

    def is_due(self) -> bool:
        """Whether a state should be kept now."""
        return self.state is not None and time.monotonic() - self._kept > KEEP_EVERY

    def kept(self) -> None:
        """A state has been written."""
        self._kept = time.monotonic()


_follower: ContextVar[Follower | None] = ContextVar("follower", default=None)


def current() -> Follower:
    """The follower of this context, or one that does nothing."""
    return _follower.get() or Follower()


@contextmanager
def following(
    report: Callable[[Progress], None] = lambda progress: None, state: Path | None = None
) -> Iterator[None]:
    """Encodes inside tell `report`, keep what they need to go on in `state`, and go on from it if it is theirs."""
    token = _follower.set(Follower(report, state))
    try:
        yield
    finally:
        _follower.reset(token)


@contextmanager
def continuing(state: Path, report: Callable[[Progress], None] = lambda progress: None) -> Iterator[None]:
    """As `following`; the state goes once the encodes inside are done, or once they cannot be made at all.

    After a kill, and after any other failure, it stays for the next attempt. What was there before is not removed
    because of a rate out of reach: it may be another search's.
    """
    is_ours = not state.exists()
    try:
        with following(report, state):
            yield
    except RateError:
        if is_ours:
            state.unlink(missing_ok=True)
        raise
    state.unlink(missing_ok=True)
