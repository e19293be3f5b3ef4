"""The embedded deployment in processes of its own, and a hand that kills one of them at random now and then."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from config.run.processes.parts import web_ready
from tests.kit.services import wait_for

ROOT = Path(__file__).parents[1]
SUPERVISOR = "supervisor"
# What the command line of each part has in it.
MARKS = {
    "web": "config.run.web",
    "worker": "worker-",
    "beat": " beat",
    "broker": "valkey-server",
}
READY_WITHIN = 180.0
WHILE_DOWN = 0.2


class SoakSite:
    """`python -m config.run.supervisor`, started again whenever it was killed.

    Attributes:
        kills: how often each part was killed.
        own_deaths: how often the supervisor ended although nobody had killed it.
    """

    def __init__(self, env: dict[str, str], port: int, seed: int) -> None:
        self.url, self.kills, self.own_deaths = f"http://127.0.0.1:{port}", Counter[str](), 0
        self._env, self._port, self._random = {**os.environ, **env}, port, random.Random(seed)
        self._log = (Path(env["VAR_DIR"]) / "supervisor.log").open("ab")
        self._calm = threading.Event()
        self._process = self._start()

    def wait_until_up(self, within: float = READY_WITHIN) -> None:
        """Return once /healthz answers."""
        check = web_ready("127.0.0.1", self._port, {})
        wait_for(lambda: not check(), "the site", within=within)

    def kill_at_random(self, every: float) -> None:
        """Until `calm()`: wait about `every` seconds, then kill -9 one of the parts, or the supervisor.

        Four times in five the next one waits until the site answers again: on a busy machine it would never start.
        """
        while not self._calm.wait(self._random.expovariate(1 / every)):
            if self._random.random() > WHILE_DOWN:
                self._wait_for_answer()
            if self._process.poll() is not None:
                self.own_deaths += 1
                print(f"the supervisor ended by itself; the end of its log:\n{self.end_of_log()}", flush=True)
                self._process = self._start()
            self._kill(self._random.choice([*MARKS, SUPERVISOR]))

    def _wait_for_answer(self) -> None:
        check, until = web_ready("127.0.0.1", self._port, {}), time.monotonic() + READY_WITHIN
        while check() and time.monotonic() < until and not self._calm.wait(0.2):
            if self._process.poll() is not None:
                return

    def calm(self) -> None:
        """No more killing."""
        self._calm.set()

    def stop(self) -> None:
        """End everything."""
        self._process.terminate()
        self._process.wait(timeout=60)
        self._log.close()

    def end_of_log(self) -> str:
        """The last lines of the supervisor's log."""
        return Path(self._log.name).read_text(errors="replace")[-2000:]

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "config.run.supervisor", "--port", str(self._port)]
        return subprocess.Popen(command, cwd=ROOT, env=self._env, stdout=self._log, stderr=self._log)

    def _kill(self, name: str) -> None:
        if name == SUPERVISOR:
            self._process.kill()
            self._process.wait()
            self._process = self._start()
        else:
            pids = [pid for pid, line in self._children().items() if MARKS[name] in line]
            if not pids:  # it was killed a moment ago
                return
            os.kill(self._random.choice(pids), signal.SIGKILL)
        self.kills[name] += 1

    def _children(self) -> dict[int, str]:
        children = {}
        for listed in Path(f"/proc/{self._process.pid}/task").glob("*/children"):
            for pid in map(int, listed.read_text().split()):
                try:
                    line = Path(f"/proc/{pid}/cmdline").read_bytes()
                except FileNotFoundError:
                    continue
                children[pid] = line.replace(b"\0", b" ").decode(errors="replace")
        return children
