"""The web server: Closer behind a front that waits for slow clients without holding a thread for them.

    python -m config.run.web --host 127.0.0.1 --port 8000 --processes 1 --threads 8

SIGTERM and SIGINT end it: no new connections, and requests in hand have --grace seconds.
"""

import argparse
import contextlib
import os
import resource
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from types import FrameType

from config.run.buffering import MOST_CONNECTIONS, Server

# The signals that end it.
ENDS = (signal.SIGTERM, signal.SIGINT)
# Descriptors that are no connections: the database, files, the broker.
OTHER_FILES = 512

# Seconds in which Postgres answers a request's statement; then the request is a 503, and its thread is free again.
DATABASE_WITHIN = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m config.run.web", description=__doc__.partition("\n")[0])
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
    parser.add_argument(
        "--processes", type=int, default=1, help="number of processes; 1 for SQLite (default: 1)"
    )
    parser.add_argument(
        "--threads", type=int, default=8, help="threads for all requests except pictures (default: 8)"
    )
    parser.add_argument("--picture-threads", type=int, default=4, help="threads for pictures (default: 4)")
    parser.add_argument(
        "--grace",
        type=float,
        default=25.0,
        help="seconds to wait for running requests when stopping (default: 25)",
    )
    options = parser.parse_args(arguments)
    bound = listen(options.host, options.port)
    if options.processes > 1:
        return _Crew(options.processes, bound, options).run()
    return serve(bound, options)


def listen(host: str, port: int) -> socket.socket:
    """A socket that is bound and listens; OSError where it can't be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=1024)


def serve(bound: socket.socket, options: argparse.Namespace) -> int:
    """Serve in this process until a signal ends it."""
    from config.wsgi import application  # first: it sets Django up
    from config.admission import admits  # isort: skip
    from config.checks import report_at_start  # isort: skip

    limit_database()
    threading.Thread(target=report_at_start, kwargs={"serves_pages": True}, name="start", daemon=True).start()
    server = Server(
        application,
        bound,
        admits=admits,
        threads=options.threads,
        picture_threads=options.picture_threads,
        grace=options.grace,
        most_connections=room_for_connections(),
    )
    for number in ENDS:
        signal.signal(number, lambda *_: server.stop())
    server.serve()
    # Not sys.exit: a view that outlived the grace must not hold up the end.
    sys.stderr.flush()
    os._exit(0)


def limit_database() -> None:
    """A Postgres has so long to answer. SQLite does not wait for anybody else's machine, and needs no psycopg."""
    from django.conf import settings

    if settings.DATABASES["default"]["ENGINE"] == "config.postgres":
        from config.postgres.base import DatabaseWrapper

        DatabaseWrapper.answer_within = DATABASE_WITHIN


def room_for_connections() -> int:
    """As many as this process may have, after asking the system for as many as it allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = MOST_CONNECTIONS + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    most = needed if soft == resource.RLIM_INFINITY else soft
    return max(64, min(MOST_CONNECTIONS, most - OTHER_FILES))


class _Crew:
    """Several processes that serve one socket; one that dies is replaced."""

    def __init__(self, count: int, bound: socket.socket, options: argparse.Namespace) -> None:
        self._count, self._bound, self._options = count, bound, options
        self._pids: set[int] = set()
        self._ending = False

    def run(self) -> int:
        """Keep so many processes until a signal ends them; returns the exit code."""
        # Their counts for /metrics are added up, through files.
        with tempfile.TemporaryDirectory(prefix="closer-metrics-") as folder:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
            self._keep()
        return 0

    def _keep(self) -> None:
        for number in ENDS:
            signal.signal(number, self._end)
        while not self._ending:
            while len(self._pids) < self._count and not self._ending:
                self._start()
            self._reap()
        while self._pids:
            self._reap()

    def _start(self) -> None:
        """Fork one. Until it is noted here and has handlers of its own there, a signal waits: it would pass it by."""
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
        pid = os.fork()
        if pid == 0:
            for number in ENDS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
            os._exit(serve(self._bound, self._options))
        self._pids.add(pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)

    def _reap(self) -> None:
        """Wait for one to die."""
        pid, _ = os.wait()
        self._pids.discard(pid)
        if not self._ending:
            time.sleep(0.5)  # one that can't start is not started a thousand times a second

    def _end(self, number: int, _: FrameType | None) -> None:
        self._ending = True
        for pid in self._pids:
            with contextlib.suppress(ProcessLookupError):  # it has just died by itself
                os.kill(pid, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
