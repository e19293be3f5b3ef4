"""What the services promise of leases, answers, work and snapshots, the races above all, once more on Postgres."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.databases import MigratedPostgres

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent.relative_to(ROOT)
AGAIN = (
    "test_races.py",
    "test_answer_races.py",
    "test_encoding_races.py",
    "test_claims.py",
    "test_judging.py",
    "test_encoding.py",
    "test_snapshots.py::test_a_worker_builds_what_was_requested",
    "../reports/test_votes.py",
)


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_services_keep_their_promises_on_postgres(
    migrated_postgres: MigratedPostgres, tmp_path: Path
) -> None:
    """Django settles its database at the start of a process, so this is a test run of its own."""
    migrated_postgres.copy("test_services")
    url = f"{migrated_postgres.server}/services"  # the test run puts test_ before the name
    environment = {**os.environ, "DATABASE_URL": url, "VAR_DIR": str(tmp_path / "var")}
    command = [sys.executable, "-m", "pytest", "-q", "--reuse-db", *(str(HERE / name) for name in AGAIN)]
    done = subprocess.run(
        [*command, "--basetemp", str(tmp_path / "pytest"), "-p", "no:cacheprovider"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
