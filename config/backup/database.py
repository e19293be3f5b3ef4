"""The database in a backup: SQLite's own copy, or the tables of Postgres as COPY writes them, at one moment."""

import gzip
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

MIGRATIONS = "django_migrations"


class BackupError(RuntimeError):
    """A backup can't be made or restored; the message says why and what to do."""


@dataclass(frozen=True)
class DatabaseFacts:
    """What a backup says of its database.

    Attributes:
        vendor: "sqlite" or "postgresql".
        migrations: the last migration of each app.
        tables: the columns of each table, in the order in which they were written; Postgres only.
    """

    vendor: str
    migrations: dict[str, str]
    tables: dict[str, list[str]]

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """As `to_json` wrote it. Raises BackupError."""
        try:
            return cls(stored["vendor"], stored["migrations"], stored["tables"])
        except KeyError as error:
            raise BackupError(
                f"The manifest of the backup is damaged: it has no {error} of the database."
            ) from error

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


def dump(folder: Path) -> DatabaseFacts:
    """Write the database, as it is at one moment, into `folder`; nobody who writes meanwhile has to wait."""
    folder.mkdir(parents=True)
    if connection.vendor == "sqlite":
        _dump_sqlite(folder / "db.sqlite3")
        return DatabaseFacts("sqlite", _migrations(), {})
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        tables = _columns()
        for table, columns in tables.items():
            _dump_table(table, columns, folder / f"{table}.gz")
        return DatabaseFacts("postgresql", _migrations(), tables)


def load(folder: Path, facts: DatabaseFacts) -> None:
    """Put the database of a backup in the place of what is there, then bring its tables up to this version's."""
    if facts.vendor == "sqlite":
        _load_sqlite(folder / "db.sqlite3")
    else:
        _migrate_to(facts)
        with transaction.atomic():
            _load_tables(folder, facts)
    call_command("migrate", verbosity=0, interactive=False)


def require_loadable(facts: DatabaseFacts) -> None:
    """Raise BackupError for a backup of the other kind of database, or of a later version of Closer."""
    if facts.vendor != connection.vendor:
        raise BackupError(f"The backup is from {facts.vendor}, but DATABASE_URL names {connection.vendor}.")
    known = MigrationExecutor(connection).loader.graph.nodes
    if unknown := [f"{app}.{name}" for app, name in facts.migrations.items() if (app, name) not in known]:
        raise BackupError(
            f"The backup was made by a later version of Closer ({', '.join(unknown)} is not known here). "
            "Install that version, then restore."
        )


def is_empty() -> bool:
    """Whether nothing would be lost: there are no tables, or neither accounts nor studies in them."""
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for table in tables & {"auth_user", "annotation_study"}:
            cursor.execute(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608 - one of two names above
            if cursor.fetchone():
                return False
    return True


def _migrations() -> dict[str, str]:
    applied = MigrationRecorder.Migration.objects.using(connection.alias).order_by("pk")
    return dict(applied.values_list("app", "name"))


def _dump_sqlite(path: Path) -> None:
    connection.ensure_connection()
    target = sqlite3.connect(path)
    try:
        connection.connection.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")
        (verdict,) = target.execute("PRAGMA integrity_check(1)").fetchone()
    finally:
        target.close()
    if verdict != "ok":
        raise BackupError(
            f"The copy of the database is damaged: {verdict}. The database itself may be damaged too."
        )


def _load_sqlite(copy: Path) -> None:
    target = Path(connection.settings_dict["NAME"])
    connection.close()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.restored")
    try:
        shutil.copyfile(copy, draft)
    except OSError:
        draft.unlink(missing_ok=True)  # of a full disk
        raise
    draft.chmod(0o600)
    for rest in ("-wal", "-shm"):
        target.with_name(target.name + rest).unlink(missing_ok=True)
    draft.replace(target)


def _columns() -> dict[str, list[str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position) FROM "
            "information_schema.columns "
            "JOIN information_schema.tables USING (table_schema, table_name) "
            "WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND is_generated = 'NEVER' "
            "GROUP BY table_name ORDER BY table_name"
        )
        return {table: columns for table, columns in cursor.fetchall() if table != MIGRATIONS}


@contextmanager
def _copying(statement: str) -> Iterator[Any]:
    with connection.cursor() as cursor, cursor.cursor.copy(statement) as copy:
        yield copy


def _named(table: str, columns: list[str]) -> str:
    quote = connection.ops.quote_name
    return f"{quote(table)} ({', '.join(map(quote, columns))})"


def _dump_table(table: str, columns: list[str], path: Path) -> None:
    with (
        gzip.open(path, "wb", compresslevel=3) as file,
        _copying(f"COPY {_named(table, columns)} TO STDOUT") as copy,
    ):
        for block in copy:
            file.write(block)


def _migrate_to(facts: DatabaseFacts) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(list(facts.migrations.items()))


def _load_tables(folder: Path, facts: DatabaseFacts) -> None:
    with connection.cursor() as cursor:
        everything = ", ".join(map(connection.ops.quote_name, facts.tables))
        cursor.execute(f"TRUNCATE {everything}")
        for table, columns in facts.tables.items():
            statement = f"COPY {_named(table, columns)} FROM STDIN"
            with gzip.open(folder / f"{table}.gz", "rb") as file, _copying(statement) as copy:
                while block := file.read(2**20):
                    copy.write(block)
        _restart_counters(cursor)


def _restart_counters(cursor: Any) -> None:
    """Each table's next id is one above the largest that it has."""
    cursor.execute(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = current_schema() AND is_identity = 'YES'"
    )
    for table, column in cursor.fetchall():
        name, key = connection.ops.quote_name(table), connection.ops.quote_name(column)
        value = f"coalesce(max({key}), 1), max({key}) IS NOT NULL"
        cursor.execute(f"SELECT setval(pg_get_serial_sequence(%s, %s), {value}) FROM {name}", [name, column])
