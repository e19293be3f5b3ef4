"""Serving: what a claim and an answer cost in a small study and in a large one, side by side in one run.

    python -m benchmarks.serving [--quick] [--postgres]

Claim + answer round trips, through the services and through HTTP, at 1 thousand and 1 million judgments and at
1 thousand and 200 thousand triplets, in turns; claims in a finished study; then eight and fifty annotators at once who
answer without pause, each answer bringing the next pair as on the judging page. Ratios are what to look at:
milliseconds depend on the machine and on what else it does. The large databases take some minutes to fill. Needs the
development requirements; --postgres a Postgres too.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from benchmarks._scratch import group_cpu_seconds, measure_on_order, seconds_of
from benchmarks._scratch_rows import Size, timing
from config.run.processes.child import Child, Guard
from config.run.processes.parts import embedded_parts
from tests.kit.services import free_port, postgres_binaries, private_postgres

ROOT = Path(__file__).parents[1]
ROUND = 20  # round trips in a row on one side, then it is the other's turn
ANNOTATORS = 50
FEW_ANNOTATORS = 8


@dataclass(frozen=True)
class Scale:
    """How large is large, and how long to measure."""

    judgments: int
    triplets: int
    rounds: int
    load_seconds: float


FULL = Scale(judgments=1_000_000, triplets=200_000, rounds=15, load_seconds=20)
QUICK = Scale(judgments=50_000, triplets=20_000, rounds=5, load_seconds=5)


class Scratch:
    """A filled database, the process that asks it through the services, and a web server on it.

    Attributes:
        url: of the web server.
        key: of the study, once it is there.
    """

    def __init__(self, size: Size, database_url: str, var_dir: Path, guard: Guard) -> None:
        self.size, self.key, port = size, "", free_port()
        self.url = f"http://127.0.0.1:{port}"
        env = {**os.environ, "DATABASE_URL": database_url, "VAR_DIR": str(var_dir), "LOG_LEVEL": "ERROR"}
        # As `make demo` sets them: with DEBUG each statement would be kept.
        env |= {"DEBUG": "off", "SECRET_KEY": "benchmark", "DJANGO_SETTINGS_MODULE": "config.settings"}
        parts = embedded_parts(host="127.0.0.1", port=port, var_dir=var_dir, env=env)
        (web,) = [part for part in parts if part.name == "web"]
        self._web = Child(web, env=env, cwd=ROOT, log_dir=var_dir / "log", guard=guard)
        self._orders: Connection
        self._orders, theirs = multiprocessing.Pipe()
        spawn = multiprocessing.get_context("spawn")
        self._process = spawn.Process(target=measure_on_order, args=(size, env, theirs), daemon=True)
        self._process.start()
        theirs.close()  # so that we hear when the process dies

    def wait(self) -> None:
        """Until the database is filled and the web server answers."""
        try:
            self.key = self._orders.recv()
        except EOFError:
            raise SystemExit(f"The database with {self.size} can't be filled; the reason is above.") from None
        self._web.start()
        while self._web.part.ready():
            if self._web.exit_cause():
                raise RuntimeError(f"The web server does not start:\n{self._web.last_lines()}")
            time.sleep(0.1)

    def order(self, name: str, count: int = 0) -> Any:
        """What the process says to the order; see `measure_on_order`."""
        self._orders.send((name, count))
        return self._orders.recv()

    def trips_over_http(self, count: int) -> list[float]:
        """Seconds of each claim + answer of one session."""
        session = Session(self.url, self.key)
        return [seconds_of(lambda: session.answer(session.claim())) for _ in range(count)]

    def web_cpu_seconds(self) -> float:
        """What the web server's processes have spent so far."""
        assert self._web.pid is not None, "The web server does not run."
        return group_cpu_seconds(self._web.pid)

    def end(self) -> None:
        """End both processes."""
        self._web.kill()
        self._process.terminate()
        self._process.join()


@dataclass
class Tally:
    """What the requests of a session met."""

    answers: list[float] = field(default_factory=list)
    confirmed: int = 0
    sent_again: int = 0
    errors: list[str] = field(default_factory=list)


