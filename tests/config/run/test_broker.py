"""The embedded broker: where it listens, that Celery finds it, that its messages outlive it."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kombu import Connection

from config.run import broker


@contextmanager
def running(var_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(broker.server_command(var_dir), stdout=subprocess.DEVNULL) as server:
        try:
            until = time.monotonic() + 10
            while not broker.answers(var_dir):
                assert time.monotonic() < until, "the broker did not answer within 10 s"
                time.sleep(0.02)
            yield server
        finally:
            server.kill()
            shutil.rmtree(broker.socket_path(var_dir).parent)


def test_the_socket_lies_in_the_folder(tmp_path: Path) -> None:
    assert broker.socket_path(Path("/srv/closer")) == Path("/srv/closer/run/valkey.sock")


def test_a_long_path_moves_the_socket_to_a_short_one(tmp_path: Path) -> None:
    long = tmp_path / ("deep" * 20)
    other = tmp_path / ("deer" * 20)
    assert len(str(broker.socket_path(long))) <= broker.LONGEST_SOCKET_PATH
    assert broker.socket_path(long) == broker.socket_path(long / ".." / long.name)
    assert broker.socket_path(long) != broker.socket_path(other)


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "run").symlink_to(elsewhere)
    if len(str(tmp_path / "run" / "valkey.sock")) > broker.LONGEST_SOCKET_PATH:
        pytest.skip("the temporary folder's path is too long to hold a socket")
    with pytest.raises(RuntimeError, match="another user"):
        broker._own_folder(tmp_path / "run")


@pytest.mark.parametrize("name", ["var", "a folder %41 with signs", "deep" * 20])
def test_celery_reaches_it_and_a_kill_loses_no_message(tmp_path: Path, name: str) -> None:
    var_dir = tmp_path / name
    with running(var_dir) as server, Connection(broker.embedded_url(var_dir)) as connection:
        connection.SimpleQueue("letters").put({"to": "everybody"})
        time.sleep(1.1)  # appendfsync everysec
        os.kill(server.pid, signal.SIGKILL)
    with running(var_dir), Connection(broker.embedded_url(var_dir)) as connection:
        letter = connection.SimpleQueue("letters").get(timeout=5)
        assert letter.payload == {"to": "everybody"}
        letter.ack()


def test_silence_is_no_answer(tmp_path: Path) -> None:
    assert not broker.answers(tmp_path)
