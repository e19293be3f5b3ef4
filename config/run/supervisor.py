"""Runs broker, web server, worker and beat on this machine, and keeps them running.

    python -m config.run.supervisor --port 8000

Each is a process in a group of its own. A dead one is started again; SIGINT or SIGTERM ends all within
seconds; when the supervisor itself is killed, nothing stays behind. Run `manage.py prepare` before: the tables and the
static files must be there.
"""

import argparse
import contextlib
import errno
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, Self

from django.core.exceptions import ImproperlyConfigured

from config.environment import data_folder
from config.run.processes.child import Child, Guard, Part, end
from config.run.processes.lock import FolderLock
from config.run.processes.parts import embedded_parts, local_address, problems
from config.run.processes.reporting import reporter
from config.run.processes.supervised_part import SupervisedPart, SupervisorError

__all__ = ["Part", "Supervisor", "SupervisorError"]

ROOT = Path(__file__).resolve().parents[2]
TICK = 0.1
# Generous: on a machine busy with other things, importing everything takes minutes.
READY_WITHIN = 600.0
# The same, however often parts are killed from outside while they start.
LONGEST_START = 1800.0
# The parts of a supervisor that was killed are killed too; on a busy machine that takes a while.
PORT_FREE_WITHIN = 30.0


class Supervisor:
    """Starts the parts, restarts those that die, ends them all.

        with Supervisor(port=8000) as supervisor:   # returns once everything is ready
            ...
            supervisor.wait()                       # until SIGINT, SIGTERM, SIGHUP or stop()

    In the main thread, `with` also turns SIGTERM and SIGHUP into SystemExit: they too end everything.

    Args:
        port: where the web server listens, on `host`.
        env: added to this process's environment for all parts, VAR_DIR, REDIS_URL, DATABASE_URL included.
        say: receives short lines about what happens, from another thread.
        parts: instead of the embedded ones.

    Raises (from start, or on entering `with`):
        SupervisorError: the port is taken, VAR_DIR is in use, or a part does not come up.
    """

    def __init__(
        self,
        port: int = 8000,
        env: Mapping[str, str] | None = None,
        *,
        host: str = "127.0.0.1",
        say: Callable[[str], None] | None = None,
        parts: Sequence[Part] | None = None,
    ) -> None:
        self.port, self.host = port, host
        self._env = {"PYTHONUNBUFFERED": "1", **os.environ, **(env or {})}
        self.var_dir = data_folder(self._env)
        self._env["VAR_DIR"] = str(self.var_dir)
        self._say = say or reporter()
        self._parts = parts
        self._lock = FolderLock(self.var_dir / "run" / "supervisor.lock")
        self._releasing = threading.Lock()
        self._supervised: list[SupervisedPart] = []
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        # The thread's state as others may wait for it: up or failed; ending; ended.
        self._settled, self._ending, self._over = threading.Event(), threading.Event(), threading.Event()
        self._handlers: dict[signal.Signals, Any] = {}

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the web server."""
        return local_address(self.host, self.port)

    def start(self) -> None:
        """Start everything; returns when all is ready. After an error nothing keeps running."""
        self._claim_folder()
        try:
            if self._lock.holder_died:
                self._wait_for_port()
            require_port(self.host, self.port)
            self._thread = threading.Thread(target=self._run, name="supervisor")
            self._thread.start()
            self._settled.wait()
            self._raise_failure()
        except BaseException:
            self.stop()
            raise

    def wait(self) -> None:
        """Block until stop() is called or a signal asks to end; raises what ended it otherwise."""
        with contextlib.suppress(KeyboardInterrupt, Terminated):
            self._over.wait()
        self._raise_failure()

    def stop(self) -> None:
        """End everything and wait for it: a few seconds at most. Harmless when nothing runs."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()
        with self._releasing:
            self._lock.release()

    def pids(self) -> dict[str, int]:
        """The process id of each part that runs."""
        return {part.name: pid for part in self._supervised if (pid := part.child.pid) is not None}

    def ready(self) -> set[str]:
        """The names of the parts that run and have answered their check."""
        return {part.name for part in self._supervised if part.ready}

    def deaths(self) -> dict[str, int]:
        """How often each part died."""
        return {part.name: part.deaths for part in self._supervised}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._handlers = {
                number: signal.signal(number, _terminate) for number in (signal.SIGTERM, signal.SIGHUP)
            }
            # A shell starts background jobs with SIGINT ignored; whoever sends one all the same means it.
            self._handlers[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for number in self._handlers:
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not cut the ending short
        self.stop()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _claim_folder(self) -> None:
        holder = self._lock.acquire(f"process {os.getpid()}, port {self.port}")
        if holder is not None:
            raise SupervisorError(
                f"{self.var_dir} is in use by another supervisor ({holder}). "
                "Stop that one first, or use another folder for this one: VAR_DIR=/path/to/folder."
            )

    def _wait_for_port(self) -> None:
        """Until what a killed supervisor ran has given the port back, which it may not."""
        until = time.monotonic() + PORT_FREE_WITHIN
        if not port_is_taken(self.host, self.port):
            return
        self._say(f"port {self.port} is taken, perhaps still by a supervisor that was killed; waiting for it")
        while port_is_taken(self.host, self.port) and time.monotonic() < until:
            time.sleep(TICK)

    def _run(self) -> None:
        """The thread that starts, watches and ends the children: their lives are tied to its own."""
        try:
            with Guard() as guard:
                self._live(guard)
        except BaseException as failure:  # start() and wait() raise it in the caller's thread
            self._failure = failure
        finally:
            self._settled.set()
            self._over.set()

    def _live(self, guard: Guard) -> None:
        parts = self._parts
        if parts is None:
            parts = embedded_parts(host=self.host, port=self.port, var_dir=self.var_dir, env=self._env)
        log_dir = self.var_dir / "log"
        children = [Child(part, env=self._env, cwd=ROOT, log_dir=log_dir, guard=guard) for part in parts]
        self._supervised = [SupervisedPart(child, self._say) for child in children]
        try:
            for stage in sorted({part.stage for part in parts}):
                self._bring_up([part for part in self._supervised if part.child.part.stage == stage])
            self._settled.set()
            while not self._ending.wait(TICK):
                with contextlib.suppress(OSError):  # no process free just now: at the next tick
                    guard.revive()
                for part in self._supervised:
                    part.tend()
        finally:
            end(children)

    def _bring_up(self, group: Sequence[SupervisedPart]) -> None:
        """Start a stage and wait for it. Whatever is killed meanwhile, of any stage, is started again."""
        for part in group:
            part.start()
        lower = [part for part in self._supervised if part.child.part.stage < group[0].child.part.stage]
        latest = time.monotonic() + LONGEST_START
        until, killed = time.monotonic() + READY_WITHIN, self._killed()
        while not all(part.ready for part in group):
            for part in self._supervised:
                part.tend()
            if self._killed() > killed or not all(part.ready for part in lower):
                until, killed = min(time.monotonic() + READY_WITHIN, latest), self._killed()
                for part in group:
                    part.forgive()
            for part in group:
                part.give_up_if_hopeless(late=time.monotonic() > until)
            if self._ending.wait(TICK):
                raise SupervisorError("It was stopped before everything was ready.")

    def _killed(self) -> int:
        return sum(part.kills for part in self._supervised)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


class Terminated(SystemExit):
    """SIGTERM or SIGHUP arrived; the exit code is the shell's for it."""


def _terminate(number: int, _: FrameType | None) -> NoReturn:
    raise Terminated(128 + number)


def require_port(host: str, port: int) -> None:
    """Raise SupervisorError unless a server could listen on the port now."""
    if not 0 < port < 65536:
        raise SupervisorError(f"Port {port} cannot be used: a port must be a number from 1 to 65535.")
    try:
        _listen_once(host, port)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "is taken by another program" if taken else f"cannot be used ({error})"
        raise SupervisorError(
            f"Port {port} on {host} {why}. Choose another one, for example PORT=8765."
        ) from error


def port_is_taken(host: str, port: int) -> bool:
    """Whether something listens there."""
    try:
        _listen_once(host, port)
    except (OSError, OverflowError) as error:
        return getattr(error, "errno", None) == errno.EADDRINUSE
    return False


def _listen_once(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    socket.create_server((host, port), family=family).close()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m config.run.supervisor", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: 8000)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    options = parser.parse_args(arguments)
    try:
        report = reporter()
    except ImproperlyConfigured as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    try:
        with Supervisor(options.port, host=options.host, say=report) as supervisor:
            report(f"Closer is running at {supervisor.url} - press Ctrl-C to stop")
            for problem in problems(options.host, options.port, os.environ):
                report(f"not ready: {problem}", error=True)
            supervisor.wait()
            report("ending")
    except SupervisorError as error:
        report(f"error: {error}", error=True)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


if __name__ == "__main__":
    sys.exit(main())
