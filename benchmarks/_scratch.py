"""A scratch database in a process of its own, which measures claims and answers on request."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

import django

from benchmarks._scratch_rows import Size, fill, timing

if TYPE_CHECKING:
    from annotation.models import Study


def measure_on_order(size: Size, env: dict[str, str], orders: Connection) -> None:
    """Fill the database that `env` names, then answer orders until None comes: the body of a child process.

    First sends the study's key. The order ("trips", n) makes a new annotator judge n pairs and sends the seconds
    of each claim + answer; ("nothing", n) asks n times for a pair of the finished study; ("count", 0) sends the
    number of judgments.
    """
    os.environ.update(env)
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    study = fill(size)
    if (
        connection.vendor == "postgresql"
    ):  # as autovacuum does in time; SQLite goes without, as it does in use
        connection.cursor().execute("ANALYZE")
    orders.send(study.key)
    while order := orders.recv():
        name, count = order
        orders.send(
            {"trips": round_trips, "nothing": empty_claims, "count": count_judgments}[name](study, count)
        )


def round_trips(study: Study, count: int) -> list[float]:
    """Seconds of each claim + answer of one session."""
    from annotation.models import Assignment
    from annotation.services.sessions import begin_session
    from tests.kit.answers import claim_next, record_judgment

    session = begin_session(study=study)
    measured = timing()

    def trip() -> None:
        claimed = claim_next(session=session)
        assert isinstance(claimed, Assignment), claimed
        record_judgment(
            session=session,
            judgment_id=uuid.uuid4(),
            assignment_id=claimed.pk,
            answer="left",
            timing=measured,
        )

    return [seconds_of(trip) for _ in range(count)]


def empty_claims(study: Study, count: int) -> list[float]:
    """Seconds of each claim that hears "nothing left", as all hear once a large study is finished."""
    from annotation.models import Triplet
    from annotation.services.claims import NoPair
    from annotation.services.sessions import begin_session
    from tests.kit.answers import claim_next

    session = begin_session(study=study)
    wanted = study.votes_per_triplet
    fewest = Triplet.objects.filter(study=study).order_by("votes").values_list("votes", flat=True)[0]
    study.votes_per_triplet = fewest
    study.save(update_fields=["votes_per_triplet"])

    def ask() -> None:
        claimed = claim_next(session=session)
        assert isinstance(claimed, NoPair) and claimed.status == "nothing_left", claimed

    seconds = [seconds_of(ask) for _ in range(count)]
    study.votes_per_triplet = wanted
    study.save(update_fields=["votes_per_triplet"])
    return seconds


def count_judgments(study: Study, _: int) -> int:
    """How many judgments the study has."""
    return study.judgments.count()


def seconds_of(call: Callable[[], object]) -> float:
    """How long the call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def group_cpu_seconds(group: int) -> float:
    """What the processes of a group have spent so far; 0 where the system does not say."""
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended meanwhile
            fields = file.read_text().rpartition(")")[2].split()
            # Fields 5, 14 and 15 of proc(5): process group, user and system time.
            ticks += (int(fields[2]) == group) * (int(fields[11]) + int(fields[12]))
    return ticks / os.sysconf("SC_CLK_TCK")
