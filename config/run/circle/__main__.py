"""The whole circle, twice round, unattended, with simulated annotators, on a real broker, worker, beat and web server.

    python -m config.run.circle

photographs -> reconstructions -> triplets -> 2,000 judgments over HTTP -> snapshot -> training run -> table ->
promotion -> a codec tuned on the version -> it joins the study -> 1,000 judgments more -> a second snapshot, version
and table. What it makes is under var/circle/: snapshot/, metric/, report.html, and the same of the second round under
second/. Exit 0 only if every stage happened.
"""

import argparse
import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from tqdm import tqdm

from config.environment import data_folder
from config.run.circle import StageFailed
from config.run.circle.annotators import judge_all
from config.run.embedded import bring_up, demo_study, staff_login, staff_token
from config.run.supervisor import Supervisor, SupervisorError

JUDGMENTS = 2000
ANNOTATORS = 40
STUDY = "circle"


def main() -> None:
    """Goes round twice."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--judgments", type=int, default=JUDGMENTS)
    arguments = parser.parse_args()
    var_dir = data_folder() / "circle"
    started = time.monotonic()
    try:
        go_round(var_dir, arguments.judgments)
    except (StageFailed, SupervisorError, RuntimeError) as error:
        sys.exit(f"\nThe circle stopped: {error}\nLogs are in {var_dir / 'site' / 'log'}.")
    print(f"\nThe circle was completed twice in {time.monotonic() - started:.0f} s.")


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Prints the stage and how long it took."""
    print(f"{name} …", flush=True)
    started = time.monotonic()
    yield
    print(f"{name}: done in {time.monotonic() - started:.1f} s", flush=True)


def go_round(var_dir: Path, judgments: int) -> None:
    """Every stage in its order. Raises StageFailed at the first that did not happen."""
    shutil.rmtree(var_dir, ignore_errors=True)
    site_dir = var_dir / "site"
    site_dir.mkdir(parents=True)
    env = {**bring_up(site_dir), "RETRAIN_AFTER": str(min(500, judgments))}
    with stage("Photographs in"):
        # Small crops: nobody looks at them, and the table with its eight rows is made in a minute.
        rules: dict[str, Any] = {
            "max_width": 320,
            "max_height": 320,
            "votes_per_triplet": 6,
            "pairs_per_session": 60,
        }
        study, waiting = demo_study(slug=STUDY, name="The circle (simulated annotators)", **rules)
        print(f"  {study.sources.count()} photographs, {len(waiting)} reconstructions to make")
    with stage("Broker, worker, beat and web server"):
        supervisor = Supervisor(port=free_port(), env=env, say=lambda line: print(f"  {line}", flush=True))
        supervisor.__enter__()
    try:
        _with_services(study, waiting, judgments, supervisor.url.rstrip("/"), var_dir)
    finally:
        supervisor.__exit__(None, None, None)


def _with_services(study: "Study", waiting: list[int], judgments: int, url: str, var_dir: Path) -> None:  # type: ignore[name-defined]  # noqa: F821
    from config.run.circle import stages

    staff_login(var_dir / "site")
    with stage("Reconstructions and triplets"):
        stages.encode(study, waiting)
    _judge(study, judgments, url, so_far=0)
    first = _learn(study, var_dir, after=None)
    with stage("Promotion"):
        stages.promote(first)
    with stage(f"A codec tuned on version {first.number}"):
        codec = stages.tune_codec(first)
    with stage(f"{codec} joins the study"):
        stages.encode(study, stages.join_study(study, codec))
    _judge(study, judgments // 2, url, so_far=judgments)
    second = _learn(study, var_dir / "second", after=first)
    for version, folder in ((first, var_dir), (second, var_dir / "second")):
        stages.report(study, version, folder)
    print(
        f"{codec} was judged by simulated annotators, whose answers say nothing about the quality of codecs."
    )


def _judge(study: "Study", judgments: int, url: str, *, so_far: int) -> None:  # type: ignore[name-defined]  # noqa: F821
    from config.run.circle import stages

    with stage(f"{judgments} judgments by simulated annotators, over HTTP"), _bar(judgments) as bar:
        given = judge_all(
            url,
            study.key,
            staff_token(),
            target=judgments,
            annotators=max(ANNOTATORS, judgments // 50),
            at_once=6,
            progress=partial(show, bar),
        )
        stages.check_judgments(study, so_far + given, so_far + judgments)


def _learn(study: "Study", folder: Path, *, after: Any) -> Any:  # type: ignore[name-defined]  # noqa: F821
    """The version that beat's schedule makes of what was judged."""
    from config.run.circle import stages

    with stage("Snapshot, on beat's schedule"):
        run = stages.wait_for_scheduled_run(study, after=after)
        stages.wait_for_snapshot(run, folder / "snapshot")
    with stage("Training run"):
        return stages.wait_for_version(run, folder / "metric")


def _bar(total: int) -> "tqdm[NoReturn]":
    return tqdm(total=total, unit=" judgments", mininterval=1, disable=None)


def show(bar: "tqdm[NoReturn]", done: int) -> None:
    """Moves a progress bar to `done`."""
    bar.update(done - bar.n)


def free_port() -> int:
    """PORT, or one that nobody uses."""
    if port := os.environ.get("PORT"):
        return int(port)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


if __name__ == "__main__":
    main()
