"""A web server in which no client holds a thread: neither one who sends slowly nor one who reads slowly.

waitress reads requests and writes answers in one thread with non-blocking sockets; Django's threads see whole
requests only. What is added here: time limits for the arrival of a request, room for new connections when there
are too many, threads of their own for pictures, no bodies that will be refused, and an orderly end.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import structlog
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from config.limits import MOST_BYTES
from config.run.requests import Request
from config.run.responses import Application, Response, without_body_for_head

log = structlog.get_logger(__name__)

# Seconds from its first byte within which the head of a request is here, and its body, which has a second more for
# each SLOWEST bytes that have come.
HEAD_WITHIN, BODY_WITHIN, SLOWEST = 20.0, 30.0, 1000
# Seconds that a connection may be idle, or an answer unread. More than the 75 s for which nginx keeps connections.
IDLE_FOR = 90.0
# More open connections than this, and the one that has been quiet longest makes room for a new one.
MOST_CONNECTIONS = 4000
# What waits to be read by one client: the first megabyte in memory, the rest in a file; then the view waits.
UNREAD_IN_MEMORY, UNREAD_AT_MOST = 2**20, 2**28


class Client(HTTPChannel):  # type: ignore[misc]
    """A connection.

    Attributes:
        began: when the first byte of the request that is arriving came.
        is_waiting: whether its body waits until it is known who sends it.
    """

    parser_class, task_class = Request, Response
    request: Request | None
    began = 0.0
    is_waiting = False

    def __repr__(self) -> str:
        """For waitress's log, without the address: none is logged."""
        return f"<a client since {self.creation_time:.0f}>"

    def received(self, data: bytes) -> bool:
        """Take in the next bytes, of one request or several."""
        if self.request is None:
            self.began = time.time()
        was_received = bool(super().received(data))
        if self.request is not None and self.request.is_undecided and not self.is_waiting:
            self.is_waiting = True
            self.server.task_dispatcher.add_admission(Admission(self))
        return was_received

    def readable(self) -> bool:
        """Whether more may come: not before it is known whether the sender may send so much."""
        return not self.is_waiting and bool(super().readable())

    def admit(self) -> None:
        """Ask whether the sender may send so much, in a thread that may wait for the database."""
        admitted = self._is_admitted()
        with self.requests_lock:
            request = self._arriving()
            request.decide(admitted)
            if request.completed:
                self.requests.append(request)
                self.request = None
                if len(self.requests) == 1:
                    self.server.add_task(self)
            elif request.expect_continue and not self.requests:
                self.send_continue()
            self.began, self.is_waiting = time.time(), False
        self.server.pull_trigger()

    def _arriving(self) -> Request:
        assert self.request is not None  # nothing is read, so nothing ends it, while it waits
        return self.request

    def _is_admitted(self) -> bool:
        try:
            return bool(self.server.admits(self._arriving().head()))
        except Exception:
            # Django will meet the same trouble, and answers it.
            log.exception("could not check whether an upload is allowed")
            return False

    def handle_close(self) -> None:
        """The connection ends: what came of a body that is not complete is removed from the disk at once."""
        super().handle_close()
        if self.request is not None:
            self.request.close()

    def is_busy(self) -> bool:
        """Whether a view works for it or an answer is on its way."""
        return bool(self.requests or self.total_outbufs_len)

    def is_late(self, now: float) -> bool:
        """Whether it used up its time, for sending, for reading, or without doing either."""
        arriving = self.request
        if self.total_outbufs_len or (arriving is None and not self.requests):
            return bool(self.last_activity < now - IDLE_FOR)
        if arriving is None or self.requests:
            return False
        if not arriving.headers_finished:
            return bool(self.began < now - HEAD_WITHIN)
        return bool(self.began < now - BODY_WITHIN - arriving.body_bytes_received / SLOWEST)


