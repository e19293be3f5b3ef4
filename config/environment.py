"""What settings take from environment variables: booleans, the secret key, the database."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


ROOT = Path(__file__).resolve().parents[1]


def data_folder(env: Mapping[str, str] = os.environ) -> Path:
    """The folder of all data: VAR_DIR, else `var` beside manage.py.

    Installed from a wheel, where the code lies among other packages, it is `var` in the current folder.
    """
    home = ROOT if (ROOT / "manage.py").exists() else Path.cwd()
    return Path(env.get("VAR_DIR") or home / "var").resolve()


def strict_bool(name: str, *, default: bool) -> bool:
    """The boolean in environment variable `name`; ImproperlyConfigured when it is neither true nor false."""
    word = os.environ.get(name, "").strip().lower()
    if not word:
        return default
    if word in _TRUE | _FALSE:
        return word in _TRUE
    raise ImproperlyConfigured(
        f"{name}={word!r} is not a boolean: use one of 1, true, yes, on, 0, false, no, off."
    )


def secret_key(value: str, *, debug: bool, folder: Path) -> str:
    """SECRET_KEY; where it is empty and for development alone, one made at random and kept in `folder`."""
    if value:
        return value
    if not debug:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. It is required when DEBUG is off: "
            "SECRET_KEY=$(python -c 'import secrets; print(secrets.token_urlsafe(50))')"
        )
    kept = folder / "development-secret-key"
    if not kept.exists():
        kept.write_text(secrets.token_urlsafe(50))
        kept.chmod(0o600)
    return kept.read_text()


SQLITE_OPTIONS: dict[str, Any] = {
    # BEGIN IMMEDIATE: a claim reads, then writes; deferred transactions would fail to upgrade their lock.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-20000; "
    # What a row held is overwritten when it changes or goes, where that costs no other page.
    "PRAGMA secure_delete=FAST;",
}
# A server that is gone without a word must not hold a thread: a connection that is not made, or answers nothing to
# what was sent, ends within seconds.
POSTGRES_OPTIONS: dict[str, Any] = {"connect_timeout": 5, "keepalives_idle": 30, "tcp_user_timeout": 20_000}


def database_from_url(url: str, file: Path) -> dict[str, Any]:
    """The entry of DATABASES for an address; for "", that of SQLite in `file`."""
    database: dict[str, Any] = environ.Env.db_url_config(url or f"sqlite:///{file}")
    # Opening costs as much as a request's queries; the last of SQLite's to be closed also empties its log, on the disk.
    database.setdefault("CONN_MAX_AGE", 60)
    if database["ENGINE"].endswith("sqlite3"):
        database["OPTIONS"] = {**database.get("OPTIONS", {}), **SQLITE_OPTIONS}
    else:
        database["ENGINE"] = database["ENGINE"].replace("django.db.backends.postgresql", "config.postgres")
        database["CONN_HEALTH_CHECKS"] = True
        database["OPTIONS"] = {**POSTGRES_OPTIONS, **database.get("OPTIONS", {})}
    return database
