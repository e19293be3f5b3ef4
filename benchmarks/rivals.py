"""Closer beside Label Studio: pairs a second of eight annotators who answer without pause, in one run.

    python -m benchmarks.rivals --label-studio PATH/TO/label-studio [--runs 3] [--seconds 20]

Label Studio Community Edition is installed beforehand, in an environment of its own: `pip install label-studio`
there, then give the path of its command. It runs as `label-studio start` does by itself, on SQLite, in a temporary
folder that is deleted at the end, and without sending usage data. Both have 2,000 pairs and eight annotators of their
own; a client asks for a pair, answers it, and asks again, without pictures, by the program's own API. Only one of the
two has work at any time, in turns, so that what else the machine does meets both. Needs the development requirements.
"""

from __future__ import annotations

import argparse
import http.client
import http.cookiejar
import json
import os
import re
import secrets
import statistics
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from benchmarks._scratch import group_cpu_seconds
from benchmarks._scratch_rows import Size
from benchmarks.serving import FEW_ANNOTATORS, Scratch, Session, Tally, answer_together
from config.run.processes.child import Child, Guard, Part
from tests.kit.services import free_port

TASKS = 2_000
# Until it has made its database and answers.
START_WITHIN_S = 1800
# What is ours must not reach the other program, which is a Django project too.
OURS = ("DJANGO_SETTINGS_MODULE", "DATABASE_URL", "SECRET_KEY", "DEBUG", "PYTHONPATH", "VAR_DIR", "HOST")
PAIRWISE = """<View>
  <Header value="Which one is closer to the original?"/>
  <Image name="original" value="$original"/>
  <Image name="left" value="$left"/>
  <Image name="right" value="$right"/>
  <Pairwise name="closer" toName="left,right"/>
</View>"""
ANSWER = {"from_name": "closer", "to_name": "left", "type": "pairwise", "value": {"selected": "left"}}


class Figures(NamedTuple):
    """What one run came to: pairs a second, web CPU a pair, and quantiles of claim + answer, in ms."""

    rate: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float


class Program(Protocol):
    """One of the two programs, running."""

    def annotators(self, count: int) -> list[Any]:
        """So many, each ready to `answer_until`; all that precedes the first pair is done."""

    def web_cpu_seconds(self) -> float:
        """What its web server has spent so far."""


class Closer:
    """A study of our own in a scratch database, behind the web server of `make demo`."""

    def __init__(self, folder: Path, guard: Guard) -> None:
        size = Size(triplets=TASKS, judgments=0)
        self._scratch = Scratch(size, f"sqlite:///{folder}/closer.sqlite3", folder / "closer", guard)
        self._scratch.wait()
        self.web_cpu_seconds = self._scratch.web_cpu_seconds
        self.end = self._scratch.end

    def annotators(self, count: int) -> list[Session]:
        """New sessions on the study."""
        return [Session(self._scratch.url, self._scratch.key) for _ in range(count)]


class LabelStudio:
    """Label Studio, started by its own command, with a user for each annotator."""

    def __init__(self, command: Path, folder: Path, guard: Guard) -> None:
        port, self._token = free_port(), secrets.token_hex(20)
        self.url = f"http://127.0.0.1:{port}"
        started = (
            *(str(command), "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port)),
            *("--data-dir", str(folder / "label-studio"), "--username", "owner@example.org"),
            *("--password", secrets.token_hex(8), "--user-token", self._token, "--enable-legacy-api-token"),
        )
        env = {name: value for name, value in os.environ.items() if name not in OURS}
        env |= {"COLLECT_ANALYTICS": "false", "LATEST_VERSION_CHECK": "false", "SENTRY_DSN": ""}
        part = Part("label-studio", started, self._problem)
        self._child = Child(part, env=env, cwd=folder, log_dir=folder, guard=guard)
        self._child.start()
        self._wait()
        self.version = _json(self.url, self._token, "GET", "/api/version")["release"]
        self._users: list[str] = []

    def _problem(self) -> str:
        try:
            return "" if _send(self.url, "GET", "/health")[0] == 200 else "/health is not 200"
        except (OSError, http.client.HTTPException) as error:
            return str(error)

    def _wait(self) -> None:
        end = time.monotonic() + START_WITHIN_S
        while problem := self._child.part.ready():
            if self._child.exit_cause() or time.monotonic() > end:
                raise SystemExit(f"Label Studio does not start ({problem}):\n{self._child.last_lines()}")
            time.sleep(1)

    def annotators(self, count: int) -> list[LabelStudioAnnotator]:
        """So many of its users, on a new project with all its tasks open."""
        while len(self._users) < count:
            self._users.append(self._sign_up())
        project = _json(
            self.url, self._token, "POST", "/api/projects", {"title": "Pairs", "label_config": PAIRWISE}
        )
        tasks = [
            {"data": {name: f"/{number}/{name}.png" for name in ("original", "left", "right")}}
            for number in range(TASKS)
        ]
        _json(self.url, self._token, "POST", f"/api/projects/{project['id']}/import", tasks)
        return [LabelStudioAnnotator(self.url, token, project["id"]) for token in self._users[:count]]

    def _sign_up(self) -> str:
        """The token of a new user, made as a person makes one, by the form."""
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        page = browser.open(f"{self.url}/user/signup/").read().decode()
        (hidden,) = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[:1]
        email = f"{secrets.token_hex(6)}@example.org"
        form = {"csrfmiddlewaretoken": hidden, "email": email, "password": secrets.token_hex(8)}
        browser.open(f"{self.url}/user/signup/", urllib.parse.urlencode(form).encode()).read()
        token: str = json.load(browser.open(f"{self.url}/api/current-user/token"))["token"]
        return token

    def web_cpu_seconds(self) -> float:
        """What its process has spent so far."""
        assert self._child.pid is not None, "it runs"
        return group_cpu_seconds(self._child.pid)

    def end(self) -> None:
        """End it."""
        self._child.kill()


class LabelStudioAnnotator:
    """One of its users at its API, over one connection where it keeps it open."""

    def __init__(self, url: str, token: str, project: int) -> None:
        self._url, self._token, self._next = url, token, f"/api/projects/{project}/next"
        self._connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=60)

    def answer_until(self, end: float) -> Tally:
        """Answer without pause until that moment of time.monotonic()."""
        tally = Tally()
        try:
            while time.monotonic() < end:
                start = time.perf_counter()
                task = self._ask("GET", self._next)
                self._ask("POST", f"/api/tasks/{task['id']}/annotations/", {"result": [ANSWER]})
                tally.answers.append(time.perf_counter() - start)
                tally.confirmed += 1
        except (OSError, http.client.HTTPException, RuntimeError, KeyError) as error:
            tally.errors.append(f"{type(error).__name__}: {error}")
        return tally

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        return _json(self._url, self._token, method, path, body, self._connection)