class Admission:
    """A piece of work for a thread: to find out whether a client may send its large body."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def service(self) -> None:
        """Do it."""
        self._client.admit()

    def cancel(self) -> None:
        """The server ends."""
        self._client.will_close = True


class Pools:
    """Threads for pictures, which may wait for a distant store, and threads for everything else."""

    def __init__(self, threads: int, picture_threads: int) -> None:
        self._pictures, self._others = ThreadedTaskDispatcher(), ThreadedTaskDispatcher()
        self._pictures.set_thread_count(picture_threads)
        self._others.set_thread_count(threads)

    def add_task(self, client: Client) -> None:
        """Queue the first request of `client`; one whose first line could not be read has no path."""
        pictures = getattr(client.requests[0], "path", "").endswith(".png")
        (self._pictures if pictures else self._others).add_task(client)

    def add_admission(self, admission: Admission) -> None:
        """Queue the question whether a body may come."""
        self._others.add_task(admission)

    def shutdown(self, cancel_pending: bool = True, timeout: float = 1.0) -> None:
        """End the threads; those that still work are left to the end of the process."""
        for pool in (self._others, self._pictures):
            pool.shutdown(cancel_pending, timeout)


class Server(TcpWSGIServer):  # type: ignore[misc]
    """Serves `application` on a bound socket until `stop()`.

    Args:
        admits: whether the sender of a head (`Request.head`) may send a large body.
        grace: seconds that requests in hand have after `stop()`.
    """

    channel_class = Client

    def __init__(
        self,
        application: Application,
        bound: socket.socket,
        *,
        admits: Callable[[dict[str, Any]], bool],
        threads: int = 8,
        picture_threads: int = 4,
        grace: float = 2.0,
        most_connections: int = MOST_CONNECTIONS,
    ) -> None:
        adjustments = Adjustments(
            sockets=[bound],
            ident=None,
            cleanup_interval=2,
            connection_limit=2**31,
            max_request_header_size=2**16,
            max_request_body_size=MOST_BYTES,
            outbuf_overflow=UNREAD_IN_MEMORY,
            outbuf_high_watermark=UNREAD_AT_MOST,
            log_socket_errors=False,
            clear_untrusted_proxy_headers=False,  # Django's TRUSTED_PROXIES decides
            asyncore_use_poll=True,
        )
        self.admits = admits
        self._grace, self._most, self._stopping = grace, most_connections, threading.Event()
        super().__init__(
            without_body_for_head(application),
            _sock=bound,
            dispatcher=Pools(threads, picture_threads),
            adj=adjustments,
            sockinfo=(bound.family, bound.type, bound.proto, bound.getsockname()),
            bind_socket=False,
        )

    def serve(self) -> None:
        """Serve until `stop()`; then finish what is in hand, within the grace."""
        while not self._stopping.is_set():
            self._turn()
        self.del_channel()
        self.socket.close()
        until = time.monotonic() + self._grace
        while self._is_busy() and time.monotonic() < until:
            self._turn(wait=0.1)
        self.task_dispatcher.shutdown()
        for client in list(self.active_channels.values()):
            client.handle_close()  # close_all would leave the files of bodies that are not complete
        self.asyncore.close_all(self._map)

    def stop(self) -> None:
        """End `serve()`; may be called from anywhere."""
        self._stopping.set()
        with contextlib.suppress(OSError):  # it has ended already
            self.pull_trigger()

    def handle_accept(self) -> None:
        """Take a new connection; where there are too many, close the one that has been quiet longest."""
        if len(self.active_channels) >= self._most:
            quiet = [client for client in self.active_channels.values() if not client.is_busy()]
            if quiet:
                min(quiet, key=lambda client: max(client.creation_time, client.began)).handle_close()
        super().handle_accept()

    def maintenance(self, now: float) -> None:
        """Close the connections that used up their time; waitress calls it every other second."""
        for client in list(self.active_channels.values()):
            if client.is_late(now):
                # At once: waitress's own way waits until the socket takes bytes, and a full one never does.
                client.handle_close()

    def _turn(self, wait: float = 1.0) -> None:
        self.asyncore.loop(timeout=wait, map=self._map, use_poll=True, count=1)

    def _is_busy(self) -> bool:
        return any(client.is_busy() for client in self.active_channels.values())
