"""What the stream promises, counted: 100 simulated annotators judge 100 pairs each under a laboratory's rules.

    python -m benchmarks.protocol [--quick]

Everything goes through the services, as it does behind the web server. Prints the share of each kind of check
beside its rate, how far sides are from even, and what must be zero.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import django


def main() -> None:
    """Fills a scratch database, judges, and prints what it finds there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="20 annotators instead of 100")
    annotators = 20 if parser.parse_args().quick else 100
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        os.environ |= {"DATABASE_URL": f"sqlite:///{Path(folder) / 'scratch.sqlite3'}", "VAR_DIR": folder}
        os.environ["LOG_LEVEL"] = "ERROR"
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        _measure(annotators)


def _measure(annotators: int) -> None:
    from benchmarks._stream import judge, make_study, stream_promises

    study = make_study(sources=30, votes=annotators, pairs=100)
    start = time.perf_counter()
    judge(study, annotators=annotators, pairs=100)
    seconds = time.perf_counter() - start
    promises = stream_promises(study)
    print(f"{annotators} annotators, {promises.judgments:,} judgments with training, in {seconds:.0f} s")
    for kind, share in promises.shares.items():
        print(
            f"  {kind:10} {share:5.2f} % of places; the worst annotator is {promises.worst_share[kind]:.2f} points off"
        )
    print(f"  lefts less rights: triplets {dict(promises.side_gap_of_triplets)}, ", end="")
    print(f"annotators {dict(sorted(promises.side_gap_of_annotators.items()))}")
    for name in ("pairs_seen_twice", "same_source_in_a_row", "repeats_on_the_same_side", "leases_left"):
        print(f"  {name.replace('_', ' ')}: {getattr(promises, name)}")
    print(f"  wrong counters: {promises.wrong_counters}; nearest repeat {promises.nearest_repeat} places on")


if __name__ == "__main__":
    main()
