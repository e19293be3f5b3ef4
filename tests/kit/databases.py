"""Migrated databases: the migrations run once, and whoever needs a database of its own gets a copy."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from django.db import connection, connections

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class MigratedSqlite:
    """The test database as the migrations left it, before any test wrote into it."""

    file: Path

    def copy_to(self, folder: Path) -> None:
        """The database of an installation whose VAR_DIR is the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        copy_database(self.file, folder / "db.sqlite3")

    def put_back(self) -> None:
        """The test database has its first content again, whichever migrations were taken back."""
        connection.close()
        copy_database(self.file, Path(connection.settings_dict["NAME"]))


@dataclass(frozen=True)
class MigratedPostgres:
    """A database on the private server that was migrated and is otherwise empty."""

    server: str
    var_dir: Path

    def copy(self, name: str) -> str:
        """The DATABASE_URL of a new copy under that name; what had the name before is dropped."""
        return self._create(name, "migrated")

    def empty(self, name: str) -> str:
        """The DATABASE_URL of a new database without a table."""
        return self._create(name, "template1")

    def _create(self, name: str, template: str) -> str:
        with psycopg.connect(f"{self.server}/postgres", autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return f"{self.server}/{name}"


def copy_database(source: Path, target: Path) -> None:
    """SQLite's own copy: whole also where a journal lies beside the file."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the copy is that `migrated_sqlite` hands on; made before a test can write into the database."""
    file = tmp_path_factory.mktemp("migrated") / "db.sqlite3"
    default = connections["default"]
    if default.vendor == "sqlite":
        copy_database(Path(default.settings_dict["NAME"]), file)
    return file


@pytest.fixture(scope="session")
def migrated_sqlite(django_db_setup: Path) -> MigratedSqlite:
    """Copies of the migrated SQLite database."""
    assert django_db_setup.exists(), "the tests run on SQLite"
    return MigratedSqlite(django_db_setup)


@pytest.fixture(scope="session")
def migrated_postgres(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MigratedPostgres]:
    """Copies of a Postgres database that `manage.py migrate` made, as an operator runs it."""
    server, var_dir = postgres_url.rpartition("/")[0], tmp_path_factory.mktemp("postgres")
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE migrated")
    environment = {**os.environ, "DATABASE_URL": f"{server}/migrated", "VAR_DIR": str(var_dir)}
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    yield MigratedPostgres(server, var_dir)
