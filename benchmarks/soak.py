"""Soak: people judge while every process is killed -9 at random; then the counts are checked.

    python -m benchmarks.soak [--answers 2000] [--minutes M] [--annotators 50] [--every 5] [--postgres] [--seed 1]

Web, workers, broker, beat and the supervisor are killed. Simulated annotators judge over HTTP and send an answer
again until the server says something, as the judging page does; now and then one leaves with a pair in hand.
Meanwhile photographs are encoded by several codecs. At the end it prints what was lost (confirmed, and not in the
database), double (counted twice), stuck (leases and work that did not come back), and the counters that are wrong.
All must be 0, the supervisor must not have ended by itself, and no annotator may have given up (which they do when a
request fails for ten minutes: the machine may be too busy); the exit code is 1 otherwise.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import django
from tqdm import tqdm

from benchmarks._scratch_rows import Size, fill
from benchmarks._soak_people import Person, Tally
from benchmarks._soak_site import SoakSite
from tests.kit.services import free_port, postgres_binaries, private_postgres

PHOTOGRAPHS = 12
# Leases of pairs run out after a quarter of an hour; here sooner, so that a short run sees them come back.
LEASE_SECONDS = 60
SETTLE_WITHIN = 600.0


@dataclass(frozen=True)
class Counts:
    """What the database says at the end; all but `judgments` must be 0."""

    judgments: int
    lost: int
    double: int
    stuck_leases: int
    stuck_work: int
    failed_work: int
    wrong_counters: int

    @property
    def balanced(self) -> bool:
        """Whether nothing is wrong."""
        wrong = (self.lost, self.double, self.stuck_leases, self.stuck_work, self.failed_work)
        return not any(wrong) and not self.wrong_counters


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--answers", type=int, default=2000, help="confirmed answers (default: 2000)")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop earlier, after so many minutes")
    parser.add_argument("--annotators", type=int, default=50, help="at once (default: 50)")
    parser.add_argument("--every", type=float, default=5.0, help="seconds of rest between kills (default: 5)")
    parser.add_argument("--seed", type=int, default=1, help="of who is killed when (default: 1)")
    parser.add_argument(
        "--postgres", action="store_true", help="instead of SQLite; needs Debian's postgresql"
    )
    options = parser.parse_args()
    with installation(options.postgres) as env:
        sys.exit(0 if soak(env, options) else 1)


@contextmanager
def installation(postgres: bool) -> Iterator[dict[str, str]]:
    """The environment of an installation with a database of its own, gone afterwards."""
    binaries = postgres_binaries() if postgres else None
    if postgres and binaries is None:
        sys.exit("error: --postgres needs a Postgres server; on Debian: apt-get install postgresql")
    with tempfile.TemporaryDirectory(prefix="closer-soak-", ignore_cleanup_errors=True) as folder:
        env = {
            "VAR_DIR": folder,
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "STORAGE_URL": "",
            "DEBUG": "false",
            "SECRET_KEY": "soak",
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "LOG_LEVEL": "WARNING",
            "THROTTLE_RATES": ",".join(
                f"{scope}=1000000/s" for scope in ("session", "client", "next", "answer")
            ),
        }
        if binaries is None:
            yield env
        else:
            with private_postgres(binaries) as url:
                yield env | {"DATABASE_URL": url}


def soak(env: dict[str, str], options: argparse.Namespace) -> bool:
    """Run it and print what came out; returns whether the counts balance."""
    study, token = prepare(env, options)
    site = SoakSite(env, free_port(), options.seed)
    try:
        site.wait_until_up()
        tally = Tally(options.answers, until=time.monotonic() + options.minutes * 60)
        killer = threading.Thread(target=site.kill_at_random, args=(options.every,))
        killer.start()
        began = time.monotonic()
        judge(site, study, token, tally, options.annotators)
        seconds = time.monotonic() - began
        site.calm()
        killer.join()
        site.wait_until_up(SETTLE_WITHIN)
        counts = settle(tally)
    finally:
        site.calm()
        site.stop()
    report(site, tally, counts, seconds)
    return counts.balanced and not site.own_deaths and not tally.gave_up


def prepare(env: dict[str, str], options: argparse.Namespace) -> tuple[str, str]:
    """Tables, a study to judge, photographs to encode; returns the study's key and a researcher's token."""
    os.environ.update(env, DJANGO_SETTINGS_MODULE="config.settings")
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from annotation.services.tokens import make_token

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    # A quarter more than needed: some pairs are leased to people who went away.
    study = fill(Size(triplets=max(200, int(1.5 * options.answers / options.annotators)), judgments=0))
    type(study).objects.update(lease_seconds=LEASE_SECONDS)
    to_encode()
    researcher = User.objects.create_superuser("researcher")
    return study.key, make_token(user=researcher)[1]


def to_encode() -> None:
    """Photographs whose reconstructions wait for a worker; beat finds them."""
    from annotation.core.protocol import Protocol
    from annotation.services.sources import add_source
    from annotation.services.studies import create_study, open_study
    from tests.kit.factories import make_png

    protocol = Protocol.bare().to_json()
    codecs = ["jpeg", "webp", "jpeg2000"]
    study = create_study(name="Encoded", codecs=codecs, target_bpps=[0.37, 0.67], protocol=protocol)
    for number in range(PHOTOGRAPHS):
        add_source(study=study, file=make_png(number, width=200, height=200), name=f"photograph {number}")
    open_study(study=study)


def judge(site: SoakSite, study: str, token: str, tally: Tally, annotators: int) -> None:
    """All annotators at once, until there are enough answers."""
    with (
        ThreadPoolExecutor(annotators) as pool,
        tqdm(total=tally.wanted, unit=" answers", mininterval=10) as bar,
    ):
        people = [pool.submit(Person(site.url, study, token, tally).judge) for _ in range(annotators)]
        while not all(person.done() for person in people):
            time.sleep(0.5)
            bar.update(len(tally.confirmed) - bar.n)
        tally.gave_up = [str(person.exception()) for person in people if person.exception()]


def settle(tally: Tally) -> Counts:
    """The counts, once nothing changes any more or the time for it is up."""
    until = time.monotonic() + SETTLE_WITHIN
    while True:
        counts = read_counts(tally)
        if not (counts.stuck_leases or counts.stuck_work) or time.monotonic() > until:
            return counts
        time.sleep(5)


def read_counts(tally: Tally) -> Counts:
    """What the database says now."""
    from django.db import connection
    from django.db.models import Count, F
    from django.utils import timezone

    from annotation.models import Assignment, Judgment, Reconstruction, Triplet
    from annotation.services.counters import counts

    stored = set(Judgment.objects.values_list("pk", flat=True))
    counted = Judgment.objects.counted().order_by()
    double = counted.values("assignment").annotate(n=Count("pk")).filter(n__gt=1).count()
    leases = Assignment.objects.filter(state=Assignment.State.LEASED, expires_at__lt=timezone.now())
    right = {f"right_{name}": count for name, count in counts(simulated=True).items()}
    triplets = Triplet.objects.annotate(**right)
    wrong = sum(triplets.exclude(**{name.removeprefix("right_"): F(name)}).count() for name in right)
    result = Counts(
        judgments=len(stored),
        lost=len(tally.confirmed - stored),
        double=double,
        stuck_leases=leases.count(),
        stuck_work=Reconstruction.objects.pending().count(),
        failed_work=Reconstruction.objects.filter(state=Reconstruction.State.FAILED).count(),
        wrong_counters=wrong,
    )
    connection.close()
    return result


def report(site: SoakSite, tally: Tally, counts: Counts, seconds: float) -> None:
    """Prints it."""
    kills = ", ".join(f"{name} {count}" for name, count in sorted(site.kills.items()))
    quantiles = statistics.quantiles(tally.seconds, n=100) if len(tally.seconds) > 1 else [0.0] * 99
    print(f"killed: {kills}; the supervisor ended by itself {site.own_deaths} times")
    print(f"answers: {len(tally.confirmed):,} confirmed in {seconds:.0f} s ({tally.refused:,} refused)")
    for reason in tally.gave_up[:1]:
        print(
            f"annotators who gave up: {len(tally.gave_up)}, the first one because {reason}; the supervisor's log ends:"
        )
        print(site.end_of_log())
    print(f"requests that had to be sent again: {tally.retries:,}")
    print(f"claim + answer: median {quantiles[49] * 1000:.0f} ms, 99 % within {quantiles[98] * 1000:.0f} ms")
    print(f"longest time without a confirmation: {tally.longest_silence:.1f} s")
    print(
        f"stored: {counts.judgments:,}, of which {counts.judgments - len(tally.confirmed):,} were never confirmed"
    )
    for name in ("lost", "double", "stuck_leases", "stuck_work", "failed_work", "wrong_counters"):
        print(f"{name.replace('_', ' ')}: {getattr(counts, name)}")


if __name__ == "__main__":
    main()