def _json(
    url: str,
    token: str,
    method: str,
    path: str,
    body: Any = None,
    connection: http.client.HTTPConnection | None = None,
) -> Any:
    status, content = _send(url, method, path, body, {"Authorization": f"Token {token}"}, connection)
    if status not in (200, 201):
        raise RuntimeError(f"{method} {path} answered {status}: {content[:300]!r}")
    return json.loads(content)


def _send(
    url: str,
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    connection: http.client.HTTPConnection | None = None,
) -> tuple[int, bytes]:
    connection = connection or http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=600)
    content = {"Content-Type": "application/json", **(headers or {})}
    connection.request(method, path, None if body is None else json.dumps(body), content)
    answer = connection.getresponse()
    return answer.status, answer.read()


def run_once(program: Program, seconds: float) -> Figures:
    """Eight annotators without pause for so long. Raises SystemExit where one of them met an error."""
    annotators = program.annotators(FEW_ANNOTATORS)
    spent = program.web_cpu_seconds()
    tallies = answer_together(annotators, seconds)
    spent = program.web_cpu_seconds() - spent
    if errors := [error for tally in tallies for error in tally.errors]:
        raise SystemExit(f"The run does not count: {errors[0]}")
    confirmed, known = (
        sum(tally.confirmed for tally in tallies),
        sorted(s for t in tallies for s in t.answers),
    )
    p50, p99 = (1e3 * known[int(share * (len(known) - 1))] for share in (0.5, 0.99))
    return Figures(confirmed / seconds, 1e3 * spent / confirmed, p50, p99)


def table(runs: dict[str, list[Figures]]) -> str:
    """Every run, then the medians and the ratio of the rates, the first program's over the second's."""
    lines = [f"{'':16}{'pairs/s':>10}{'web CPU ms':>12}{'p50 ms':>9}{'p99 ms':>9}"]
    medians = {}
    for name, figures in runs.items():
        medians[name] = Figures(*(statistics.median(column) for column in zip(*figures, strict=True)))
        for label, row in [
            *((name, each) for each in figures),
            (f"  median of {len(figures)}", medians[name]),
        ]:
            lines.append(f"{label:16}{row.rate:10.1f}{row.cpu_ms:12.1f}{row.p50_ms:9.0f}{row.p99_ms:9.0f}")
    first, second = (row.rate for row in medians.values())
    return "\n".join([*lines, f"ratio of pairs a second: {first / second:.1f}"])


def main() -> None:
    """Starts both, runs them in turns, prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--label-studio", type=Path, required=True, help="its command, in its own environment"
    )
    parser.add_argument("--runs", type=int, default=3, help="of each (default: 3)")
    parser.add_argument("--seconds", type=float, default=20, help="of each run (default: 20)")
    given = parser.parse_args()
    command = given.label_studio.absolute()
    if not command.is_file():
        parser.error(
            f"there is no {command}; install it in an environment of its own: pip install label-studio"
        )
    with (
        tempfile.TemporaryDirectory(prefix="closer-rivals-", ignore_cleanup_errors=True) as name,
        Guard() as guard,
    ):
        programs: dict[str, Closer | LabelStudio] = {}
        try:
            programs["Closer"] = Closer(Path(name), guard)
            programs["Label Studio"] = rival = LabelStudio(command, Path(name), guard)
            print(f"Label Studio {rival.version}, {os.cpu_count()} cores", flush=True)
            runs: dict[str, list[Figures]] = {each: [] for each in programs}
            for _ in range(given.runs):
                for each, program in programs.items():
                    runs[each].append(run_once(program, given.seconds))
                    print(f"load {os.getloadavg()[0]:.1f}; {each}: {runs[each][-1]}", flush=True)
            print(table(runs))
        finally:
            for program in programs.values():
                program.end()


if __name__ == "__main__":
    main()
