"""The supervisor: it restarts the dead, ends all when told, and leaves nothing behind when it is killed."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from config.run import broker
from config.run.processes.child import Part
from config.run.supervisor import Supervisor, SupervisorError
from tests.config.run.processes import is_running, noted_pids

MakePart = Callable[..., Part]


def until(condition: Callable[[], bool], *, within: float, what: str) -> None:
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, f"not within {within} s: {what}"
        time.sleep(0.02)


def supervisor_for(folder: Path, port: int, parts: list[Part], output: list[str] | None = None) -> Supervisor:
    say = (output if output is not None else []).append
    return Supervisor(port, {"VAR_DIR": str(folder)}, parts=parts, say=say)


def test_all_are_up_inside_and_gone_after(
    tmp_path: Path, free_port: int, broker_part: Part, make_part: MakePart
) -> None:
    output: list[str] = []
    with supervisor_for(tmp_path, free_port, [broker_part, make_part("web")], output) as supervisor:
        assert set(supervisor.pids()) == {"broker", "web"}
        assert broker.answers(tmp_path)
        groups = {os.getpgid(pid) for pid in supervisor.pids().values()}
        assert len(groups) == 2
        assert os.getpgid(0) not in groups
    assert [line.split(":")[0] for line in output] == ["broker", "web"]
    assert not broker.answers(tmp_path)
    until(lambda: not any(map(is_running, noted_pids(tmp_path))), within=5, what="nothing is left")
    assert supervisor.pids() == {}


def test_a_killed_part_and_its_own_children_are_replaced(
    tmp_path: Path, free_port: int, broker_part: Part, make_part: MakePart
) -> None:
    output: list[str] = []
    with supervisor_for(tmp_path, free_port, [broker_part, make_part("worker")], output) as supervisor:
        first = noted_pids(tmp_path)
        for name in ("broker", "worker"):
            os.kill(supervisor.pids()[name], signal.SIGKILL)
        until(lambda: len(noted_pids(tmp_path)) == 4, within=5, what="the worker is back")
        until(lambda: broker.answers(tmp_path), within=5, what="the broker is back")
        assert not [pid for pid in first if is_running(pid)]
        assert supervisor.deaths() == {"broker": 1, "worker": 1}
    assert any("worker: died (killed by SIGKILL), restarting in 0.5 s" in line for line in output)


def test_a_part_that_is_killed_again_and_again_while_it_starts_does_not_end_the_site(
    tmp_path: Path, free_port: int, broker_part: Part, make_part: MakePart
) -> None:
    """Three kills of a part that is not ready yet: it is started each time, and the supervisor goes on."""
    worker = make_part("worker")
    slow = Part("worker", worker.command, lambda: worker.ready() if killed >= 3 else "not yet")
    killed, supervisor = 0, supervisor_for(tmp_path, free_port, [broker_part, slow])

    def kill() -> None:
        nonlocal killed
        while killed < 3:
            time.sleep(0.05)
            if (pid := supervisor.pids().get("worker")) is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
                    until(
                        lambda: supervisor.pids().get("worker") != pid, within=40, what="its death is noticed"
                    )

    monkey = threading.Thread(target=kill)
    monkey.start()
    with supervisor:
        assert supervisor.deaths()["worker"] == 3
    monkey.join()


def test_a_part_that_ignores_sigterm_is_killed(tmp_path: Path, free_port: int, make_part: MakePart) -> None:
    with supervisor_for(tmp_path, free_port, [make_part("web", "stubborn")]):
        began = time.monotonic()
    assert 0.9 < time.monotonic() - began < 4
    until(lambda: not any(map(is_running, noted_pids(tmp_path))), within=5, what="nothing is left")


def test_a_part_that_can_not_start_ends_all_and_says_why(
    tmp_path: Path, free_port: int, broker_part: Part
) -> None:
    command = (sys.executable, "-I", "-S", "-c", "raise SystemExit('no such table: study')")
    broken = Part("web", command, lambda: "silent")
    with pytest.raises(SupervisorError, match="web does not start(.|\n)*no such table: study"):
        supervisor_for(tmp_path, free_port, [broker_part, broken]).start()
    assert not broker.answers(tmp_path)


def test_a_command_that_does_not_exist_says_so(tmp_path: Path, free_port: int) -> None:
    with pytest.raises(SupervisorError, match="no-such-command cannot be started"):
        supervisor_for(tmp_path, free_port, [Part("web", ("no-such-command",), lambda: "silent")]).start()


def test_a_port_that_is_taken_is_named_at_once(tmp_path: Path, make_part: MakePart) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(SupervisorError, match=f"Port {port} on 127.0.0.1 is taken"):
            supervisor_for(tmp_path, port, [make_part("web")]).start()
    assert noted_pids(tmp_path) == []


def test_after_a_killed_supervisor_the_port_is_waited_for(
    tmp_path: Path, free_port: int, make_part: MakePart
) -> None:
    lock = tmp_path / "run" / "supervisor.lock"
    lock.parent.mkdir()
    lock.write_text("process 1, port 1")
    output: list[str] = []
    with socket.create_server(("127.0.0.1", free_port)) as server:
        threading.Timer(0.4, server.close).start()
        with supervisor_for(tmp_path, free_port, [make_part("web")], output):
            assert "waiting for it" in output[0]


@pytest.mark.parametrize("port", [-1, 0, 70_000])
def test_a_port_that_is_none_is_refused(tmp_path: Path, port: int) -> None:
    with pytest.raises(SupervisorError, match="cannot be used"):
        supervisor_for(tmp_path, port, []).start()


def test_a_second_supervisor_on_the_same_folder_is_refused(
    tmp_path: Path, free_port: int, make_part: MakePart
) -> None:
    with supervisor_for(tmp_path, free_port, [make_part("web")]):
        second = supervisor_for(tmp_path, free_port, [])
        with pytest.raises(SupervisorError, match=f"in use by another supervisor .process {os.getpid()}"):
            second.start()
    with supervisor_for(tmp_path, free_port, []):  # the first has let go
        pass


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:80/"),
        ("::", "http://[::1]:80/"),
        ("::1", "http://[::1]:80/"),
        ("h", "http://h:80/"),
    ],
)
def test_its_address_is_one_that_a_browser_takes(host: str, url: str) -> None:
    assert Supervisor(80, host=host).url == url


def test_stop_from_another_thread_ends_wait(tmp_path: Path, free_port: int, make_part: MakePart) -> None:
    with supervisor_for(tmp_path, free_port, [make_part("web")]) as supervisor:
        threading.Timer(0.2, supervisor.stop).start()
        supervisor.wait()
    until(lambda: not any(map(is_running, noted_pids(tmp_path))), within=3, what="nothing is left")


def test_a_killed_guard_is_replaced(tmp_path: Path, free_port: int, make_part: MakePart) -> None:
    with in_a_process_of_its_own(tmp_path, free_port, "obedient") as process:
        guard = guard_of(process.pid)
        os.kill(guard, signal.SIGKILL)
        until(lambda: guard_of(process.pid) not in (0, guard), within=5, what="a new guard")
        time.sleep(0.3)
        process.kill()
        process.wait()
        until(lambda: not any(map(is_running, noted_pids(tmp_path))), within=3, what="nothing is left")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_within_five_seconds(tmp_path: Path, free_port: int, number: int) -> None:
    with in_a_process_of_its_own(tmp_path, free_port, "stubborn") as process:
        process.send_signal(number)
        # Usually 0; the signal's own code where it comes before wait() is reached.
        assert process.wait(timeout=5) in (0, 128 + number, -number)
        until(lambda: not any(map(is_running, noted_pids(tmp_path))), within=5, what="nothing is left")
        assert not broker.answers(tmp_path)


def test_nothing_outlives_a_supervisor_that_was_killed(tmp_path: Path, free_port: int) -> None:
    with in_a_process_of_its_own(tmp_path, free_port, "stubborn") as process:
        assert len(noted_pids(tmp_path)) == 4
        guard = guard_of(process.pid)
        process.kill()
        process.wait()
        until(lambda: not any(map(is_running, noted_pids(tmp_path))), within=3, what="nothing is left")
        until(lambda: not is_running(guard), within=3, what="the guard is gone too")
        assert not broker.answers(tmp_path)
    with supervisor_for(tmp_path, free_port, []):  # and the next one is not held up
        pass


@contextmanager
def in_a_process_of_its_own(folder: Path, port: int, manner: str) -> Iterator[subprocess.Popen[str]]:
    """A supervisor with the broker and two parts in another process, up and waiting."""
    program = textwrap.dedent(f"""
        from pathlib import Path
        from config.run import broker
        from config.run.processes.child import Part
        from config.run.supervisor import Supervisor
        from tests.config.run.processes import PARENT
        import sys
        folder = Path({str(folder)!r})
        parts = [Part("broker", tuple(broker.server_command(folder)),
                      lambda: "" if broker.answers(folder) else "silent", stage=0, grace=1.5)]
        for name in ("web", "worker"):
            notes = folder / (name + ".pids")
            parts.append(Part(name, (sys.executable, "-I", "-S", "-c", PARENT, str(notes), {manner!r}),
                              lambda notes=notes: "" if notes.exists() and notes.read_text() else "no",
                              grace=2.0))
        environment = {{"VAR_DIR": {str(folder)!r}}}
        with Supervisor({port}, environment, parts=parts, say=lambda line: None) as supervisor:
            print("up", flush=True)
            supervisor.wait()
    """)
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            yield process
        finally:
            process.kill()


def guard_of(supervisor: int) -> int:
    """The process id of a supervisor's guard, 0 when there is none just now."""
    children = Path(f"/proc/{supervisor}/task").glob("*/children")
    for pid in (int(word) for file in children for word in file.read_text().split()):
        if b"guard.py" in Path(f"/proc/{pid}/cmdline").read_bytes() and is_running(pid):
            return pid
    return 0
