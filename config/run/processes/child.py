"""One supervised process in its own group, with its log, and the guard who ends it when nobody else can."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

HERE = Path(__file__).parent
# -I -S: neither needs anything but the standard library, and both have to be quick.
BARE_PYTHON = (sys.executable, "-I", "-S")
LARGEST_LOG = 10 * 2**20


@dataclass(frozen=True)
class Part:
    """What to keep running: a name, a command, and how to tell that it is up.

    Attributes:
        ready: returns "" when the process does its work, otherwise why it does not; takes seconds at most. An
            exception means that it could not find out.
        stage: parts of a lower stage are up before those of a higher one start, and are ended after them.
        grace: seconds between SIGTERM and SIGKILL.
        patience: seconds that a part which was ready may leave its check unanswered before it is killed.
    """

    name: str
    command: tuple[str, ...]
    ready: Callable[[], str]
    stage: int = 1
    grace: float = 3.0
    patience: float = 120.0


class Guard:
    """A small process that kills the registered groups once this process is gone; `with` ends it."""

    def __init__(self) -> None:
        self._process = self._start()
        self._groups: set[int] = set()

    def _start(self) -> subprocess.Popen[str]:
        command = [*BARE_PYTHON, str(HERE / "guard.py")]
        return subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)

    def watch(self, group: int) -> None:
        """From now on, `group` dies when this process does."""
        self._groups.add(group)
        self._tell(f"+{group}")

    def forget(self, group: int) -> None:
        """`group` is gone; its number may come to belong to somebody else."""
        self._groups.discard(group)
        self._tell(f"-{group}")

    def revive(self) -> bool:
        """Start the guard again if it was killed; returns whether it was."""
        if self._process.poll() is None:
            return False
        self._close_pipe()
        self._process = self._start()
        for group in self._groups:
            self._tell(f"+{group}")
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close_pipe()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it was killed: revive() tells the new one everything
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def _close_pipe(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()


class Child:
    """A part as a process that is started, watched and ended; start it again after it died."""

    def __init__(self, part: Part, *, env: Mapping[str, str], cwd: Path, log_dir: Path, guard: Guard) -> None:
        self.part = part
        self.log = log_dir / f"{part.name}.log"
        self.started_at = 0.0
        self.was_killed = False
        self._env = dict(env)
        self._cwd = cwd
        self._guard = guard
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process's id, and its group's; None while it does not run."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process; the caller's thread must live as long as it should."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        command = [*BARE_PYTHON, str(HERE / "launch.py"), str(os.getpid()), *self.part.command]
        with self.log.open("ab") as log:
            log.write(f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} start of {self.part.name}\n".encode())
            log.flush()
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._cwd,
                process_group=0,
            )
        self._guard.watch(self._process.pid)
        self.started_at = time.monotonic()

    def exit_cause(self) -> str | None:
        """None while it runs; otherwise, once, what happened to it, after killing the rest of its group.

        `was_killed` then says whether a signal ended it, which is no fault of the part itself.
        """
        if self._process is None:
            return None
        code = self._process.poll()
        if code is None:
            return None
        self._clear_group()
        self.was_killed = code < 0
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def has_ended(self) -> bool:
        """Whether nothing of it runs any more."""
        self.exit_cause()
        return self._process is None

    def terminate(self) -> None:
        """Ask the process to end."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def kill(self) -> None:
        """End the process and its whole group at once."""
        if self._process is not None:
            self._clear_group()

    def last_lines(self, count: int = 12) -> str:
        """The end of the log, for an error message."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 8192))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-count:])

    def _clear_group(self) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._guard.forget(self._process.pid)
        self._process = None


def end(children: Sequence[Child]) -> None:
    """End all, those of a higher stage first; each has its grace, then its whole group is killed."""
    for stage in sorted({child.part.stage for child in children}, reverse=True):
        group = [child for child in children if child.part.stage == stage]
        for child in group:
            child.terminate()
        request = time.monotonic()
        while any(not child.has_ended() and time.monotonic() - request < child.part.grace for child in group):
            time.sleep(0.02)
        for child in group:
            child.kill()
