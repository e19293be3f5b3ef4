"""When to start a dead or silent part again, and when to give up."""

import threading
import time
from collections.abc import Callable

from config.run.processes.child import Child

# A part that ends by itself this often before everything is up will not get well by being started once more.
TRIES_TO_START = 3
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
# A part that lived this long, in seconds, is no longer one that dies at once: the delays begin anew.
CALM = 30.0
# Seconds between two checks of a part: until it is ready, and after that.
CHECK_SOON, CHECK_LATER = 0.1, 10.0


class SupervisorError(RuntimeError):
    """The system could not be started or kept up; the message says why and what to do."""


class SupervisedPart:
    """A child with what is known about its health.

    Attributes:
        deaths: how often it died.
        kills: how often a signal from outside ended it.
        failures: how often it ended by itself, or could not be started, since `forgive()`.
        ready: whether it has answered its check since it was last started.
    """

    def __init__(self, child: Child, say: Callable[[str], None]) -> None:
        self.child = child
        self.deaths = 0
        self.kills = 0
        self.failures = 0
        self.ready = False
        self._say = say
        self._changing = threading.Lock()
        self._delay = FIRST_DELAY
        self._due: float | None = None
        self._why_not_ready = "it has not been checked yet"
        self._checking: threading.Thread | None = None
        self._next_check = 0.0
        self._silent_since: float | None = None

    @property
    def name(self) -> str:
        """The part's name."""
        return self.child.part.name

    def start(self) -> None:
        """Start the child; where the machine has no process, file or disk space free, try again later."""
        self._due = self._silent_since = None
        self._next_check = 0.0
        try:
            self.child.start()
        except OSError as error:
            self.failures += 1
            self._plan_restart(f"could not be started: {error}")

    def tend(self) -> None:
        """Notice a death or a long silence, start again when that is due, and check whether it is ready."""
        if self._due is not None and time.monotonic() >= self._due:
            self.start()
        how = self.child.exit_cause()
        if how is not None:
            self.kills += self.child.was_killed
            self.failures += not self.child.was_killed
            self._plan_restart(f"died ({how})")
        elif self.child.pid is not None:
            self._check_when_due()
            self._kill_when_silent()

    def forgive(self) -> None:
        """Count its failures anew: what it needs was away."""
        self.failures = 0

    def give_up_if_hopeless(self, *, late: bool) -> None:
        """Raise SupervisorError when it keeps failing, or is not ready although it is `late`."""
        if self.failures >= TRIES_TO_START:
            raise SupervisorError(f"{self.name} does not start: {self._end_of_log()}")
        if late and not self.ready:
            raise SupervisorError(
                f"{self.name} is still not ready: {self._why_not_ready}; {self._end_of_log()}"
            )

    def _plan_restart(self, what_happened: str) -> None:
        if time.monotonic() - self.child.started_at > CALM:
            self._delay = FIRST_DELAY
        self.deaths += 1
        with self._changing:
            self.ready = False
        self._due = time.monotonic() + self._delay
        self._say(f"{self.name}: {what_happened}, restarting in {self._delay:g} s; log: {self.child.log}")
        self._delay = min(2 * self._delay, LONGEST_DELAY)

    def _check_when_due(self) -> None:
        """Check in a thread of its own: a check that hangs must not keep the dead waiting."""
        if self._checking is not None or time.monotonic() < self._next_check:
            return
        arguments = (self.child.pid,)
        self._checking = threading.Thread(
            target=self._check, args=arguments, name=f"check-{self.name}", daemon=True
        )
        try:
            self._checking.start()
        except RuntimeError:  # no thread is free just now: at the next tick
            self._checking = None

    def _check(self, pid: int) -> None:
        try:
            self._note(pid, self.child.part.ready())
        except Exception as error:
            # Whatever a check raises says that it could not find out, and nothing about the part.
            self._why_not_ready = f"its check failed ({type(error).__name__}: {error})"
            self._silent_since = None
        finally:
            self._next_check = time.monotonic() + (CHECK_LATER if self.ready else CHECK_SOON)
            self._checking = None

    def _note(self, pid: int, why_not: str) -> None:
        self._why_not_ready = why_not
        if why_not:
            self._silent_since = self._silent_since or time.monotonic()
            return
        self._silent_since = None
        with self._changing:
            news = pid == self.child.pid and not self.ready  # otherwise it died meanwhile
            self.ready = self.ready or news
        if news:
            self._say(f"{self.name}: ready after {time.monotonic() - self.child.started_at:.1f} s")

    def _kill_when_silent(self) -> None:
        since, patience = self._silent_since, self.child.part.patience
        if self.ready and since is not None and time.monotonic() - since > patience:
            self.child.kill()
            self._plan_restart(f"was silent for {patience:g} s ({self._why_not_ready}) and was killed")

    def _end_of_log(self) -> str:
        return f"the end of its log, {self.child.log}:\n{self.child.last_lines()}"
