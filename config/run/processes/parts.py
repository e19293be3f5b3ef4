"""The parts of the embedded deployment: broker, web server, worker and beat on one machine."""

import http.client
import json
import os
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from celery import Celery

from config.run import broker
from config.run.processes.child import Part

# Workers by name: queues, and how many processes. Periodic work and snapshots never wait for encoders, and encoders
# that take a second never wait for those that take minutes, or for training.
WORKERS = {
    "worker": ("encode", 2),
    "worker-slow": ("encode-slow,train,train-gpu", 2),
    "worker-default": ("default", 1),
}
CELERY = (sys.executable, "-m", "celery", "--quiet", "-A", "config")


def embedded_parts(*, host: str, port: int, var_dir: Path, env: Mapping[str, str]) -> list[Part]:
    """Everything that `make demo` runs; the broker only where REDIS_URL names no other one."""
    redis_url = env.get("REDIS_URL", "")
    parts = [] if redis_url else [_broker(var_dir)]
    return [
        *parts,
        Part("web", _web(host, port, env), web_ready(host, port, env)),
        *(_worker(name, redis_url or broker.embedded_url(var_dir)) for name in WORKERS),
        Part("beat", (*CELERY, "beat", "--loglevel", "INFO"), ready=lambda: ""),
    ]


def web_ready(host: str, port: int, env: Mapping[str, str]) -> Callable[[], str]:
    """A check that /healthz answers 200."""

    def check() -> str:
        address = f"{local_address(host, port)}healthz"
        try:
            status, _ = _get(host, port, env, "/healthz")
            return "" if status == 200 else f"{address} answered {status}"
        except (OSError, http.client.HTTPException) as error:
            return f"{address} did not answer ({error})"

    return check


def problems(host: str, port: int, env: Mapping[str, str]) -> list[str]:
    """What /readyz reports as missing, in sentences."""
    try:
        checks = json.loads(_get(host, port, env, "/readyz", seconds=20)[1])["checks"]
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        return [f"/readyz did not answer ({type(error).__name__})"]
    return [f"{name}: {check['problem']}" for name, check in checks.items() if not check["ok"]]


def _get(host: str, port: int, env: Mapping[str, str], path: str, *, seconds: float = 2) -> tuple[int, bytes]:
    """Status and body, requested with the first of ALLOWED_HOSTS and as if through https."""
    allowed = env.get("ALLOWED_HOSTS", "").split(",")[0].strip().removeprefix(".")
    name = "localhost" if allowed in ("", "*") else allowed
    connection = http.client.HTTPConnection(_reached(host), port, timeout=seconds)
    try:
        connection.request("GET", path, headers={"Host": name, "X-Forwarded-Proto": "https"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def local_address(host: str, port: int) -> str:
    """Where a browser on this machine finds a server that listens on `host`, as http://127.0.0.1:8000/."""
    reached = _reached(host)
    return f"http://{f'[{reached}]' if ':' in reached else reached}:{port}/"


def _reached(host: str) -> str:
    """The host at which this machine reaches a server that listens on `host`, which may be all addresses."""
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def worker_ready(broker_url: str, name: str) -> Callable[[], str]:
    """A check that the worker called `name` answers a ping through the broker.

    It raises what the broker's client raises: with no broker, nothing is known about the worker. Every check has
    an application, and so connections, of its own: those of a broker that died answer nothing ever after.
    """

    def check() -> str:
        with Celery("supervisor", broker=broker_url, set_as_current=False) as application:
            application.conf.update(
                broker_transport_options={"socket_timeout": 5, "socket_connect_timeout": 5},
                broker_connection_timeout=5,
            )
            answer = application.control.inspect(destination=[name], timeout=1).ping()
        return "" if answer else "the worker does not answer a ping"

    return check


def _broker(var_dir: Path) -> Part:
    def check() -> str:
        return "" if broker.answers(var_dir) else f"{broker.socket_path(var_dir)} does not answer a PING"

    return Part("broker", tuple(broker.server_command(var_dir)), check, stage=0, grace=1.5)


def _worker(name: str, broker_url: str) -> Part:
    queues, processes = WORKERS[name]
    called = f"{name}-{os.getpid()}@{socket.gethostname()}"
    command = (*CELERY, "worker", "-Q", queues, "-c", str(processes), "-n", called, "--loglevel", "INFO")
    return Part(name, (*command, "--without-gossip", "--without-mingle"), worker_ready(broker_url, called))


def _web(host: str, port: int, env: Mapping[str, str]) -> tuple[str, ...]:
    """One process for SQLite, whose lock between processes is unfair; two where the database is a server."""
    url = env.get("DATABASE_URL", "")
    processes, threads = (1, 8) if not url or url.startswith("sqlite") else (2, 4)
    return (
        *(sys.executable, "-m", "config.run.web", "--host", host, "--port", str(port)),
        *("--processes", str(processes), "--threads", str(threads), "--grace", "2"),
    )
