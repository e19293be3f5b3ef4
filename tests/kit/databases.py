"""Migrated databases: the migrations run once, and whoever needs a database of its own gets a copy."""

import fcntl
import inspect
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from django.db import connection, connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from tests.kit.storage import storages_in

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class MigratedSqlite:
    """A database as the migrations leave it."""

    file: Path

    def copy_to(self, target: Path) -> None:
        """SQLite's own copy: whole also where a journal lies beside the target."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.file)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)

    def install(self, var_dir: Path) -> None:
        """As the database of an installation whose VAR_DIR is the folder."""
        self.copy_to(var_dir / "db.sqlite3")

    def put_back(self) -> None:
        """SQLite's test database has its first content again, whichever migrations were taken back."""
        if connection.vendor != "sqlite":
            return
        connection.close()
        self.copy_to(Path(connection.settings_dict["NAME"]))


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


@pytest.fixture(scope="session")
def migrated_sqlite(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> MigratedSqlite:
    """What `manage.py migrate` makes of no database; kept between test runs until a migration changes."""
    cache: pytest.Cache | None = getattr(request.config, "cache", None)
    folder = cache.mkdir("migrated") if cache else tmp_path_factory.mktemp("migrated")
    file = folder / f"{digest_of_migrations()}.sqlite3"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of the workers of a test run one migrates
        if not file.exists():
            for old in folder.glob("*.sqlite3*"):
                old.unlink()
            draft = folder / "draft.sqlite3"
            migrate(f"sqlite:///{draft}", tmp_path_factory.mktemp("migrating"))
            draft.replace(file)
    return MigratedSqlite(file)


def digest_of_migrations() -> str:
    """Changes with every migration of every app."""
    modules = MigrationLoader(None).disk_migrations.items()
    paths = [Path(inspect.getfile(type(migration))) for _, migration in sorted(modules)]
    return sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:16]


def migrate(url: str, var_dir: Path) -> None:
    """As an operator does it."""
    environment = {**os.environ, "DATABASE_URL": url, "VAR_DIR": str(var_dir)}
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A file, not memory: threads, browsers and worker processes meet the locks that users meet."""
    default = connections["default"]
    if default.vendor == "sqlite":
        file = tmp_path_factory.mktemp("database") / "test.sqlite3"
        default.settings_dict["TEST"]["NAME"] = str(file)
        request.getfixturevalue("migrated_sqlite").copy_to(file)


@pytest.fixture(scope="session")
def django_db_keepdb(request: pytest.FixtureRequest) -> bool:
    """The database is there already, migrated."""
    return connections["default"].vendor == "sqlite" or bool(request.config.getvalue("reuse_db"))


@pytest.fixture(scope="session")
def migrated_postgres(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MigratedPostgres]:
    """Copies of a Postgres database that `manage.py migrate` made, as an operator runs it."""
    server, var_dir = postgres_url.rpartition("/")[0], tmp_path_factory.mktemp("postgres")
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE migrated")
    migrate(f"{server}/migrated", var_dir)
    yield MigratedPostgres(server, var_dir)


@pytest.fixture(scope="module")
def rows_of_the_module(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A transaction around the module: rows that a fixture of the module makes are there in each of its tests.

    What a test changes is rolled back after it. The files are in the folder of this fixture, not in the test's.
    """
    folder = tmp_path_factory.mktemp("files")
    files = override_settings(STORAGES=storages_in(folder), VAR_DIR=folder)
    with files, django_db_blocker.unblock(), transaction.atomic():
        yield folder
        transaction.set_rollback(True)
