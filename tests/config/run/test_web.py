"""The web part as it is started for real: crowds of slow sockets, and processes that die."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from config.run.processes.parts import embedded_parts, web_ready
from tests.kit.services import wait_for

ROOT = Path(__file__).parents[3]
HALF = b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nuser"


@contextmanager
def web(folder: Path, port: int, database_url: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """The web part of the embedded deployment; /healthz needs no tables."""
    env = {**os.environ, "VAR_DIR": str(folder), "DATABASE_URL": database_url, "ALLOWED_HOSTS": "localhost"}
    (part,) = (
        part
        for part in embedded_parts(host="127.0.0.1", port=port, var_dir=folder, env=env)
        if part.name == "web"
    )
    with subprocess.Popen(part.command, cwd=ROOT, env=env) as process:
        try:
            wait_for(lambda: not part.ready(), "the web server", within=60)
            yield process
        finally:
            process.terminate()
            assert process.wait(timeout=10) == 0


@pytest.mark.slow
def test_eight_eighty_and_eight_hundred_slow_sockets_delay_nobody(tmp_path: Path, free_port: int) -> None:
    ask = web_ready("127.0.0.1", free_port, {})
    with web(tmp_path, free_port), ExitStack() as crowd:
        for size in (8, 80, 800):
            for number in range(size):
                connection = crowd.enter_context(
                    socket.create_connection(("127.0.0.1", free_port), timeout=10)
                )
                connection.sendall(HALF[: number % len(HALF)])
            began = time.monotonic()
            assert [ask() for _ in range(10)] == [""] * 10
            assert time.monotonic() - began < 5, f"with {size} slow sockets"


@pytest.mark.slow
def test_a_web_process_that_dies_is_replaced(tmp_path: Path, free_port: int) -> None:
    with web(tmp_path, free_port, "postgres://nobody@127.0.0.1:1/nothing") as parent:
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
        first = children.read_text().split()
        assert len(first) == 2
        os.kill(int(first[0]), signal.SIGKILL)
        wait_for(lambda: len(set(children.read_text().split()) - {first[0]}) == 2, "another process")
        assert web_ready("127.0.0.1", free_port, {})() == ""


# Two processes that wait for a signal; the second fork is followed by a pause on one side of it.
CREW = """
import os, signal, sys, time
from config.run import web

real, forks = os.fork, []

def fork():
    forks.append(1)
    pid = real()
    if len(forks) == 2 and (pid == 0) == (sys.argv[1] == "child"):
        print("forked", flush=True)
        time.sleep(1)
    return pid

os.fork = fork
web.serve = lambda *_: signal.pause()
sys.exit(web._Crew(2, None, None).run())
"""


@pytest.mark.parametrize("side", ["parent", "child"])
def test_a_signal_just_after_a_fork_ends_that_process_too(side: str) -> None:
    """Before the parent has noted its child, or the child has handlers of its own, the signal waits."""
    command = [sys.executable, "-c", CREW, side]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True) as parent:
        try:
            assert parent.stdout is not None and parent.stdout.readline() == b"forked\n"
            parent.terminate()
            assert parent.wait(timeout=10) == 0
        finally:
            with suppress(ProcessLookupError):
                os.killpg(parent.pid, signal.SIGKILL)
