"""DATABASE_URL and REDIS_URL reach real servers, as they would beyond one machine."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from kombu import Connection

from tests.kit.databases import MigratedPostgres

ROOT = Path(__file__).parents[2]
# Prints how many seconds it took to give up.
CONNECT = """
import os, time
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
from django.db import OperationalError, connection
began = time.monotonic()
try:
    connection.ensure_connection()
except OperationalError:
    print(time.monotonic() - began)
"""


@pytest.mark.postgres
def test_migrations_run_on_postgres(migrated_postgres: MigratedPostgres) -> None:
    with psycopg.connect(migrated_postgres.copy("services")) as connection:
        tables = {row[0] for row in connection.execute("SELECT tablename FROM pg_tables").fetchall()}
    assert {"annotation_study", "annotation_judgment"} <= tables
    assert not (migrated_postgres.var_dir / "db.sqlite3").exists()


def test_a_message_goes_through_redis_url(valkey_url: str) -> None:
    with Connection(valkey_url) as connection:
        queue = connection.SimpleQueue("letters")
        queue.put("hello")
        assert queue.get(timeout=5).payload == "hello"


def test_a_database_that_takes_connections_and_says_nothing_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        environment = os.environ | {
            "DATABASE_URL": f"postgres://a@127.0.0.1:{port}/b",
            "VAR_DIR": str(tmp_path),
        }
        command = [sys.executable, "-c", CONNECT]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert float(done.stdout) < 10
