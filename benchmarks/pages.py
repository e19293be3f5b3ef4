"""What every page, export and list of a study costs with its history: a large study beside a small one.

    python -m benchmarks.pages [--full] [--only NAME ...]

The studies are those of `benchmarks.history`, with flags, scheduled snapshots and their runs in proportion. Each
address that takes GET is requested twice by the study's owner: with an empty cache, and after a worker did what the
first request sent to it. Printed are CPU seconds of both, of the worker, queries, and MB over the process before
the request.
--only takes a part of the addresses' names; there are no pictures, so their addresses are skipped.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from benchmarks._scratch_rows import Size
from benchmarks.history import FULL, LARGE, SMALL, build, ready, received, run, scratch_environment

ANSWERS_A_FLAG = 200
ANSWERS_A_SNAPSHOT = 5_000
# They need pixels, files or an answer in progress; or are served without the study.
WITHOUT = ("image", "thumbnail", "whole", "picture", "weights", "download", "archive", "file", "preview", "pack",
           "distance", "preference", "help", "schema", "password", "join", "logout")  # fmt: skip


class Cost(NamedTuple):
    """What one request took."""

    status: int
    cpu: float
    queries: int
    mb: float
    kilobytes: float


class Asked(NamedTuple):
    """The first request, what it sent to a worker (CPU seconds), and the next."""

    first: Cost
    worker: float
    again: Cost


def add_history(size: Size) -> None:
    """Flags, and snapshots and runs of a schedule, in proportion to the judgments of the scratch study."""
    from django.contrib.auth.models import User
    from django.utils import timezone

    from annotation.models import Assignment, Flag, Membership, Snapshot, Study

    study = Study.objects.get(slug="scratch")
    owner = User.objects.create_user("owner", is_staff=True, is_superuser=True)
    Membership.objects.create(study=study, user=owner, role="owner")
    some = Assignment.objects.order_by("pk")[: size.judgments // ANSWERS_A_FLAG]
    Flag.objects.bulk_create(
        Flag(assignment_id=pk, study=study, triplet_id=triplet, cause="flagged")
        for pk, triplet in some.values_list("pk", "triplet_id")
    )
    Snapshot.objects.bulk_create(
        Snapshot(
            study=study, number=number, simulated=False, until=timezone.now(), state="done", scheduled=True
        )
        for number in range(1, size.judgments // ANSWERS_A_SNAPSHOT + 1)
    )


def fill_with_history(env: dict[str, str], size: Size) -> None:
    """The body of a child process."""
    build(env, size)
    add_history(size)


def addresses() -> Iterator[tuple[str, str]]:
    """Name and address of what takes GET and depends on a study."""
    from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

    from annotation.models import Annotator, Study, Triplet

    annotator = Annotator.objects.order_by("pk").first()
    known = {"slug": "scratch", "key": Study.objects.get(slug="scratch").key, "step": "review",
             "annotator": annotator and annotator.pk, "name": "ranking", "form": "svg",
             "pk": Triplet.objects.order_by("pk").values_list("pk", flat=True)[0]}  # fmt: skip

    def named(patterns: Any) -> Iterator[URLPattern]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from named(pattern.url_patterns) if pattern.namespace != "admin" else ()
            else:
                yield pattern

    for pattern in named(get_resolver().url_patterns):
        name = pattern.name or ""
        given = {each: known[each] for each in pattern.pattern.converters if each in known}
        if not name or any(part in name for part in WITHOUT):
            continue
        try:
            yield name, reverse(name, kwargs=given)
        except NoReverseMatch:
            continue
    for model in ("study", "triplet", "judgment", "assignment", "session", "annotator", "enrolment", "flag",
                  "reconstruction", "source", "snapshot"):  # fmt: skip
        try:
            yield f"admin-{model}", reverse(f"admin:annotation_{model}_changelist")
        except NoReverseMatch:
            continue


def measure_pages(env: dict[str, str], only: list[str], answer: Connection) -> None:
    """Sends {name: Asked}: the body of a child process."""
    os.environ["ALLOWED_HOSTS"] = "testserver,localhost"
    ready(env)
    from django.contrib.auth.models import User
    from django.core.cache import cache
    from django.test import Client

    client = Client(raise_request_exception=False)
    client.force_login(User.objects.get(username="owner"))
    costs = {}
    for name, address in addresses():
        if only and not any(part in name for part in only):
            continue
        cache.clear()
        sent: list[tuple[Any, Any]] = []

        def keep(task: Any, args: Any = None, kwargs: Any = None, sent: list[Any] = sent, **_: Any) -> None:
            sent.append((task, args or ()))

        with mock.patch("celery.app.task.Task.apply_async", keep):
            first = request(client, address)
            if first.status == 405:
                continue
            start = time.process_time()
            for task, given in sent:
                task.run(*given)
            worker = time.process_time() - start
            costs[name] = Asked(first, worker, request(client, address))
    answer.send(costs)


def request(client: Any, address: str) -> Cost:
    """One GET, its body read to the end."""
    from django.db import connection

    queries = 0

    def counted(execute: Any, *given: Any) -> Any:
        nonlocal queries
        queries += 1
        return execute(*given)

    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, start = resident_mb("VmHWM"), time.process_time()
    with connection.execute_wrapper(counted):
        response = client.get(address)
        size = sum(map(len, response)) if response.streaming else len(response.content)
    cpu = time.process_time() - start
    return Cost(response.status_code, cpu, queries, resident_mb("VmHWM") - before, size / 1000)


def resident_mb(field: str) -> float:
    """A figure of this process's memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(field))) / 1024


def table(small: dict[str, Asked], large: dict[str, Asked]) -> Iterator[str]:
    """The lines, the dearest address of the large study first."""
    yield f"{'':24}{'status':>7}{'first CPU s':>14}{'worker':>14}{'again':>14}{'queries':>12}{'MB':>12}{'kB':>16}"
    for name, there in sorted(large.items(), key=lambda item: -item[1].again.cpu):
        here = small[name]
        yield (
            f"{name:24}{there.first.status:>7}{here.first.cpu:7.2f}{there.first.cpu:7.2f}{here.worker:7.2f}"
            f"{there.worker:7.2f}{here.again.cpu:7.2f}{there.again.cpu:7.2f}{here.again.queries:6}"
            f"{there.again.queries:6}{here.first.mb:6.0f}{there.first.mb:6.0f}"
            f"{here.again.kilobytes:8.0f}{there.again.kilobytes:8.0f}"
        )


def main() -> None:
    """Builds both studies, walks both, prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="a million judgments of 270 thousand triplets")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="a part of the addresses' names"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="closer-pages-", ignore_cleanup_errors=True) as folder:
        walked = []
        for label, size in (("small", SMALL), ("large", FULL if given.full else LARGE)):
            env = scratch_environment(Path(folder) / label)
            run(fill_with_history, env, size)
            walked.append(received(measure_pages, env, given.only))
        print(*table(*walked), sep="\n")


if __name__ == "__main__":
    main()
