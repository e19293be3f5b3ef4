"""When to start a dead part again, and when to give up."""

import time
from collections.abc import Callable

from config.run.processes.child import Child

# A part that dies this often before everything is up will not get well by being started once more.
TRIES_TO_START = 3
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
# A part that lived this long, in seconds, is no longer one that dies at once: the delays begin anew.
CALM = 30.0


class SupervisorError(RuntimeError):
    """The system could not be started or kept up; the message says why and what to do."""


class Kept:
    """A child with what is known about its health.

    Attributes:
        deaths: how often it died.
        ready: whether it has answered its check since it was last started.
    """

    def __init__(self, child: Child, say: Callable[[str], None]) -> None:
        self.child = child
        self.deaths = 0
        self.ready = False
        self._say = say
        self._delay = FIRST_DELAY
        self._due: float | None = None
        self._why_not_ready = "it was not asked yet"

    @property
    def name(self) -> str:
        """The part's name."""
        return self.child.part.name

    def tend(self) -> None:
        """Notice a death, start again when that is due, and ask whether it is ready."""
        if self._due is not None and time.monotonic() >= self._due:
            self._due = None
            self.child.start()
        how = self.child.how_it_died()
        if how is not None:
            self._plan_restart(how)
        elif not self.ready and self.child.pid is not None:
            self._ask()

    def give_up_if_hopeless(self, *, late: bool) -> None:
        """Raise SupervisorError when it keeps dying, or is not ready although it is `late`."""
        if self.deaths >= TRIES_TO_START:
            raise SupervisorError(f"{self.name} does not start: {self._end_of_log()}")
        if late and not self.ready:
            raise SupervisorError(
                f"{self.name} is still not ready: {self._why_not_ready}; {self._end_of_log()}"
            )

    def _plan_restart(self, how: str) -> None:
        if time.monotonic() - self.child.started_at > CALM:
            self._delay = FIRST_DELAY
        self.deaths += 1
        self.ready = False
        self._due = time.monotonic() + self._delay
        self._say(f"{self.name}: died ({how}), starts again in {self._delay:g} s; its log: {self.child.log}")
        self._delay = min(2 * self._delay, LONGEST_DELAY)

    def _ask(self) -> None:
        self._why_not_ready = self.child.part.ready()
        self.ready = not self._why_not_ready
        if self.ready:
            self._say(f"{self.name}: ready after {time.monotonic() - self.child.started_at:.1f} s")

    def _end_of_log(self) -> str:
        return f"the end of its log, {self.child.log}:\n{self.child.last_lines()}"
