"""What history costs: a study with many judgments beside one with few, in CPU seconds, queries and memory.

    python -m benchmarks.history [--full]

Both studies are bulk rows in scratch databases, shaped by `benchmarks._scratch_rows` and read by the product's own
services. Every measure runs in a process of its own, so that its memory is its own: the peak over that of the bare
process.
The default has 20 thousand triplets and 100 thousand judgments, a few minutes on two cores; --full has 270 thousand
and a million. There are no pictures: what reads them (snapshots, encoding) is not measured here.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
import uuid
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks._scratch_rows import Size, fill, timing

SMALL = Size(triplets=1_000, judgments=2_000)
LARGE = Size(triplets=20_000, judgments=100_000)
FULL = Size(triplets=270_000, judgments=1_000_000, codecs=10, bitrates=6)
NEW_ANSWERS = 1_000


def ready(env: dict[str, str]) -> None:
    """Readies Django for the database that `env` names."""
    import django

    os.environ.update(env)
    django.setup()
    from django.conf import settings

    # The shared cache is the broker's server, which does not run here.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}


def build(env: dict[str, str], size: Size) -> None:
    """Fills the database: the body of a child process."""
    ready(env)
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    fill(size)
    if connection.vendor == "postgresql":
        connection.cursor().execute("ANALYZE")


def results(study: Any) -> None:
    """The figures of the results page, computed by a worker."""
    from annotation.reports.results import compute_results

    compute_results(study, "people")


def quality(study: Any) -> None:
    """Figures of all annotators, from nothing; the scales stay in the cache."""
    from annotation.services.annotator_quality import refresh_quality

    refresh_quality(study)


def quality_of_new(study: Any) -> None:
    """The same after a thousand new answers; see `before`."""
    quality(study)


def priorities(study: Any) -> None:
    """The next pairs of a study that ranks."""
    from annotation.services.allocation.ranking import refresh_ranking

    refresh_ranking(study=study)


def priorities_again(study: Any) -> None:
    """Whether they need to be computed again, where nobody has judged since: every two minutes."""
    from annotation.services.allocation.ranking import state_of_votes

    state_of_votes(study)


def stop_rule(study: Any) -> None:
    """Whether every interval is narrow enough."""
    from annotation.services.stopping import widest_halfwidth

    widest_halfwidth(study)


def opening(study: Any) -> None:
    """What a request to resume the study does itself; a worker does the rest."""
    from annotation.services.studies import open_study, pause_study

    pause_study(study=study)
    open_study(study=study, large_by_worker=True)


def planning(study: Any) -> None:
    """The rest."""
    from annotation.services.planning import plan

    plan(study=study)


def hundred_pairs(study: Any) -> None:
    """A hundred claims and answers of one annotator, through the services."""
    judge(study, 100)


def judge(study: Any, pairs: int) -> None:
    """So many new answers, by an annotator for every fifty."""
    from annotation.services.sessions import begin_session
    from tests.kit.answers import claim_next, record_judgment

    for done in range(pairs):
        if done % 50 == 0:
            session = begin_session(study=study)
        claimed: Any = claim_next(session=session)
        record_judgment(
            session=session,
            judgment_id=uuid.uuid4(),
            assignment_id=claimed.pk,
            answer="left",
            timing=timing(),
        )


MEASURES: tuple[Callable[[Any], None], ...] = (
    *(
        results,
        priorities,
        priorities_again,
        stop_rule,
        quality,
        quality_of_new,
        hundred_pairs,
        opening,
        planning,
    ),
)


def measure(env: dict[str, str], name: str, answer: Connection) -> None:
    """Sends (CPU seconds, wall seconds, queries, MB over the bare process): the body of a child process."""
    ready(env)
    from django.db import connection

    from annotation.models import Study

    do = {one.__name__: one for one in MEASURES}[name]
    study = Study.objects.get(slug="scratch")
    if do is quality_of_new:
        quality(study)
        judge(study, NEW_ANSWERS)
    count = 0

    def counted(execute: Callable[..., Any], *given: Any) -> Any:
        nonlocal count
        count += 1
        return execute(*given)

    bare, cpu, wall = peak_mb(), time.process_time(), time.perf_counter()
    with connection.execute_wrapper(counted):
        do(study)
    answer.send((time.process_time() - cpu, time.perf_counter() - wall, count, peak_mb() - bare))


def peak_mb() -> float:
    """The most memory that this process had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(target: Callable[..., None], *given: Any) -> None:
    """The function in a process of its own."""
    process = multiprocessing.get_context("spawn").Process(target=target, args=given)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{target.__name__} failed; the reason is above.")


def received(target: Callable[..., None], *given: Any) -> Any:
    """What the function, in a process of its own, sent by the connection that it takes last."""
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=target, args=(*given, theirs))
    process.start()
    theirs.close()
    try:
        return mine.recv()
    except EOFError:
        raise SystemExit(f"{target.__name__} failed; the reason is above.") from None
    finally:
        process.join()


def scratch_environment(folder: Path) -> dict[str, str]:
    """The variables of a process with its database in this folder, which is made."""
    folder.mkdir()
    return {
        **os.environ, "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3", "VAR_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "ERROR",
    }  # fmt: skip


def main() -> None:
    """Builds both studies, measures in turns, prints."""
    parser = argparse.ArgumentParser(description="What history costs.")
    parser.add_argument("--full", action="store_true", help="a million judgments of 270 thousand triplets")
    size = FULL if parser.parse_args().full else LARGE
    with tempfile.TemporaryDirectory(prefix="closer-history-", ignore_cleanup_errors=True) as name:
        sides = {}
        for label, held in (("small", SMALL), ("large", size)):
            sides[label] = scratch_environment(Path(name) / label)
            run(build, sides[label], held)
            print(f"{label}: {held}", flush=True)
        print(f"\n{'':16}{'CPU s':>9}{'':>9}{'wall s':>9}{'':>9}{'queries':>9}{'':>9}{'MB':>7}")
        print(f"{'':16}" + f"{'small':>9}{'large':>9}" * 3 + f"{'small':>7}{'large':>7}")
        for one in MEASURES:
            small, large = (received(measure, env, one.__name__) for env in sides.values())
            columns = "".join(f"{small[n]:9.2f}{large[n]:9.2f}" for n in (0, 1))
            counts = f"{small[2]:9}{large[2]:9}{small[3]:7.0f}{large[3]:7.0f}"
            print(f"{one.__name__.replace('_', ' '):16}{columns}{counts}", flush=True)


if __name__ == "__main__":
    main()
