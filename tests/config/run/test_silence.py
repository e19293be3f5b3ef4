"""Checks are asked beside the supervisor: one that raises or hangs ends nothing, and long silence is a death."""

import os
import signal
import time
from pathlib import Path

from config.run.processes.child import Part
from config.run.supervisor import Supervisor
from tests.config.run.test_supervisor import until

SLEEP = ("sleep", "600")


class Answers:
    """A check that answers what the test says: a reason, or an exception."""

    def __init__(self) -> None:
        self.now: str | Exception = ""
        self.requests = 0

    def __call__(self) -> str:
        self.requests += 1
        if isinstance(self.now, Exception):
            raise self.now
        return self.now


def supervisor_of(folder: Path, port: int, *parts: Part) -> Supervisor:
    return Supervisor(port, {"VAR_DIR": str(folder)}, parts=parts, say=lambda line: None)


def test_a_check_that_raises_is_asked_again(tmp_path: Path, free_port: int) -> None:
    answers = Answers()
    answers.now = RuntimeError("the broker went away")

    def calm_after_three() -> str:
        if answers.requests == 3:
            answers.now = ""
        return answers()

    with supervisor_of(tmp_path, free_port, Part("worker", SLEEP, calm_after_three)) as supervisor:
        assert answers.requests == 4
        assert supervisor.ready() == {"worker"}


def test_a_check_that_hangs_keeps_no_other_part_waiting(tmp_path: Path, free_port: int, monkeypatch) -> None:
    monkeypatch.setattr("config.run.processes.supervised_part.CHECK_LATER", 0.0)
    calls = []

    def hangs_later() -> str:
        calls.append(1)
        if len(calls) > 1:
            time.sleep(4)
        return ""

    parts = [Part("web", SLEEP, hangs_later), Part("worker", SLEEP, lambda: "")]
    with supervisor_of(tmp_path, free_port, *parts) as supervisor:
        until(lambda: len(calls) > 1, within=2, what="the check hangs")
        first = supervisor.pids()["worker"]
        os.kill(first, signal.SIGKILL)
        until(lambda: supervisor.pids().get("worker", first) != first, within=2.5, what="the worker is back")


def test_a_part_that_is_silent_too_long_is_killed_and_started_again(
    tmp_path: Path, free_port: int, monkeypatch
) -> None:
    monkeypatch.setattr("config.run.processes.supervised_part.CHECK_LATER", 0.02)
    answers = Answers()
    with supervisor_of(tmp_path, free_port, Part("web", SLEEP, answers, patience=0.3)) as supervisor:
        first = supervisor.pids()["web"]
        answers.now = ConnectionError("nobody knows")
        request = answers.requests
        until(lambda: answers.requests > request + 20, within=5, what="asked for longer than its patience")
        assert supervisor.pids()["web"] == first
        answers.now = "did not answer"
        until(lambda: supervisor.pids().get("web", first) != first, within=5, what="it was replaced")
        assert supervisor.deaths() == {"web": 1}


def test_a_part_for_which_there_is_no_room_is_started_later(
    tmp_path: Path, free_port: int, monkeypatch
) -> None:
    with supervisor_of(tmp_path, free_port, Part("web", SLEEP, lambda: "")) as supervisor:
        (part,) = supervisor._supervised
        start, tries = part.child.start, []

        def full_at_first() -> None:
            tries.append(1)
            if len(tries) < 2:
                raise OSError(28, "No space left on device")
            start()

        monkeypatch.setattr(part.child, "start", full_at_first)
        first = supervisor.pids()["web"]
        part.child._process.kill()
        until(lambda: supervisor.pids().get("web", first) != first, within=5, what="it was started")
        assert len(tries) == 2


def test_a_broker_that_dies_while_the_others_start_is_started_again(tmp_path: Path, free_port: int) -> None:
    def once_the_broker_was_replaced() -> str:
        broker = supervisor._supervised[0]
        if broker.deaths == 0 and broker.child.pid:
            os.kill(broker.child.pid, signal.SIGKILL)
        return "" if broker.deaths and broker.child.pid else "the broker is away"

    parts = [Part("broker", SLEEP, lambda: "", stage=0), Part("worker", SLEEP, once_the_broker_was_replaced)]
    supervisor = supervisor_of(tmp_path, free_port, *parts)
    with supervisor:
        assert supervisor.deaths() == {"broker": 1, "worker": 0}
