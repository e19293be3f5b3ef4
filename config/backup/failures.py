"""What can go wrong around a backup, as sentences: a full disk, a store or a database that is away."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, InterfaceError

from annotation.transient import is_of_a_store
from config.backup.database import BackupError


@contextmanager
def in_sentences(consequence: str) -> Iterator[None]:
    """Raise BackupError, with the consequence, for failures that are no fault of the program."""
    try:
        yield
    except BackupError:
        raise
    except Exception as error:
        if sentence := _sentence(error):
            raise BackupError(f"{sentence}. {consequence}") from error
        raise


def _sentence(error: Exception) -> str:
    if is_of_a_store(error):  # first: some of these are OSErrors without a word
        return f"The storage: {type(error).__name__}"
    if isinstance(error, (DatabaseError, InterfaceError, sqlite3.Error)):
        return f"The database: {str(error).strip()}"
    if isinstance(error, (OSError, EOFError)):
        # Of a copy the second is its target.
        filename = getattr(error, "filename2", None) or getattr(error, "filename", None)
        return f"{getattr(error, 'strerror', None) or error}" + (f": {filename}" if filename else "")
    return ""
