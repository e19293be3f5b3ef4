"""Deleted data leave the disk too: SQLite's file and its write-ahead log would keep them, unread, for months."""

import structlog
from django.db import connection, transaction

log = structlog.get_logger(__name__)


def overwrite_what_is_deleted() -> None:
    """Call it inside a transaction, before rows are deleted or changed: what they held is overwritten.

    After the commit SQLite's log, which holds the pages as they were, is written into the database and emptied.
    Postgres removes old versions of rows by its own vacuum.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete=ON")
        transaction.on_commit(empty_log)


def empty_log() -> bool:
    """Empties SQLite's log; returns whether it could. A process that reads for longer than 20 s prevents it."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (busy, *_) = cursor.fetchone()
    if busy:
        log.warning("The log of the database could not be emptied: deleted data stay in it until it can be.")
    return not busy
