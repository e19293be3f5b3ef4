"""Parts for the supervisor: the real broker, and small programs."""

import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from config.run import broker
from config.run.processes.child import Part
from tests.config.run.processes import PARENT


@pytest.fixture
def make_part(tmp_path: Path) -> Callable[..., Part]:
    """A part that starts one child of its own and writes both ids to `tmp_path/NAME.pids`."""

    def make(name: str, manner: str = "obedient") -> Part:
        notes = tmp_path / f"{name}.pids"
        command = (sys.executable, "-I", "-S", "-c", PARENT, str(notes), manner)
        return Part(name, command, lambda: "" if notes.exists() else "no notes yet", grace=1.0)

    return make


@pytest.fixture
def broker_part(tmp_path: Path) -> Part:
    """The real broker, serving `tmp_path`."""
    command = tuple(broker.server_command(tmp_path))
    return Part("broker", command, lambda: "" if broker.answers(tmp_path) else "silent", stage=0, grace=1.5)


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port
