"""What pictures cost the web server: sent by Closer itself, and by nginx in front (PICTURES_BY_PROXY).

    python -m benchmarks.pictures [--pairs 200]

Simulated sessions fetch the three pictures of each pair, of 512 by 512 pixels, and answer it, through nginx both times,
in turns on the same machine: the web server's processor time a pair, and how long a picture takes. Both sides have
shown each picture before: what writing it for the first time costs is not in the figures. Needs the development
requirements and nginx.
"""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks._scratch import group_cpu_seconds
from benchmarks.serving import ROOT, Session
from config.run.processes.child import Child, Guard
from config.run.processes.parts import embedded_parts
from tests.kit.nginx import nginx_before
from tests.kit.services import free_port

SIDE = 512
SOURCES, CODECS = 4, ("avif", "jpeg", "jpegxl", "webp")
PAIRS_A_SESSION = 20
ROUNDS = 3
WARM_UP = 160


def fill() -> str:
    """A study with pictures, enough for any session; returns its key."""
    from itertools import combinations

    from django.core.management import call_command

    from tests.kit.factories import make_reconstruction, make_source, make_study, make_triplet

    call_command("migrate", verbosity=0)
    study = make_study(codecs=list(CODECS), votes_per_triplet=30_000, pairs_per_session=30_000)
    for _ in range(SOURCES):
        source = make_source(study, width=SIDE, height=SIDE)
        made = [make_reconstruction(source, method=codec) for codec in CODECS]
        for first, second in combinations(made, 2):
            make_triplet(study, source=source, first=first, second=second)
    return str(study.key)


class Side:
    """A web server behind nginx, with pictures sent by the one or the other."""

    def __init__(self, name: str, env: dict[str, str], folder: Path, stack: ExitStack) -> None:
        port, work = free_port(), folder / name
        pictures = work / "pictures"
        pictures.mkdir(parents=True)
        env = env | ({"PICTURES_BY_PROXY": str(pictures)} if name == "nginx" else {})
        parts = embedded_parts(host="127.0.0.1", port=port, var_dir=folder, env=env)
        (web,) = [part for part in parts if part.name == "web"]
        self.web = Child(web, env=env, cwd=ROOT, log_dir=work / "log", guard=stack.enter_context(Guard()))
        self.web.start()
        stack.callback(self.web.kill)
        while web.ready():
            time.sleep(0.1)
        self.port = stack.enter_context(nginx_before([port], work, pictures=pictures))
        self.cpu, self.pairs, self.seconds = 0.0, 0, list[float]()

    def judge(self, key: str, pairs: int) -> None:
        """So many pairs with their pictures, in sessions of PAIRS_A_SESSION."""
        before = self._cpu_seconds()
        for number in range(pairs):
            if number % PAIRS_A_SESSION == 0:
                session = Session(f"http://127.0.0.1:{self.port}", key)
            assignment = session.claim()
            self.seconds += [self._fetch(assignment, slot) for slot in ("left", "original", "right")]
            session.answer(assignment)
        self.cpu += self._cpu_seconds() - before
        self.pairs += pairs

    def _cpu_seconds(self) -> float:
        assert self.web.pid is not None, "The web server does not run."
        return group_cpu_seconds(self.web.pid)

    def _fetch(self, assignment: str, slot: str) -> float:
        start = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", f"/api/v1/assignments/{assignment}/{slot}.png")
        answer: Any = connection.getresponse()
        length = len(answer.read())
        connection.close()
        if answer.status != 200 or length < 3 * SIDE * SIDE:
            raise SystemExit(f"A picture came as {answer.status} with {length} bytes.")
        return time.perf_counter() - start


def main() -> None:
    """Fills a database, measures in turns, prints."""
    parser = argparse.ArgumentParser(description="What pictures cost the web server.")
    parser.add_argument("--pairs", type=int, default=200, help="on each side and round (default: 200)")
    pairs = parser.parse_args().pairs
    with (
        tempfile.TemporaryDirectory(prefix="closer-pictures-", ignore_cleanup_errors=True) as name,
        ExitStack() as stack,
    ):
        folder = Path(name)
        env = {
            **os.environ, "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3", "VAR_DIR": name, "LOG_LEVEL": "ERROR",
            "DJANGO_SETTINGS_MODULE": "config.settings", "THROTTLE_RATES": "client=100000/min",
        }  # fmt: skip
        os.environ.update(env)
        import django

        django.setup()
        key = fill()
        sides = {each: Side(each, env, folder, stack) for each in ("closer", "nginx")}
        for side in sides.values():
            side.judge(key, WARM_UP)
            side.cpu, side.pairs, side.seconds = 0.0, 0, []
        for _ in range(ROUNDS):
            for side in sides.values():
                side.judge(key, pairs)
        print(f"{SIDE} x {SIDE} pixels, {ROUNDS * pairs} pairs a side, in turns\n")
        print(f"{'pictures sent by':18}{'web CPU a pair':>16}{'a picture, p50':>16}")
        for label, side in sides.items():
            p50 = 1e3 * statistics.median(side.seconds)
            print(f"{label:18}{1e3 * side.cpu / side.pairs:13.1f} ms{p50:13.1f} ms")


if __name__ == "__main__":
    main()