class Session:
    """One annotator at the endpoints, over one connection, as a browser is."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        self.tally = Tally()
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        self._key = self._ask("POST", "/api/v1/sessions/", {"study": key})["key"]

    def claim(self) -> str:
        """The id of the next assignment."""
        pair = self._ask("POST", f"/api/v1/sessions/{self._key}/next/", {"holding": []})
        assignment_id: str = pair["assignment"]["id"]
        return assignment_id

    def answer(self, assignment: str) -> None:
        """Have the answer confirmed."""
        self._answer(assignment)

    def answer_and_claim(self, assignment: str) -> str:
        """Have the answer confirmed, and the next pair with it, as the judging page does; the id of that one."""
        claimed: str = self._answer(assignment, holding=[])["next"]["assignment"]["id"]
        return claimed

    def _answer(self, assignment: str, **more: Any) -> Any:
        content = {"assignment": assignment, "answer": "left", "timing": timing(), **more}
        recorded = self._ask("PUT", f"/api/v1/judgments/{uuid.uuid4()}/", content)
        self.tally.confirmed += 1
        return recorded

    def answer_until(self, end: float) -> Tally:
        """Answer without pause until that moment of time.monotonic(); each answer brings the next pair."""
        try:
            assignment = self.claim()
            while time.monotonic() < end:
                start = time.perf_counter()
                assignment = self.answer_and_claim(assignment)
                self.tally.answers.append(time.perf_counter() - start)
        except (OSError, http.client.HTTPException, RuntimeError, KeyError) as error:
            self.tally.errors.append(f"{type(error).__name__}: {error}")
        return self.tally

    def _ask(self, method: str, path: str, body: dict[str, Any]) -> Any:
        try:
            status, content = self._send(method, path, body)
        except (ConnectionError, http.client.RemoteDisconnected):  # an idle connection that the server closed
            self._connection.close()
            self.tally.sent_again += 1
            status, content = self._send(method, path, body)
        if status not in (200, 201):
            raise RuntimeError(f"{method} {path} answered {status}: {content[:300]!r}")
        return json.loads(content)

    def _send(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json"}
        if method == "PUT":
            headers["X-Closer-Session"] = self._key
        self._connection.request(method, path, json.dumps(body), headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()


def compare(small: Scratch, large: Scratch, rounds: int) -> None:
    """Prints the medians of both sides, measured in turns, and their ratio."""
    measures: dict[str, Callable[[Scratch], list[float]]] = {
        "claim + answer, services": lambda side: side.order("trips", ROUND),
        "claim + answer, HTTP": lambda side: side.trips_over_http(ROUND),
        "claim, study finished": lambda side: side.order("nothing", ROUND),
    }
    print(f"\nsmall: {small.size}\nlarge: {large.size}")
    print(f"{'':28}{'small':>12}{'large':>12}{'ratio':>8}")
    for label, measure in measures.items():
        seconds: dict[Scratch, list[float]] = {small: [], large: []}
        for side in seconds:
            measure(side)  # to warm up
        for _ in range(rounds):
            for side, known in seconds.items():
                known.extend(measure(side))
        few, many = (statistics.median(seconds[side]) for side in (small, large))
        print(f"{label:28}{1e3 * few:10.2f}ms{1e3 * many:10.2f}ms{many / few:8.2f}", flush=True)


def answer_together(annotators: Sequence[Any], seconds: float) -> list[Tally]:
    """Everybody's `answer_until` at once, for so long."""
    end = time.monotonic() + seconds
    with ThreadPoolExecutor(len(annotators)) as pool:
        return list(pool.map(lambda one: one.answer_until(end), annotators))


def crowd(scratch: Scratch, seconds: float, annotators: int) -> None:
    """Prints what so many annotators meet who answer without pause for so long, and what the web server spends."""
    before = scratch.order("count")
    sessions = [Session(scratch.url, scratch.key) for _ in range(annotators)]
    spent = scratch.web_cpu_seconds()
    tallies = answer_together(sessions, seconds)
    spent = scratch.web_cpu_seconds() - spent
    rows = scratch.order("count") - before
    confirmed = sum(tally.confirmed for tally in tallies)
    errors = [error for tally in tallies for error in tally.errors]
    print(f"\n{annotators} annotators without pause for {seconds:g} s")
    each_ms = 1e3 * spent / max(1, confirmed)
    print(f"pairs a second {confirmed / seconds:.1f}; web CPU a pair {each_ms:.1f} ms, without pictures")
    print(f"answers confirmed {confirmed}, rows {rows}, {'equal' if rows == confirmed else 'NOT EQUAL'}")
    print(f"errors {len(errors)}{''.join(f'{chr(10)}  {error}' for error in errors[:5])}")
    print(f"requests sent again {sum(tally.sent_again for tally in tallies)}")
    known = sorted(value for tally in tallies for value in tally.answers)
    p50, p99 = (1e3 * known[int(share * (len(known) - 1))] for share in (0.5, 0.99))
    print(f"answer with the next pair: p50 {p50:.0f} ms, p99 {p99:.0f} ms")


@contextmanager
def database_urls(folder: Path, *, postgres: bool) -> Iterator[Callable[[str], str]]:
    """A function from a name to the DATABASE_URL of an empty database."""
    if not postgres:
        yield lambda name: f"sqlite:///{folder / name}.sqlite3"
        return
    binaries = postgres_binaries()
    if binaries is None:
        raise SystemExit("There is no Postgres here. On Debian: apt-get install postgresql")
    with private_postgres(binaries) as url:

        def create(name: str) -> str:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}".encode())
            return f"{url.rpartition('/')[0]}/{name}"

        yield create


def main() -> None:
    """Fills the databases, measures, prints."""
    parser = argparse.ArgumentParser(description="What serving a pair costs.")
    parser.add_argument("--quick", action="store_true", help="smaller databases: minutes become seconds")
    parser.add_argument("--postgres", action="store_true", help="a private Postgres instead of SQLite")
    arguments = parser.parse_args()
    scale = QUICK if arguments.quick else FULL
    sizes = {
        "few": Size(triplets=1000, judgments=1000),
        "triplets": Size(triplets=scale.triplets, judgments=1000),
        "young": Size(triplets=20_000, judgments=1000),
        "old": Size(triplets=20_000, judgments=scale.judgments),
    }
    print(f"Serving on {'Postgres' if arguments.postgres else 'SQLite'}; filling the databases", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="closer-bench-", ignore_cleanup_errors=True) as name,
        Guard() as guard,
    ):
        folder = Path(name)
        with database_urls(folder, postgres=arguments.postgres) as url_of:
            sides = {
                key: Scratch(size, url_of(key), folder / f"{key}-var", guard) for key, size in sizes.items()
            }
            try:
                for side in sides.values():
                    side.wait()
                compare(sides["young"], sides["old"], scale.rounds)
                compare(sides["few"], sides["triplets"], scale.rounds)
                for annotators in (FEW_ANNOTATORS, ANNOTATORS):
                    crowd(sides["few"], scale.load_seconds, annotators)
            finally:
                for side in sides.values():
                    side.end()


if __name__ == "__main__":
    main()
