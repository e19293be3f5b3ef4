"""The real parts of the embedded deployment, on the test's own database, to be killed by the test."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from django.db import connection

from config.run.processes.child import Child, Guard
from config.run.processes.parts import embedded_parts
from tests.kit.services import free_port

ROOT = Path(__file__).parents[2]
# A worker that is silent for so long is taken for dead: short, so that tests need not wait, and yet several
# times what a busy machine makes a heartbeat late.
LEASE_SECONDS = 6


class Deployment:
    """Broker, web, worker and beat as `make demo` starts them, but started and killed one by one.

    Attributes:
        url: where the web server answers once it runs.
    """

    def __init__(self, var_dir: Path, guard: Guard) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        env = {**_environment(), "VAR_DIR": str(var_dir)}
        parts = embedded_parts(host="127.0.0.1", port=port, var_dir=var_dir, env={})
        self._children = {
            part.name: Child(part, env=env, cwd=ROOT, log_dir=var_dir / "log", guard=guard) for part in parts
        }

    def start(self, *names: str) -> None:
        """Start the parts, without waiting for them."""
        for name in names:
            self._children[name].start()

    def restart_the_dead(self) -> int:
        """What the supervisor does: a part that ended by itself is started again. Returns how many did."""
        dead = [child for child in self._children.values() if child.exit_cause() is not None]
        for child in dead:
            child.start()
        return len(dead)

    def kill(self, name: str) -> None:
        """`kill -9` of the part and of everything that it started."""
        child = self._children[name]
        assert child.exit_cause() is None, self.log_of(name)
        child.kill()

    def is_ready(self, name: str) -> bool:
        """Whether the part answers its check."""
        return not self._children[name].part.ready()

    def log_of(self, name: str) -> str:
        """The end of the part's log."""
        return f"the end of {name}'s log:\n{self._children[name].last_lines(20)}"

    def wait_for(self, condition: Callable[[], object], what: str, *, within: float = 120.0) -> None:
        """Return once the condition holds; fail with all logs when it does not within so many seconds."""
        until = time.monotonic() + within
        while not condition():
            if time.monotonic() > until:
                logs = "\n".join(self.log_of(name) for name in self._children)
                pytest.fail(f"{what} did not happen within {within:g} s\n{logs}")
            time.sleep(0.01)

    def end(self) -> None:
        """Kill what runs."""
        for child in self._children.values():
            child.kill()


def _environment() -> Mapping[str, str]:
    """This process's, with the test's database and without another broker."""
    env = {**os.environ, "DATABASE_URL": _database_url(), "WORK_LEASE_SECONDS": str(LEASE_SECONDS)}
    env.pop("REDIS_URL", None)
    env.pop("STORAGE_URL", None)
    return env


def _database_url() -> str:
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    return "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**settings)


@pytest.fixture
def deployment(transactional_db: None, tmp_path: Path) -> Iterator[Deployment]:
    """Nothing runs yet."""
    with Guard() as guard:
        deployment = Deployment(tmp_path, guard)
        yield deployment
        deployment.end()
